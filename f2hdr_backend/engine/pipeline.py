"""Render the frames of one settled shot: read ahead, compute on one or several devices, write in the background."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import f2hdr_backend
from f2hdr_backend.color.plate import PlateColor
from f2hdr_backend.engine.exr_layers import compose, needed_layers
from f2hdr_backend.engine.frame_warnings import input_warnings, level_warnings, range_warnings
from f2hdr_backend.engine.method.apply_trust import use_reference
from f2hdr_backend.engine.method.base import HOST, Method, Started
from f2hdr_backend.engine.method.features import NetworkFrame, pinned
from f2hdr_backend.engine.method.finishing import Finishing
from f2hdr_backend.engine.method.flows import KnownFlows
from f2hdr_backend.engine.method.frame import HdrFrame
from f2hdr_backend.engine.method.plan import SHARE_OF_FREE
from f2hdr_backend.engine.method.staging import Staging, one_thread_each, stage
from f2hdr_backend.engine.window import Window, settled_exposures
from f2hdr_backend.flow.stored import frame_identity
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.frame import Plate, PlateImage
from f2hdr_backend.image.metadata import ANCHOR_GAIN
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.machine.container import usable_cpus
from f2hdr_backend.machine.device import free_memory
from f2hdr_backend.machine.multi_device import on_devices
from f2hdr_backend.machine.read_ahead import ReadAhead
from f2hdr_backend.shot.cancellation import check_stop, with_stop
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.events import Event, FrameDone, Warned
from f2hdr_backend.shot.frames import Sequence as FrameSequence


@dataclass(frozen=True)
class Task:
    """One frame to render."""

    window: Window
    path: str
    digest: str


@dataclass(frozen=True)
class _Read:
    """A frame of the plate, converted to the network's input."""

    image: PlateImage
    """Its metadata; the pixels are removed."""
    frame: NetworkFrame
    above_clip: int
    """Number of pixels brighter than the clip level."""


class _Ready(NamedTuple):
    """A window that a device can start on."""

    reads: list[_Read]
    """Previous, reference and next."""
    known: KnownFlows


