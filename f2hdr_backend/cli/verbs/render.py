"""``f2hdr render``: a plate, or a Shot document, to scene-linear HDR EXR frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from f2hdr_backend.cli.cut import is_cut, render_timeline
from f2hdr_backend.cli.shot_options import PathMappingFile, ShotOptions, Source, path_mapping, takes_shot_options
from f2hdr_backend.cli.task import AsJson, Progress, ProgressOption, show_lines, task
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.events import (
    ColorSettled,
    Event,
    FrameDone,
    FrameSkipped,
    PlateMeasured,
    RenderFinished,
    RenderStarted,
    Warned,
)

if TYPE_CHECKING:
    from f2hdr_backend.timeline.read import ClipStarted


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(render)


@takes_shot_options
def render(
    source: Source,
    options: ShotOptions,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="EXR frames to write, such as hdr/shot.####.exr.")
    ] = None,
    handles: Annotated[
        int | None, typer.Option(help="Frames before and after each clip of a timeline; by default 8.", min=0)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Render frames again that are already done.")] = False,
    rules: PathMappingFile = None,
    progress: ProgressOption = Progress.BAR,
    as_json: AsJson = False,
) -> None:
    """Reconstruct scene-linear HDR frames from a plate of alternating exposures.

    The result has as many frames, of the same size and numbers. 1.0 is the clip of the long exposure, unless
    --anchor says otherwise. The same command again goes on where it stopped. Of a timeline (.otio, .edl, .fcpxml)
    each clip's used range is rendered, into a folder of its own below OUTPUT.
    """
    progress = Progress.JSON if as_json else progress
    with task(progress):
        if is_cut(source, handles):
            events = render_timeline(source, output, options, handles, rules, force=force)
        else:
            shot, measured = options.shot(source, output, path_mapping(rules))
            events = chain(measured, _rendered(shot, force))
        if progress is Progress.BAR:
            show_progress(events)
        else:
            show_lines(events, progress)


def _rendered(shot: Shot, force: bool) -> Iterator[Event]:
    from f2hdr_backend.engine.renderer import Renderer

    return Renderer(shot.engine).render(shot, force=force)


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

    from f2hdr_backend.timeline.read import ClipStarted

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
                console.print(_measured(event), highlight=False, markup=False)
            elif isinstance(event, ClipStarted):
                console.print(_clip_started(event), highlight=False, markup=False)
            elif isinstance(event, ColorSettled):
                console.print(_color(event), highlight=False, markup=False)
            elif isinstance(event, RenderStarted):
                console.print(_started(event), highlight=False, markup=False)
                bar.reset(task, total=event.total)
            elif isinstance(event, (FrameDone, FrameSkipped)):
                bar.update(task, completed=event.done)
            elif isinstance(event, Warned):
                console.print(f"warning: {event.message}", style="yellow", highlight=False, markup=False)
            elif isinstance(event, RenderFinished):
                console.print(_finished(event), highlight=False, markup=False)


def _measured(event: PlateMeasured) -> str:
    cuts = f"; cuts before {', '.join(str(frame) for frame in event.cuts)}" if event.cuts else ""
    return f"exposures {event.exposures} (confidence {event.confidence:.2f}){cuts}"


def _color(event: ColorSettled) -> str:
    config = f", config {event.config}" if event.config else ""
    levels = ", ".join(f"{level:g}" for level in event.clip_level)
    return f"{event.input_space} ({event.why}) to {event.output_space}{config}; clips at {levels} ({event.clip_source})"


def _started(event: RenderStarted) -> str:
    width, height = event.size
    skipped = f", {event.done_before} already done" if event.done_before else ""
    how = f"{event.weights} on {event.flow} flow, {event.device} {event.precision}, {event.plan}"
    return f"{event.total} frames of {width} x {height}{skipped}; {how}"


def _clip_started(event: ClipStarted) -> str:
    return f"clip {event.number} of {event.clips}: {event.clip}, frames {event.frames} of {event.plate}"


def _finished(event: RenderFinished) -> str:
    skipped = f", {event.skipped} skipped" if event.skipped else ""
    return f"{event.rendered} frames rendered{skipped} in {event.seconds:.1f} s"
