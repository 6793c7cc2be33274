"""Frames of one settled shot on one device: read ahead, compute, write behind."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import f2hdr_backend
from f2hdr_backend.engine.blend import use_reference
from f2hdr_backend.engine.features import NetworkFrame
from f2hdr_backend.engine.layers import anchor_gain, compose
from f2hdr_backend.engine.method import HdrFrame, Method
from f2hdr_backend.engine.plate_color import PlateColor
from f2hdr_backend.engine.read_ahead import ReadAhead
from f2hdr_backend.engine.window import Window, settled_exposures
from f2hdr_backend.image.frame import FloatArray, Plate, PlateImage
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.events import Event, FrameDone, Warned
from f2hdr_backend.shot.frames import Sequence as FrameSequence


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


_Reads = tuple[_Read, _Read, _Read]


class Pipeline:
    """Makes frames of one settled shot with one method."""

    def __init__(self, method: Method, shot: Shot, plate: Plate, color: PlateColor) -> None:
        self._method = method
        self._shot = shot
        self._plate = color.in_light(plate)
        self._color = color
        self._exposures = settled_exposures(shot)
        self._gain = anchor_gain(shot.output.anchor, self._exposures)
        self._response = color.response
        self._said: set[str] = set()

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        """Make frames in order. A FrameDone, its counts still 0, comes when its file is complete.

        Raises:
            ImageError, OutOfMemory: a frame that cannot be read, written or computed.
        """
        pending: deque[tuple[Task, float, Future[list[Warned]]]] = deque()
        windows = [task.window.frames for task in tasks]
        plan = self._method.plan(self._plate.size)
        readers = plan.readers if FrameSequence.is_pattern(self._shot.plate) else 1  # movies are decoded in order
        with (
            ReadAhead(self._read, windows, readers) as plate,
            ThreadPoolExecutor(plan.writers, "write-behind") as writers,
        ):
            for task in tasks:
                reads = plate.take(task.window.frames)
                began = time.monotonic()
                frame = yield from self._reconstructed(task.window, reads)
                seconds = time.monotonic() - began
                # Not the frames themselves: what they keep on the device must not wait for a disk.
                codes = [read.frame.codes for read in reads]
                pending.append((task, seconds, writers.submit(self._finish, task, frame, codes, reads[1].image)))
                yield from self._input_warnings(task.window, reads[1])
                yield from self._cache_warnings()
                while len(pending) > plan.writers:
                    yield from _written(pending)
            while pending:
                yield from _written(pending)
        self._method.stored.finish()
        yield from self._cache_warnings()

    def _read(self, number: int) -> _Read:
        image = self._plate.read(number)
        frame = NetworkFrame(number, self._response.to_network(image.pixels), self._exposures.gain(number))
        if self._method.stored.cache.limit:
            _ = frame.identity  # here it costs the device no time
        above = self._response.above_clip(image.pixels)
        return _Read(replace(image, pixels=image.pixels[:0].copy()), frame, above)  # a view would hold all of them

    def _reconstructed(self, window: Window, reads: _Reads) -> Generator[Event, None, HdrFrame]:
        """The frame, with a leaner plan as often as memory runs out."""
        frames = (reads[0].frame, reads[1].frame, reads[2].frame)
        frame = yield from self._method.fit(frames, occlusions="occlusion" in self._shot.output.layers)
        if frame.redone:
            message = "Half precision overflowed; the frame was computed again in float32."
            yield Warned("redone_fp32", message, window.reference)
        return frame

    def _finish(self, task: Task, frame: HdrFrame, codes: Sequence[FloatArray], image: PlateImage) -> list[Warned]:
        """Blend with the reference's own light, by the window's ``codes``, and write beside ``image``'s layers."""
        frame = use_reference(frame, codes, task.window.exposures, self._shot.engine.reference_trust)
        layers = compose(frame, self._gain, self._shot.output.layers, self._color.finish)
        for name, values in image.layers.items():
            layers.setdefault(name, values)
        output = self._shot.output
        clipped = write_exr(
            task.path, layers, self._header(task, image), pixel_type=output.pixel_type, compression=output.compression
        )
        if not clipped:
            return []
        message = f"{clipped} pixels lie beyond what half floats hold; write --pixel-type float."
        return [Warned("half_range", message, task.window.reference)]

    def _header(self, task: Task, image: PlateImage) -> dict[str, object]:
        """The plate's own metadata and where these pixels come from."""
        return {
            **self._color.header(image.metadata),
            "f2hdr/version": f2hdr_backend.__version__,
            "f2hdr/shot": json.dumps(replace(self._shot, frames=None).to_json()),
            "f2hdr/digest": task.digest,
            "f2hdr/method": self._method.digest,
            "f2hdr/ev": self._exposures.ev(task.window.reference),
            "f2hdr/anchor_gain": self._gain,
            "f2hdr/window": list(task.window.frames),
        }

    def _cache_warnings(self) -> Iterator[Warned]:
        """What keeping flows met with, each kind once a render."""
        for notice in self._method.stored.cache.take_notices():
            if notice.code not in self._said:
                self._said.add(notice.code)
                yield notice

    def _input_warnings(self, window: Window, read: _Read) -> Iterator[Warned]:
        if read.image.nonfinite:
            message = f"{read.image.nonfinite} pixels of {read.image.path} were NaN or Inf and were replaced."
            yield Warned("nonfinite", message, window.reference)
        if read.above_clip:
            message = f"{read.above_clip} pixels of {read.image.path} lie above the clip level; their light is lost."
            yield Warned("above_clip", message, window.reference)


def _written(pending: deque[tuple[Task, float, Future[list[Warned]]]]) -> Iterator[Event]:
    task, seconds, writing = pending.popleft()
    yield from writing.result()
    yield FrameDone(task.window.reference, task.path, seconds, 0, 0)
