"""``f2hdr render``: a plate, or a Shot document, to scene-linear HDR EXR frames."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.events import (
    Event,
    FrameDone,
    FrameSkipped,
    PlateMeasured,
    RenderFinished,
    RenderStarted,
    Warned,
)
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(render)


def render(
    source: Annotated[
        str, typer.Argument(help="plate.####.tif, a movie, or a Shot document (.json).", metavar="PLATE|SHOT.json")
    ],
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="EXR frames to write, such as hdr/shot.####.exr.")
    ] = None,
    frames: Annotated[str | None, typer.Option(help="Frames to render, such as 1001-1010 or 1-100x2.")] = None,
    exposures: Annotated[
        str | None, typer.Option(help="Stops, one a frame of the cycle: 0,3. Not given: found from the plate.")
    ] = None,
    first_exposure: Annotated[
        str | None, typer.Option(help="short or long: the exposure of the plate's first frame.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="f2hdr, or merge: a classical aligned merge.")] = None,
    weights: Annotated[str | None, typer.Option(help="Weights by name; see f2hdr weights list.")] = None,
    flow: Annotated[str | None, typer.Option(help="Flow estimator: auto (the weights' own), dis, sea_raft.")] = None,
    anchor: Annotated[str | None, typer.Option(help="Exposure whose clip becomes 1.0: long, short or an EV.")] = None,
    reference_trust: Annotated[
        str | None, typer.Option(help="Use of well-exposed reference pixels: soft, hard or off.")
    ] = None,
    layers: Annotated[str | None, typer.Option(help="Extra layers: flow,mask,coarse,occlusion.")] = None,
    pixel_type: Annotated[str | None, typer.Option(help="half or float.")] = None,
    compression: Annotated[str | None, typer.Option(help="zip, piz, dwaa or none.")] = None,
    input_space: Annotated[str | None, typer.Option(help="auto, gamma22 or linear.")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, fp32, bf16 or fp16.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda:0.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Render frames again that are already done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON event a line on standard output.")] = False,
) -> None:
    """Reconstruct scene-linear HDR frames from a plate of alternating exposures.

    The result has as many frames, of the same size and numbers. 1.0 is the clip of the long exposure, unless
    --anchor says otherwise. The same command again goes on where it stopped.
    """
    asked: dict[str, dict[str, Any]] = {
        "color": {"input_space": input_space},
        "engine": {
            "method": method, "weights": weights, "flow": flow, "reference_trust": reference_trust,
            "precision": precision, "device": device,
        },
        "output": {
            "pattern": output, "anchor": anchor, "pixel_type": pixel_type, "compression": compression,
            "layers": tuple(part for part in layers.split(",") if part) if layers is not None else None,
        },
    }  # fmt: skip
    shot = _with_options(_shot(source), asked)
    if frames is not None:
        shot = replace(shot, frames=FrameRange.parse(frames))
    if exposures is not None or first_exposure is not None:
        shot = _with_exposures(shot, exposures, first_exposure)
    from f2hdr_backend.engine.renderer import Renderer

    events = Renderer(shot.engine).render(shot, force=force)
    show = show_json if as_json else show_progress
    show(events)


def show_json(events: Iterable[Event]) -> None:
    """Print one JSON object a line; what libraries print goes to standard error, so that every line parses."""
    lines = sys.stdout
    with redirect_stdout(sys.stderr):
        for event in events:
            print(json.dumps(event.to_json()), file=lines, flush=True)


def show_progress(events: Iterable[Event]) -> None:
    """Draw a progress bar with the time left on standard error."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("render", total=None)
        for event in events:
            if isinstance(event, PlateMeasured):
                console.print(_measured(event), highlight=False)
            elif isinstance(event, RenderStarted):
                console.print(_started(event), highlight=False)
                bar.update(task, total=event.total)
            elif isinstance(event, (FrameDone, FrameSkipped)):
                bar.update(task, completed=event.done)
            elif isinstance(event, Warned):
                console.print(f"warning: {event.message}", style="yellow", highlight=False)
            elif isinstance(event, RenderFinished):
                console.print(_finished(event), highlight=False)


def _measured(event: PlateMeasured) -> str:
    cuts = f"; cuts before {', '.join(str(frame) for frame in event.cuts)}" if event.cuts else ""
    return f"exposures {event.exposures} (confidence {event.confidence:.2f}){cuts}"


def _started(event: RenderStarted) -> str:
    width, height = event.size
    skipped = f", {event.done_before} already done" if event.done_before else ""
    how = f"{event.weights} on {event.flow} flow, {event.device} {event.precision}"
    return f"{event.total} frames of {width} x {height}{skipped}; {how}"


def _finished(event: RenderFinished) -> str:
    skipped = f", {event.skipped} skipped" if event.skipped else ""
    return f"{event.rendered} frames rendered{skipped} in {event.seconds:.1f} s"


def _shot(source: str) -> Shot:
    """The Shot that the argument names: a document, or a bare plate."""
    if not source.lower().endswith(".json"):
        return Shot(plate=source)
    try:
        text = Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise DocumentError(
            f"{source} cannot be read: {error.strerror}.", hint="Name a Shot document or a plate."
        ) from error
    return Shot.from_json(text)


def _with_options(shot: Shot, asked: dict[str, dict[str, Any]]) -> Shot:
    """The Shot with every option that was given on the command line."""
    given = {
        part: {name: value for name, value in values.items() if value is not None} for part, values in asked.items()
    }
    color: Color = replace(shot.color, **given["color"])
    engine: Engine = replace(shot.engine, **given["engine"])
    output: Output = replace(shot.output, **given["output"])
    return replace(shot, color=color, engine=engine, output=output)


def _with_exposures(shot: Shot, steps: str | None, first: str | None) -> Shot:
    """The Shot with the exposures that the user gives; what they leave open comes from the plate."""
    from f2hdr_backend.engine.settle import exposures_from

    cycle = None if steps is None else ExposurePattern.parse_steps(steps)
    pattern, cuts = exposures_from(shot, cycle, first)
    return replace(shot, exposures=pattern, cuts=cuts if shot.cuts is None else shot.cuts)
