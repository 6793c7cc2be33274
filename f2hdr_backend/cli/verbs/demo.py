"""``f2hdr demo``: a small HDR shot made, shot, rendered and scored here, with a picture to judge."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from f2hdr_backend.demo.demo import Demo, TakeScores


def register(app: typer.Typer) -> None:
    """Add the verb ``demo`` to the command line."""
    app.command("demo")(demo)


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to.")] = Path("f2hdr_demo"),
) -> None:
    """Make a small HDR shot, simulate its plate, render it, and print scores against the truth.

    Nothing is downloaded. DIR gets the plate, the truth, the results as EXR and contact_sheet.png.
    """
    from f2hdr_backend.demo.demo import Demo

    began = time.monotonic()
    scores = run_demo(Demo(folder))
    print(table(scores))
    typer.echo(f"{folder / SHEET}, and the frames beside it, in {time.monotonic() - began:.0f} s", err=True)


SHEET = "contact_sheet.png"


def run_demo(demo: Demo) -> list[TakeScores]:
    """Make, render and score a demo, with progress on standard error; write its contact sheet."""
    from f2hdr_backend.cli.verbs.render import show_progress
    from f2hdr_backend.demo.sheet import demo_sheet
    from f2hdr_backend.evaluate.pictures.contact_sheet import draw
    from f2hdr_backend.image.write import write_image

    _show_shooting(demo)
    for take in demo.takes:
        typer.echo(f"{take.name}:", err=True)
        show_progress(demo.render(take))
    scores = demo.scores()
    write_image(demo.folder / SHEET, draw(demo_sheet(demo, scores)), bits=8)
    return scores


def table(scores: list[TakeScores]) -> str:
    """Mean scores, a line each."""
    width = max(len(score.name) for score in scores)
    lines = [f"{'':<{width}}  PSNR_T dB  PSNR_L dB"]
    for score in scores:
        tonemapped, linear = score.means()
        lines.append(f"{score.name:<{width}}  {tonemapped:9.2f}  {linear:9.2f}")
    return "\n".join(lines)


def _show_shooting(demo: Demo) -> None:
    from rich.console import Console
    from rich.progress import track

    total = len(demo.frames)
    for _ in track(demo.shoot(), "shot and plate", total, console=Console(stderr=True)):
        pass
