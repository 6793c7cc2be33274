"""``f2hdr render --dry-run``: what a render would do, how long it would take, and how much disk it needs."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.folders import innermost_existing
from f2hdr_backend.cli.render_progress import show_settled
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import ShotError
from f2hdr_backend.shot.events import Event, FrameDone, RenderStarted
from f2hdr_backend.shot.frames import FrameRange, Sequence
from f2hdr_backend.shot.sizes import format_size

if TYPE_CHECKING:
    from f2hdr_backend.engine.renderer import Renderer

SAMPLED = 2
"""Frames that are rendered into a temporary folder to measure time and size; the first one includes the start."""


@dataclass(frozen=True)
class RenderForecast(Event):
    """Estimate of a render. Times and sizes are measured on frames that are rendered into a temporary folder."""

    frames: int
    """Frames to render; those that are already done are not counted."""
    done_before: int
    output: str
    size: tuple[int, int]
    """(width, height) in pixels."""
    device: str
    precision: str
    weights: str
    flow: str
    plan: str
    seconds: float
    """Expected wall time."""
    bytes: int
    """Expected size of the frames."""
    free_bytes: int
    """Free space of the output's disk."""


def forecast(shot: Shot, *, force: bool) -> Iterator[Event]:
    """Settle a Shot, render its first frames into a temporary folder, and extrapolate.

    Yields what the render reports before its first frame, then the :class:`RenderForecast`. Nothing is written to the
    Shot's output. Optical flow of the sampled frames stays in the flow cache.

    Raises:
        ShotError, ImageError, WeightsError, DeviceError: as the render itself.
    """
    from f2hdr_backend.engine.renderer import Renderer

    renderer = Renderer(shot.engine)
    with terminal.working("rendering two frames to measure"):
        settled, started = _before_frames(renderer.render(shot, force=force))
        todo = started.total - started.done_before
        start, frame, size = _sample(renderer, shot) if todo else (0.0, 0.0, 0)
    yield from settled
    yield RenderForecast(
        frames=todo,
        done_before=started.done_before,
        output=shot.output.pattern,
        size=started.size,
        device=started.device,
        precision=started.precision,
        weights=started.weights,
        flow=started.flow,
        plan=started.plan,
        seconds=round(start + todo * frame, 1),
        bytes=todo * size,
        free_bytes=shutil.disk_usage(innermost_existing(Path(Sequence.parse(shot.output.pattern).folder))).free,
    )


def show_forecast(events: Iterable[Event]) -> None:
    """Print the forecast to standard output, and the other events to standard error."""
    for event in events:
        if isinstance(event, RenderForecast):
            terminal.show("\n".join(sentences(event)))
        else:
            show_settled(event)


def sentences(found: RenderForecast) -> Iterator[str]:
    """Yield the forecast as lines for people."""
    width, height = found.size
    done = f" ({found.done_before} are already done)" if found.done_before else ""
    yield f"would render  {terminal.count(found.frames, 'frame')} of {width} x {height}{done}"
    yield f"output        {found.output}"
    yield f"how           {found.weights} on {found.flow} flow, {found.device} {found.precision}, {found.plan}"
    if found.frames:
        yield f"time          about {terminal.duration(found.seconds)}, from frames rendered now"
        yield f"disk          about {format_size(found.bytes)}; {format_size(found.free_bytes)} are free there"


def _before_frames(events: Generator[Event]) -> tuple[list[Event], RenderStarted]:
    """The events of a render, which is stopped before its first frame, and its plan."""
    settled: list[Event] = []
    for event in events:
        if isinstance(event, RenderStarted):
            events.close()
            return settled, event
        settled.append(event)
    raise ShotError("There is nothing to render.", hint="Choose other --frames.")


def _sample(renderer: Renderer, shot: Shot) -> tuple[float, float, int]:
    """Render a few frames into a temporary folder.

    Returns:
        Seconds until frames come steadily, seconds of a steady frame, and its bytes.
    """
    from f2hdr_backend.engine.settle import frames_of

    wanted = FrameRange(tuple(frames_of(shot))[:SAMPLED])
    name = os.path.basename(shot.output.pattern)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        sampled = replace(shot, output=replace(shot.output, pattern=os.path.join(folder, name)))
        done = [event for event in renderer.render(sampled, wanted) if isinstance(event, FrameDone)]
        size = max(os.path.getsize(event.path) for event in done)
    frame = done[-1].seconds
    return max(0.0, time.monotonic() - began - len(done) * frame), frame, size
