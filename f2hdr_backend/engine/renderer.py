"""A Shot and a frame range to EXR files, one event a frame."""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import f2hdr_backend
from f2hdr_backend.engine import settle
from f2hdr_backend.engine.blend import use_reference
from f2hdr_backend.engine.layers import anchor_gain, compose
from f2hdr_backend.engine.read_ahead import ReadAhead
from f2hdr_backend.engine.reconstruct import HdrFrame, Method, open_method
from f2hdr_backend.engine.window import Window, settled_exposures, window_of
from f2hdr_backend.image.frame import Plate, PlateImage
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.image.response import Response
from f2hdr_backend.image.write import read_header, write_exr
from f2hdr_backend.shot.document import Engine, Shot
from f2hdr_backend.shot.errors import ImageError
from f2hdr_backend.shot.events import Event, FrameDone, FrameSkipped, RenderFinished, RenderStarted, Warned
from f2hdr_backend.shot.frames import FrameRange, Sequence

WRITES_PENDING = 2
"""Frames that may wait to be written before the next is computed."""
PIXELS_VERSION = 1
"""Raised whenever the same inputs and settings begin to give other pixels."""


class Renderer:
    """Weights, device and flow estimator, opened once; renders many shots with the same engine settings."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._method: Method = open_method(engine)

    def render(self, shot: Shot, frames: FrameRange | None = None, *, force: bool = False) -> Iterator[Event]:
        """Render ``frames`` of ``shot``, by default all of its own.

        Frames that are already there, made from the same inputs and settings, are skipped unless ``force``. A frame is
        complete or not there: stopping the iteration or the process leaves no partial file.

        Raises:
            ShotError, ImageError, DeviceError: see ``shot.errors``; checks come before any work.
        """
        plate = open_plate(shot.plate)
        try:
            wanted = frames or shot.frames or FrameRange(tuple(range(plate.frames.first, plate.frames.last + 1)))
            settle.check_request(shot, plate, wanted)
            shot, told = settle.settle(shot, plate, wanted)
            settle.check_windows(shot, plate, wanted)
            yield from told
            yield from _Run(self._method, shot, plate, wanted).events(force)
        finally:
            plate.close()


@dataclass(frozen=True)
class _Task:
    """One frame to make."""

    window: Window
    path: str
    digest: str


class _Run:
    """One render of one settled shot."""

    def __init__(self, method: Method, shot: Shot, plate: Plate, frames: FrameRange) -> None:
        self._method = method
        self._shot = shot
        self._plate = plate
        self._frames = frames
        self._exposures = settled_exposures(shot)
        self._gain = anchor_gain(shot.output.anchor, self._exposures)
        self._response = Response(shot.color.input_space, shot.color.clip_level)
        self._output = Sequence.parse(shot.output.pattern)

    def events(self, force: bool) -> Iterator[Event]:
        """Skip what is done, then make the rest in order."""
        began = time.monotonic()
        tasks = [self._task(frame) for frame in self._frames]
        finished = [task for task in tasks if not force and _is_done(task)]
        todo = [task for task in tasks if task not in finished]
        yield RenderStarted(
            len(tasks), len(finished), self._plate.size, str(self._method.device), self._method.precision,
            self._method.name, self._method.flow_name,
        )  # fmt: skip
        yield from self._method.warnings(self._exposures)
        done = 0
        for task in finished:
            done += 1
            yield FrameSkipped(task.window.reference, task.path, done, len(tasks))
        for event in self._made(todo):
            if isinstance(event, FrameDone):
                done += 1
                event = FrameDone(event.frame, event.path, event.seconds, done, len(tasks))
            yield event
        seconds = time.monotonic() - began
        yield RenderFinished(len(todo), len(finished), seconds)

    def _made(self, tasks: list[_Task]) -> Iterator[Event]:
        """Read ahead, compute, write behind; a FrameDone comes when its file is complete."""
        reads = [task.window.frames for task in tasks]
        pending: deque[tuple[_Task, float, Future[list[Warned]]]] = deque()
        with ReadAhead(self._plate, reads) as pictures, ThreadPoolExecutor(WRITES_PENDING) as writers:
            for task in tasks:
                began = time.monotonic()
                images = pictures.take(task.window.frames)
                frame = self._reconstruct(task.window, images)
                pending.append((task, time.monotonic() - began, writers.submit(self._write, task, frame, images[1])))
                yield from self._input_warnings(task.window, images[1])
                while len(pending) > WRITES_PENDING:
                    yield from _written(pending)
            while pending:
                yield from _written(pending)

    def _reconstruct(self, window: Window, images: tuple[PlateImage, PlateImage, PlateImage]) -> HdrFrame:
        codes = np.stack([self._response.to_network(image.pixels) for image in images])
        hidden = "occlusion" in self._shot.output.layers
        frame = self._method(codes, window.exposures, occlusions=hidden)
        return use_reference(frame, codes, window.exposures, self._shot.engine.reference_trust)

    def _write(self, task: _Task, frame: HdrFrame, image: PlateImage) -> list[Warned]:
        layers = compose(frame, self._gain, self._shot.output.layers)
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

    def _header(self, task: _Task, image: PlateImage) -> dict[str, object]:
        """The plate's own metadata and where these pixels come from."""
        return {
            **image.metadata,
            "f2hdr/version": f2hdr_backend.__version__,
            "f2hdr/shot": json.dumps(replace(self._shot, frames=None).to_json()),
            "f2hdr/digest": task.digest,
            "f2hdr/method": self._method.digest,
            "f2hdr/ev": self._exposures.ev(task.window.reference),
            "f2hdr/anchor_gain": self._gain,
            "f2hdr/window": list(task.window.frames),
        }

    def _input_warnings(self, window: Window, image: PlateImage) -> Iterator[Warned]:
        if image.nonfinite:
            message = f"{image.nonfinite} pixels of {image.path} were NaN or Inf and were replaced."
            yield Warned("nonfinite", message, window.reference)
        above = self._response.above_clip(image.pixels)
        if above:
            message = f"{above} pixels of {image.path} lie above the clip level; their light is lost."
            yield Warned("above_clip", message, window.reference)

    def _task(self, frame: int) -> _Task:
        window = window_of(frame, self._shot, self._plate.frames)
        facts = {
            "pixels": PIXELS_VERSION,
            "shot": self._shot.pixel_digest_fields(),
            "method": self._method.digest,
            "window": window.frames,
            "exposures": window.exposures,
            "files": [self._plate.identity(number) for number in window.frames],
        }
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        return _Task(window, self._output.path(frame), digest)


def _written(pending: deque[tuple[_Task, float, Future[list[Warned]]]]) -> Iterator[Event]:
    task, seconds, writing = pending.popleft()
    yield from writing.result()
    yield FrameDone(task.window.reference, task.path, seconds, 0, 0)


def _is_done(task: _Task) -> bool:
    """Whether the file is there and was made from the same inputs and settings."""
    if not Path(task.path).exists():
        return False
    try:
        return read_header(task.path).get("f2hdr/digest") == task.digest
    except ImageError:
        return False
