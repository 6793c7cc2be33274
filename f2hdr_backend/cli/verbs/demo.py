"""``f2hdr demo``: make, render and score a small HDR shot, and draw a contact sheet."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.command import Section

if TYPE_CHECKING:
    from f2hdr_backend.demo.demo import Demo, TakeScores


def register(app: typer.Typer) -> None:
    """Add the verb ``demo`` to the command line."""
    app.command("demo", rich_help_panel=Section.START)(demo)


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to.")] = Path("f2hdr_demo"),
) -> None:
    """Make a small HDR shot, render it, and print its scores against the ground truth.

    Nothing is downloaded. DIR gets the plate, the ground truth, the results as EXR, and the pictures contact_sheet.png
    and before_after.png.
    """
    from f2hdr_backend.demo.demo import Demo

    began = time.monotonic()
    scores = run_demo(Demo(folder))
    terminal.show(table(scores))
    terminal.note(f"{folder / SHEET} and the frames in its folder, in {time.monotonic() - began:.0f} s")


SHEET, GLANCE = "contact_sheet.png", "before_after.png"


def run_demo(demo: Demo) -> list[TakeScores]:
    """Make, render and score a demo, with progress on standard error; write its contact sheet."""
    from f2hdr_backend.cli.render_progress import show_progress
    from f2hdr_backend.demo.sheet import before_after, demo_sheet
    from f2hdr_backend.evaluate.pictures.contact_sheet import draw
    from f2hdr_backend.image.write import write_image

    _show_shooting(demo)
    for take in demo.takes:
        terminal.note(f"{take.name}:")
        show_progress(demo.render(take))
    with terminal.working("scoring against the ground truth"):
        scores = demo.scores()
    write_image(demo.folder / SHEET, draw(demo_sheet(demo, scores)), bits=8)
    if demo.takes:
        write_image(demo.folder / GLANCE, before_after(demo), bits=8)
    return scores


def table(scores: list[TakeScores]) -> str:
    """Return the mean scores as text, one line per method."""
    width = max(len(score.name) for score in scores)
    lines = [f"{'':<{width}}  PSNR_T dB  PSNR_L dB"]
    for score in scores:
        tonemapped, linear = score.means()
        lines.append(f"{score.name:<{width}}  {tonemapped:9.2f}  {linear:9.2f}")
    return "\n".join(lines)


def _show_shooting(demo: Demo) -> None:
    for _ in terminal.track(demo.shoot(), "scene and plate", len(demo.frames)):
        pass
