"""Terminal output of a render: settled values, a progress bar with the remaining time, and the path of the frames."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from f2hdr_backend.cli import terminal
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
    from rich.progress import Progress

    from f2hdr_backend.timeline.read import ClipStarted


def show_progress(events: Iterable[Event]) -> None:
    """Draw the events of a render on standard error. The bar appears when the work begins, not before."""
    with ExitStack() as shown:
        _draw(events, shown)


def _draw(events: Iterable[Event], shown: ExitStack) -> None:
    waiting = terminal.console().status("reading the plate")
    waiting.start()
    shown.callback(waiting.stop)
    bar: Progress | None = None
    task, path = None, ""
    for event in events:
        if isinstance(event, RenderStarted):
            waiting.stop()
            terminal.note(_started(event))
            if bar is None:
                bar = shown.enter_context(_bar())
                task = bar.add_task("render", total=event.total)
            elif task is not None:
                bar.reset(task, total=event.total)
        elif isinstance(event, (FrameDone, FrameSkipped)):
            path = event.path
            if bar is not None and task is not None:
                bar.update(task, completed=event.done)
        elif isinstance(event, RenderFinished):
            terminal.note(_finished(event, path))
        else:
            show_settled(event)


def show_settled(event: Event) -> None:
    """Write a warning, or what was decided before the first frame, to standard error; nothing for other events."""
    if isinstance(event, Warned):
        terminal.warn(event.message)
    elif sentence := _settled(event):
        terminal.note(sentence)


def _bar() -> Progress:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return terminal.bars(*columns)


def _settled(event: Event) -> str:
    """A sentence for what was decided before the first frame; empty for other events."""
    if isinstance(event, PlateMeasured):
        cuts = f"; cuts before {', '.join(str(frame) for frame in event.cuts)}" if event.cuts else ""
        return f"Exposures: {event.exposures} (confidence {event.confidence:.2f}){cuts}"
    if isinstance(event, ColorSettled):
        return _color(event)
    from f2hdr_backend.timeline.read import ClipStarted  # not before a timeline can be what is rendered: it is slow

    return _clip_started(event) if isinstance(event, ClipStarted) else ""


def _color(event: ColorSettled) -> str:
    config = f", config {event.config}" if event.config else ""
    levels = ", ".join(f"{level:g}" for level in event.clip_level)
    return (
        f"Color: {event.input_space} ({event.why}) to {event.output_space}{config}. "
        f"Clip level: {levels} ({event.clip_source})"
    )


def _started(event: RenderStarted) -> str:
    width, height = event.size
    skipped = f", {event.done_before} already done" if event.done_before else ""
    how = f"{event.weights} on {event.flow} flow, {event.device} {event.precision}, {event.plan}"
    quality = "" if event.done_before == event.total else _quality(event)
    return f"{terminal.count(event.total, 'frame')} of {width} x {height}{skipped}; {quality}{how}"


def _quality(event: RenderStarted) -> str:
    """The quality step, its estimated time, and what the next one would cost."""
    if not event.quality:
        return ""
    mine, following = (
        "" if seconds is None else f", about {terminal.duration(seconds)} a frame"
        for seconds in (event.seconds_a_frame, event.next_seconds_a_frame)
    )
    above = f" (--quality {event.next_quality}{following})" if event.next_quality else ""
    return f"quality {event.quality}{mine}{above}: "


def _clip_started(event: ClipStarted) -> str:
    return f"Clip {event.number} of {event.clips}: {event.clip}, frames {event.frames} of {event.plate}"


def _finished(event: RenderFinished, path: str) -> str:
    skipped = f", {event.skipped} skipped" if event.skipped else ""
    where = f"; the last is {path}" if path else ""
    return f"{terminal.count(event.rendered, 'frame')} rendered{skipped} in {event.seconds:.1f} s{where}"
