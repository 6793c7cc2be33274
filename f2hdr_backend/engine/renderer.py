"""Renders a Shot to EXR files and reports the progress as events."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from f2hdr_backend.color.plate import open_color
from f2hdr_backend.engine import settle
from f2hdr_backend.engine.digest import frame_digest
from f2hdr_backend.engine.method.base import Method
from f2hdr_backend.engine.method.choose import open_method
from f2hdr_backend.engine.method.quality import choice
from f2hdr_backend.engine.pipeline import Pipeline, Task
from f2hdr_backend.engine.record import Record, wrote
from f2hdr_backend.engine.rerun import request_key
from f2hdr_backend.engine.window import settled_exposures, window_of
from f2hdr_backend.image.frame import Plate
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.image.write import read_header
from f2hdr_backend.machine.device import pick_devices
from f2hdr_backend.shot.document import Engine, Shot
from f2hdr_backend.shot.errors import ImageError, ShotError, UnwritableFrame
from f2hdr_backend.shot.events import Event, FrameDone, FrameSkipped, RenderFinished, RenderStarted, Warned, report_once
from f2hdr_backend.shot.frames import FrameRange, Sequence


class Renderer:
    """Weights, devices and flow estimator, opened once to render many shots with the same engine settings."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.methods: list[Method] = [open_method(engine, device) for device in pick_devices(engine.device)]

    def render(self, shot: Shot, frames: FrameRange | None = None, *, force: bool = False) -> Generator[Event]:
        """Render ``frames`` of ``shot``; by default all frames of the Shot.

        Existing frames with the same inputs and settings are skipped unless ``force``. Frames are written atomically:
        stopping the iteration or the process leaves no partial frame.

        Raises:
            ShotError, ImageError, DeviceError: see ``shot.errors``. The request is checked before the first frame is
            rendered.
        """
        plate = open_plate(shot.plate, shot.layer)
        try:
            wanted = frames or settle.frames_of(shot, plate)
            request = request_key(shot, plate, wanted)
            shot, settled = settle.settle_checked(shot, plate, wanted)
            for method in self.methods:
                method.plan_anew()
            record = Record(shot, wanted, request)
            run = _Run(self.methods, shot, plate, wanted)
            for event in chain(settled, report_once(run.events(force))):
                record.note(event)
                yield event
            record.write(run.digests)
        finally:
            plate.close()


class _Run:
    """The render of one settled shot."""

    def __init__(self, methods: list[Method], shot: Shot, plate: Plate, frames: FrameRange) -> None:
        self._methods = methods
        self._shot = shot
        self._plate = plate
        self._color = open_color(shot.color, plate)
        self._frames = frames
        self._output = Sequence.parse(shot.output.pattern)
        self.digests: dict[int, str] = {}
        """By frame, once the events have begun."""

    def events(self, force: bool) -> Iterator[Event]:
        """Report the frames that are already done, then render the others."""
        began = time.monotonic()
        tasks = [self._task(frame) for frame in self._frames]
        self.digests = {task.window.reference: task.digest for task in tasks}
        finished = [task for task in tasks if not force and _is_done(task)]
        there = {task.window.reference for task in finished}
        todo = [task for task in tasks if task.window.reference not in there]
        if not force:
            yield from _replaced(todo)
        yield self._started(len(tasks), len(finished))
        yield from self._methods[0].warnings(settled_exposures(self._shot))
        done = 0
        for task in finished:
            done += 1
            yield FrameSkipped(task.window.reference, task.path, done, len(tasks))
        for event in Pipeline(self._methods, self._shot, self._plate, self._color).run(todo):
            if isinstance(event, FrameDone):
                done += 1
                event = replace(event, done=done, total=len(tasks))
            yield event
        self._require_all()
        yield RenderFinished(len(todo), len(finished), time.monotonic() - began)

    def _require_all(self) -> None:
        """Raise UnwritableFrame if a frame is missing at the end: its folder may have been moved or deleted
        meanwhile.
        """
        missing = FrameRange(self._output.missing(self._frames))
        if missing:
            raise UnwritableFrame(
                f'{len(missing)} frames that were written are no longer in "{self._output}": {missing}.',
                hint="Check whether the folder was moved or deleted, then render again; finished frames are kept.",
                frames=missing.frames,
                path=str(self._output),
            )

    def _started(self, total: int, done_before: int) -> RenderStarted:
        method, size = self._methods[0], self._plate.size
        devices = ",".join(str(each.device) for each in self._methods)
        plans = [each.plan(size) for each in self._methods]
        chosen = choice(self._shot.engine, size)
        return RenderStarted(
            total,
            done_before,
            size,
            devices,
            method.precision,
            method.name,
            method.flow_name,
            str(plans[0]),
            chosen.quality,
            chosen.seconds,
            chosen.next_quality,
            chosen.next_seconds,
        )

    def _task(self, frame: int) -> Task:
        window = window_of(frame, self._shot, self._plate.frames)
        files = [self._plate.identity(number) for number in window.frames]
        digest = frame_digest(self._shot, window, self._methods[0].digest, files, self._color.digest)
        return Task(window, self._output.path(frame), digest)


def _replaced(tasks: list[Task]) -> Iterator[Warned]:
    """Yield a warning about frames of other settings that will be replaced.

    Raises ShotError if there are files that F2HDR did not write.
    """
    there = [task for task in tasks if os.path.exists(task.path)]
    foreign = [task for task in there if not wrote(task.path)]
    if foreign:
        raise ShotError(
            f'{len(foreign)} files of the output are there already, and F2HDR did not write them: "{foreign[0].path}".',
            hint="Write to another folder or name; --force replaces them.",
            frames=tuple(task.window.reference for task in foreign),
            path=foreign[0].path,
        )
    if there:
        frames = FrameRange(tuple(task.window.reference for task in there))
        message = f"Frames of other inputs or settings are rendered again and replaced: {frames}."
        yield Warned("frames_replaced", message)


def _is_done(task: Task) -> bool:
    """Return whether the file exists and was rendered from the same inputs and settings."""
    if not Path(task.path).exists():
        return False
    try:
        return read_header(task.path).get("f2hdr/digest") == task.digest
    except ImageError:
        return False
