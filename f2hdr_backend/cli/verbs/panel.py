"""``f2hdr panel``: the window in which a plate is looked at, set up and rendered."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from f2hdr_backend.cli.command import Section
from f2hdr_backend.cli.own_command import own_command
from f2hdr_backend.shot.errors import F2HDRError


def register(app: typer.Typer) -> None:
    """Add the verb ``panel`` to the command line."""
    app.command("panel", rich_help_panel=Section.START)(panel)


def panel(
    plate: Annotated[
        list[str] | None,
        typer.Argument(help="A frame, a folder of frames, a movie or a Shot document.", metavar="PLATE"),
    ] = None,
    pictures: Annotated[bool, typer.Option("--pictures", hidden=True)] = False,
) -> None:
    """Open the panel: look at a plate, correct its exposures, set up the Shot, watch it render."""
    if pictures:
        from f2hdr_backend.pictures.process import run as serve_pictures

        serve_pictures()
    _require_display()
    try:
        from f2hdr_backend.panel.app import run
    except ImportError as error:
        raise F2HDRError(
            f"The panel needs Qt, which cannot be loaded: {error}.", hint='Run: pip install "f2hdr[ui]"'
        ) from error
    run(plate or [], own_command())


def _require_display() -> None:
    """Raise F2HDRError where Qt would find no display: it would end the process without a message of F2HDR."""
    known = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in known):
        raise F2HDRError(
            "The panel needs a display, and neither DISPLAY nor WAYLAND_DISPLAY is set.",
            hint="Start it in a desktop session, or use f2hdr render.",
        )
