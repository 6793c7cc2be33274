"""``f2hdr check``: report missing, damaged and outdated frames of a Shot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.batch_mode import AsJson, Progress, ProgressOption, show_lines, task
from f2hdr_backend.cli.command import Section
from f2hdr_backend.cli.shot_options import PathMappingFile, frame_range, path_mapping, read_shot
from f2hdr_backend.shot.events import FrameChecked


def register(app: typer.Typer) -> None:
    """Add the verb ``check`` to the command line."""
    app.command("check", rich_help_panel=Section.SHARE)(check)


def check(
    source: Annotated[str, typer.Argument(metavar="SHOT.json", help="A prepared Shot document.")],
    frames: Annotated[str | None, typer.Option(help="Frames to check, such as 1001-1010. Default: all.")] = None,
    sweep: Annotated[bool, typer.Option("--sweep", help="Remove temporary files of renders that were killed.")] = False,
    rules: PathMappingFile = None,
    progress: ProgressOption = Progress.BAR,
    as_json: AsJson = False,
) -> None:
    """Check every frame of a Shot: present, complete, finite, of the plate's size, made from the Shot's inputs.

    Use --sweep only when no render of these frames is running.
    """
    progress = Progress.JSON if as_json else progress
    with task(progress):
        shot = path_mapping(rules).shot(read_shot(source))
        from f2hdr_backend.engine.check import verify

        events = verify(shot, frame_range(frames) if frames else None, sweep=sweep)
        if progress is Progress.BAR:
            _show(events)
        else:
            show_lines(events, progress)


def _show(events: Iterable[FrameChecked]) -> None:
    count = 0
    for event in events:
        count += 1
        if event.problem:
            terminal.warn(f"frame {event.frame}: {event.problem}")
    terminal.note(f"{terminal.count(count, 'frame')} checked, no problem")