class Pipeline:
    """Renders frames of one settled shot with one method, opened on each device."""

    def __init__(self, methods: Sequence[Method], shot: Shot, plate: Plate, color: PlateColor) -> None:
        self._methods = methods
        self._shot = shot
        self._plate = color.in_light(plate)
        self._color = color
        self._exposures = settled_exposures(shot)
        self._gain = self._exposures.anchor_gain(shot.output.anchor)
        self._response = color.response
        self._finishing = self._made_on_the_device()
        self._layers = needed_layers(shot) if self._finishing is None else frozenset(shot.output.layers)
        self._reported: set[str] = set()

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        """Render frames.

        A FrameDone is yielded when its file and those of all earlier tasks are complete; its counts are still 0.

        Raises:
            ImageError, OutOfMemory: a frame cannot be read, written or computed.
        """
        staging, places = self._staging(), list(enumerate(tasks))
        with (
            nullcontext() if self._methods[0].on_host else one_thread_each(),
            ReadAhead(
                with_stop(self._read),
                [task.window.frames for task in tasks],
                ahead=staging.ahead,
                readers=staging.readers
                if FrameSequence.is_pattern(self._shot.plate)
                else 1,  # movies are read in order
                prepare=with_stop(self._ready),
                makers=staging.makers,
            ) as plate,
            ThreadPoolExecutor(staging.writers, "write-behind") as writers,
        ):
            lanes = [_Lane(method, plate, writers, staging.results) for method in self._methods]
            with closing(on_devices([partial(self._made, lane) for lane in lanes], places)) as made:
                yield from _in_order(made, tasks)
        for method in self._methods:
            method.stored.finish()
            yield from self._cache_warnings(method)

    def _made_on_the_device(self) -> Finishing | None:
        """What GPUs do with a window before it leaves them; None if the CPU computes."""
        if self._methods[0].on_host:
            return None
        matrix = self._color.matrix()
        output = self._shot.output
        scaled = None if matrix is None else matrix * self._gain
        return Finishing(self._shot.engine.reference_trust, scaled, output.pixel_type == "half")

    def _staging(self) -> Staging:
        """Choose the number of threads that fits the host's free memory."""
        first, lanes, (width, height) = self._methods[0], len(self._methods), self._plate.size
        if first.on_host:
            return Staging(lanes)
        room = SHARE_OF_FREE * free_memory(HOST) / (width * height)
        return stage(lanes, usable_cpus(), room, makes_flows=first.estimator.on_host)

    def _made(self, lane: _Lane, tasks: Iterator[tuple[int, Task]]) -> Iterator[Event]:
        """Render ``tasks``, pairs of index and task, in order on one device.

        A GPU has the next window queued before the host waits for the previous one, so that it does not wait for the
        host between them.
        """
        own: dict[int, NetworkFrame] = {}
        in_flight: deque[_Flight] = deque()
        for place, task in tasks:
            reads, known = lane.plate.take(place)
            own = {read.frame.number: own.get(read.frame.number) or read.frame.bare() for read in reads}
            began = time.monotonic()
            previous, reference, following = (own[read.frame.number] for read in reads)
            window = previous, reference, following
            started = yield from lane.method.launch(window, self._layers, known, self._finishing)
            in_flight.append(_Flight(task, began, started, [read.frame.codes for read in reads], reads[1].image))
            yield from input_warnings(task.window.reference, reads[1].image, reads[1].above_clip)
            if len(in_flight) > lane.in_flight:
                yield from self._landed(lane, in_flight.popleft())
        while in_flight:
            yield from self._landed(lane, in_flight.popleft())
        while lane.pending:
            yield from _written(lane.pending)

    def _landed(self, lane: _Lane, flight: _Flight) -> Iterator[Event]:
        """Wait for a window and have it written; waits for writers if too many frames wait for them."""
        frame = yield from lane.method.land(flight.started)
        landed = time.monotonic()
        seconds = landed - max(flight.began, lane.landed)
        # Only codes are kept: the frames' cached results on the device must not wait for a disk.
        writing = lane.writers.submit(with_stop(self._finish), flight.task, frame, flight.codes, flight.image)
        lane.pending.append((flight.task, seconds, writing))
        yield from self._cache_warnings(lane.method)
        most = lane.results if lane.landed else 0  # report the first frame before the next one lands
        lane.landed = landed
        while lane.pending and (len(lane.pending) > most or lane.pending[0][-1].done()):
            yield from _written(lane.pending)

    def _read(self, number: int) -> _Read:
        """Read a frame and do all work that does not need the device."""
        check_stop()
        image, method = self._plate.read(number), self._methods[0]
        check_stop()
        codes = self._response.to_network(image.pixels)
        check_stop()
        if method.device.type == "cuda":
            codes = pinned(codes)
        identity = frame_identity(codes) if method.stored.cache.limit else ""
        gain = self._exposures.gain(number)
        frame = NetworkFrame(number, codes, gain, identity)
        above = self._response.above_clip(image.pixels) if gain == 1 else 0  # shown by the shortest exposure otherwise
        empty = image.pixels[:0].copy()  # a view would keep all of them in memory
        return _Read(replace(image, pixels=empty), frame, above)

    def _ready(self, reads: list[_Read]) -> _Ready:
        """Return a window with the flows that the host can compute or has cached."""
        method = self._methods[0]
        if not method.works_ahead:
            return _Ready(reads, {})
        previous, reference, following = (read.frame for read in reads)
        return _Ready(reads, method.flows_ahead((previous, reference, following), self._layers))

    def _finish(self, task: Task, frame: HdrFrame, codes: Sequence[FloatArray], image: PlateImage) -> list[Warned]:
        """Blend with the reference's radiance, add the layers of the plate's image, and write the file."""
        if not frame.finished:
            frame = use_reference(frame, codes, task.window.exposures, self._shot.engine.reference_trust)
        check_stop()
        layers = compose(frame, self._gain, self._shot.output.layers, self._color.finish)
        check_stop()  # a file that is begun is finished
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
        beyond = clipped + frame.beyond_half
        return [*level_warnings(task.window, frame.matched), *range_warnings(task.window, beyond)]

    def _header(self, task: Task, image: PlateImage) -> dict[str, object]:
        """Return the header: the plate's metadata and the origin of the pixels."""
        return {
            **self._color.header(image.metadata),
            "f2hdr/version": f2hdr_backend.__version__,
            "f2hdr/shot": json.dumps(replace(self._shot, frames=None).to_json()),
            "f2hdr/digest": task.digest,
            "f2hdr/method": self._methods[0].digest,
            "f2hdr/ev": self._exposures.ev(task.window.reference),
            ANCHOR_GAIN: self._gain,
            "f2hdr/window": list(task.window.frames),
        }

    def _cache_warnings(self, method: Method) -> Iterator[Warned]:
        """Return the flow cache's warnings, each kind once per render."""
        for notice in method.stored.cache.take_notices():
            if notice.code not in self._reported:
                self._reported.add(notice.code)
                yield notice


_Pending = deque[tuple[Task, float, Future[list[Warned]]]]
"""Frames that are being written, with the seconds that they took."""


@dataclass
class _Lane:
    """One of the devices of a render."""

    method: Method
    plate: ReadAhead[_Read, _Ready]
    writers: ThreadPoolExecutor
    results: int
    """Maximum number of frames that wait to be written."""
    pending: _Pending = field(default_factory=deque)
    landed: float = 0.0
    """Time at which the last frame had been computed; 0 before the first."""

    @property
    def in_flight(self) -> int:
        """Maximum number of windows that are started and not waited for when the next one starts."""
        return 0 if self.method.on_host else 1


@dataclass(frozen=True)
class _Flight:
    """A window that was started."""

    task: Task
    began: float
    started: Started
    codes: list[FloatArray]
    image: PlateImage


def _written(pending: _Pending) -> Iterator[Event]:
    task, seconds, writing = pending.popleft()
    yield from writing.result()
    yield FrameDone(task.window.reference, task.path, seconds, 0, 0)


def _in_order(events: Iterator[Event], tasks: Sequence[Task]) -> Iterator[Event]:
    """Yield events as they arrive, but each FrameDone only after those of all earlier tasks."""
    done: dict[int, FrameDone] = {}
    coming = deque(task.window.reference for task in tasks)
    for event in events:
        if not isinstance(event, FrameDone):
            yield event
            continue
        done[event.frame] = event
        while coming and coming[0] in done:
            yield done.pop(coming.popleft())
