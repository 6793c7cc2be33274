"""Frames of one settled shot: read ahead, computed on one device or several, written behind."""

from __future__ import annotations

import json
import math
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import f2hdr_backend
from f2hdr_backend.color.plate import PlateColor
from f2hdr_backend.engine.exr_layers import compose, needed_layers
from f2hdr_backend.engine.method.base import HOST, HdrFrame, Method
from f2hdr_backend.engine.method.features import NetworkFrame, pinned
from f2hdr_backend.engine.method.flows import KnownFlows
from f2hdr_backend.engine.method.plan import SHARE_OF_FREE
from f2hdr_backend.engine.method.staging import Staging, stage
from f2hdr_backend.engine.method.trusted import use_reference
from f2hdr_backend.engine.window import Window, settled_exposures
from f2hdr_backend.flow.stored import frame_identity
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.frame import Plate, PlateImage
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.machine.container import usable_cpus
from f2hdr_backend.machine.device import free_memory
from f2hdr_backend.machine.read_ahead import ReadAhead
from f2hdr_backend.machine.side_by_side import side_by_side
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.events import Event, FrameDone, Warned
from f2hdr_backend.shot.frames import Sequence as FrameSequence

NOTABLE_LEVEL = 1.05
"""Factor between a neighbor's brightness and its exposure from which a render reports it."""


@dataclass(frozen=True)
class Task:
    """One frame to make."""

    window: Window
    path: str
    digest: str


@dataclass(frozen=True)
class _Read:
    """A frame of the plate, ready for the network."""

    image: PlateImage
    """Without its pixels."""
    frame: NetworkFrame
    above_clip: int
    """Pixels brighter than the clip level."""


class _Ready(NamedTuple):
    """A window, ready for a device."""

    reads: list[_Read]
    """Previous, reference and next."""
    known: KnownFlows


