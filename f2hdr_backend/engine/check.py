"""Check whether rendered frames exist and are correct: complete, finite, of the plate's size, from the Shot's
inputs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from f2hdr_backend.engine.digest import frame_digest
from f2hdr_backend.engine.settle import is_settled
from f2hdr_backend.engine.window import window_of
from f2hdr_backend.image.frame import Plate
from f2hdr_backend.image.read import open_plate, read_image
from f2hdr_backend.image.write import read_header
from f2hdr_backend.shot.atomic import unfinished
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import DocumentError, F2HDRError, ImageError
from f2hdr_backend.shot.events import FrameChecked
from f2hdr_backend.shot.frames import FrameRange, Sequence

READERS = 4
"""Frames read at the same time."""
OWN_LAYERS = ("forward", "backward", "motion_mask", "occlusion", "coarse")
"""Layers that F2HDR computes and therefore checks; other layers come from the plate and may contain any value."""


def check(shot: Shot, frames: FrameRange | None = None) -> Iterator[FrameChecked]:
    """Check every frame of a settled Shot; by default all frames of the Shot.

    A frame is correct if its file is complete, its pixels are finite, its size is that of the plate, and its digest is
    the one computed from the Shot and the plate's files. All frames must have the same weights, flow, precision and
    color config as the first one.

    Raises:
        DocumentError: the Shot has no output pattern, or is not settled.
        ShotError, ImageError: the plate cannot be opened.
    """
    if not shot.output.pattern:
        raise DocumentError("The Shot has no output pattern.", hint="Prepare it with --render-to.", field="output")
    if not is_settled(shot):
        raise DocumentError(
            "The Shot is not settled, so its frames cannot be checked.",
            hint="Prepare it first: f2hdr prepare SHOT.json -o prepared.json.",
        )
    plate = open_plate(shot.plate, shot.layer)
    try:
        wanted = frames or shot.frames or plate.frames
        checker = _Checker(shot, plate)
        first = ""
        with ThreadPoolExecutor(READERS) as readers:
            for done, (frame, found) in enumerate(zip(wanted, readers.map(checker.look, wanted), strict=True), 1):
                first = first or found.method
                problem = found.problem
                if not problem and found.method != first:
                    problem = "it was rendered with other weights, flow, precision or color config than the first frame"
                yield FrameChecked(frame, checker.path(frame), problem, found.method, done, len(wanted))
    finally:
        plate.close()


def verify(shot: Shot, frames: FrameRange | None = None, *, sweep: bool = False) -> Iterator[FrameChecked]:
    """Check every frame as ``check`` does; at the end raise ImageError with all incorrect frames, if there are any.

    The fact ``problems`` of the error maps frame numbers to descriptions. ``sweep`` deletes temporary files that killed
    renders of these frames left; no other process may be rendering them.
    """
    checked = []
    for event in check(shot, frames):
        checked.append(event)
        yield event
    if sweep:
        for path in leftovers(shot, [event.frame for event in checked]):
            with suppress(FileNotFoundError):  # another process has deleted it
                os.unlink(path)
    wrong = {event.frame: event.problem for event in checked if event.problem}
    if wrong:
        raise _not_right(wrong, len(checked))


def leftovers(shot: Shot, frames: Iterable[int]) -> list[str]:
    """Return the temporary files that a killed render of ``frames`` left in the output folder, sorted."""
    sequence = Sequence.parse(shot.output.pattern)
    found = []
    for frame in frames:
        folder, name = os.path.split(sequence.path(frame))
        found += unfinished(folder, name=name)
    return sorted(found)


def _not_right(wrong: dict[int, str], total: int) -> ImageError:
    numbers = FrameRange(tuple(wrong))
    first = numbers.first
    return ImageError(
        f"{len(wrong)} of {total} frames are not correct: {numbers}. Frame {first}: {wrong[first]}.",
        hint=f"Render them again with --frames {numbers}.",
        frames=numbers.frames,
        problems=wrong,
    )


@dataclass(frozen=True)
class _Found:
    problem: str
    method: str = ""


class _Checker:
    """Checks single frames; thread-safe."""

    def __init__(self, shot: Shot, plate: Plate) -> None:
        self._shot = shot
        self._plate = plate
        self._output = Sequence.parse(shot.output.pattern)

    def path(self, frame: int) -> str:
        return self._output.path(frame)

    def look(self, frame: int) -> _Found:
        path = self.path(frame)
        if not os.path.exists(path):
            return _Found("the file does not exist")
        try:
            header = read_header(path)
            problem = self._pixels(path) or self._origin(frame, header)
        except F2HDRError as error:
            return _Found(error.message.rstrip("."))
        return _Found(problem, f"{header.get('f2hdr/method', '')} {header.get('f2hdr/color_digest', '')}".strip())

    def _pixels(self, path: str) -> str:
        image = read_image(path)
        height, width, _ = image.pixels.shape
        if (width, height) != self._plate.size:
            return f"it is {width} x {height}, but the plate is {self._plate.size[0]} x {self._plate.size[1]}"
        own = (values for name, values in image.layers.items() if name.partition(".")[0] in OWN_LAYERS)
        if image.nonfinite or not all(np.isfinite(values).all() for values in own):
            return "it contains NaN or Inf"
        return ""

    def _origin(self, frame: int, header: dict[str, Any]) -> str:
        if "f2hdr/digest" not in header:
            return "its header has no f2hdr/digest"
        window = window_of(frame, self._shot, self._plate.frames)
        files = [self._plate.identity(number) for number in window.frames]
        made_by = (str(header.get("f2hdr/method", "")), files, str(header.get("f2hdr/color_digest", "")))
        expected = frame_digest(self._shot, window, *made_by)
        return "" if header["f2hdr/digest"] == expected else "it was rendered from other inputs or settings"