class Pipeline:
    """Makes frames of one settled shot with one method, opened on each device."""

    def __init__(self, methods: Sequence[Method], shot: Shot, plate: Plate, color: PlateColor) -> None:
        self._methods = methods
        self._shot = shot
        self._plate = color.in_light(plate)
        self._color = color
        self._exposures = settled_exposures(shot)
        self._gain = self._exposures.anchor_gain(shot.output.anchor)
        self._response = color.response
        self._layers = needed_layers(shot)
        self._said: set[str] = set()

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        """Make frames. A FrameDone, its counts still 0, comes when its file and all before it are complete.

        Raises:
            ImageError, OutOfMemory: a frame that cannot be read, written or computed.
        """
        staging, places = self._staging(), list(enumerate(tasks))
        with (
            ReadAhead(
                self._read,
                [task.window.frames for task in tasks],
                ahead=staging.ahead,
                readers=staging.readers if FrameSequence.is_pattern(self._shot.plate) else 1,  # movies run in order
                prepare=self._ready,
                makers=staging.makers,
            ) as plate,
            ThreadPoolExecutor(staging.writers, "write-behind") as writers,
        ):
            lanes = [_Lane(method, plate, writers, staging.results) for method in self._methods]
            with closing(side_by_side([partial(self._made, lane) for lane in lanes], places)) as made:
                yield from _in_order(made, tasks)
        for method in self._methods:
            method.stored.finish()
            yield from self._cache_warnings(method)

    def _staging(self) -> Staging:
        """Threads around the devices, within what the host has free."""
        first, lanes, (width, height) = self._methods[0], len(self._methods), self._plate.size
        if first.on_host:
            return Staging(lanes)
        room = SHARE_OF_FREE * free_memory(HOST) / (width * height)
        return stage(lanes, usable_cpus(), room, makes_flows=first.estimator.on_host)

    def _made(self, lane: _Lane, tasks: Iterator[tuple[int, Task]]) -> Iterator[Event]:
        """Make the frames of ``tasks`` and their places, in order, on one device."""
        own: dict[int, NetworkFrame] = {}
        pending: deque[tuple[Task, float, Future[list[Warned]]]] = deque()
        most = 0  # the first frame is reported before the second is begun
        for place, task in tasks:
            reads, known = lane.plate.take(place)
            own = {read.frame.number: own.get(read.frame.number) or read.frame.bare() for read in reads}
            began = time.monotonic()
            previous, reference, following = (own[read.frame.number] for read in reads)
            frame = yield from lane.method.fit((previous, reference, following), self._layers, known)
            seconds = time.monotonic() - began
            # Not the frames themselves: what they keep on the device must not wait for a disk.
            codes = [read.frame.codes for read in reads]
            pending.append((task, seconds, lane.writers.submit(self._finish, task, frame, codes, reads[1].image)))
            yield from self._input_warnings(task.window, reads[1])
            yield from self._cache_warnings(lane.method)
            while pending and (len(pending) > most or pending[0][-1].done()):
                yield from _written(pending)
            most = lane.results
        while pending:
            yield from _written(pending)

    def _read(self, number: int) -> _Read:
        """Read a frame; what can be done here costs the device no time."""
        image, method = self._plate.read(number), self._methods[0]
        codes = self._response.to_network(image.pixels)
        if method.device.type == "cuda":
            codes = pinned(codes)
        identity = frame_identity(codes) if method.stored.cache.limit else ""
        frame = NetworkFrame(number, codes, self._exposures.gain(number), identity)
        above = self._response.above_clip(image.pixels)
        return _Read(replace(image, pixels=image.pixels[:0].copy()), frame, above)  # a view would hold all of them

    def _ready(self, reads: list[_Read]) -> _Ready:
        """A window with the flows that the host can know of it."""
        method = self._methods[0]
        if not method.works_ahead:
            return _Ready(reads, {})
        previous, reference, following = (read.frame for read in reads)
        return _Ready(reads, method.flows_ahead((previous, reference, following), self._layers))

    def _finish(self, task: Task, frame: HdrFrame, codes: Sequence[FloatArray], image: PlateImage) -> list[Warned]:
        """Blend with the reference's own light, by the window's ``codes``, and write beside ``image``'s layers."""
        frame = use_reference(frame, codes, task.window.exposures, self._shot.engine.reference_trust)
        layers = compose(frame, self._gain, self._shot.output.layers, self._color.finish)
        for name, values in image.layers.items():
            layers.setdefault(name, values)
        output = self._shot.output
        clipped = write_exr(
            task.path,
            layers,
            self._header(task, image),
            pixel_type=output.pixel_type,
            compression=output.compression,
            windows=image.windows,
        )
        return [*self._level_warnings(task.window, frame), *self._range_warnings(task.window, clipped)]

    def _level_warnings(self, window: Window, frame: HdrFrame) -> Iterator[Warned]:
        """Warnings about neighbors whose brightness had to be matched to the reference."""
        factor = max(frame.matched, key=lambda factor: abs(math.log(factor)))
        if abs(math.log(factor)) > math.log(NOTABLE_LEVEL):
            side = window.frames[2 * frame.matched.index(factor)]
            off, way = abs(1 / factor - 1), "more" if factor < 1 else "less"
            found = f"Frame {side} has {off:.0%} {way} light than its exposure says, next to frame {window.reference}"
            yield Warned("exposures_off", f"{found}; it was matched.", window.reference)

    def _range_warnings(self, window: Window, beyond: int) -> Iterator[Warned]:
        if beyond:
            message = f"{beyond} pixels lie beyond what half floats hold; write --pixel-type float."
            yield Warned("half_range", message, window.reference)

    def _header(self, task: Task, image: PlateImage) -> dict[str, object]:
        """The plate's own metadata and where these pixels come from."""
        return {
            **self._color.header(image.metadata),
            "f2hdr/version": f2hdr_backend.__version__,
            "f2hdr/shot": json.dumps(replace(self._shot, frames=None).to_json()),
            "f2hdr/digest": task.digest,
            "f2hdr/method": self._methods[0].digest,
            "f2hdr/ev": self._exposures.ev(task.window.reference),
            "f2hdr/anchor_gain": self._gain,
            "f2hdr/window": list(task.window.frames),
        }

    def _cache_warnings(self, method: Method) -> Iterator[Warned]:
        """What keeping flows met with, each kind once a render."""
        for notice in method.stored.cache.take_notices():
            if notice.code not in self._said:
                self._said.add(notice.code)
                yield notice

    def _input_warnings(self, window: Window, read: _Read) -> Iterator[Warned]:
        yield from (Warned("file_note", note, window.reference) for note in read.image.notes)
        if read.image.nonfinite:
            message = f"{read.image.nonfinite} pixels of {read.image.path} were NaN or Inf and were replaced."
            yield Warned("nonfinite", message, window.reference)
        if read.above_clip:
            message = f"{read.above_clip} pixels of {read.image.path} lie above the clip level; their light is lost."
            yield Warned("above_clip", message, window.reference)


@dataclass(frozen=True)
class _Lane:
    """One device among those of a render."""

    method: Method
    plate: ReadAhead[_Read, _Ready]
    writers: ThreadPoolExecutor
    results: int
    """Frames that may wait for a disk."""


def _written(pending: deque[tuple[Task, float, Future[list[Warned]]]]) -> Iterator[Event]:
    task, seconds, writing = pending.popleft()
    yield from writing.result()
    yield FrameDone(task.window.reference, task.path, seconds, 0, 0)


def _in_order(events: Iterator[Event], tasks: Sequence[Task]) -> Iterator[Event]:
    """The events as they come, but each FrameDone behind those of all tasks before its own."""
    done: dict[int, FrameDone] = {}
    coming = deque(task.window.reference for task in tasks)
    for event in events:
        if not isinstance(event, FrameDone):
            yield event
            continue
        done[event.frame] = event
        while coming and coming[0] in done:
            yield done.pop(coming.popleft())
