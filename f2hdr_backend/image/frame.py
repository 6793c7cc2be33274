"""Plates and their frames: pixels, layers and metadata of a frame, and the interface of a plate."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.errors import MissingFrames, UnreadableFrame
from f2hdr_backend.shot.frames import FrameRange

Encoding = Literal["gamma22", "linear"]
MOST_ABSENT = 20
"""Missing frames for each one that is there, beyond which numbers are not consecutive at all."""


@dataclass(frozen=True)
class PlateImage:
    """One image as stored in its file, before any color conversion.

    ``pixels`` is ``(H, W, 3)`` float32, upright, and covers the plate's ``Windows.data``. Integer files and movies are
    scaled so that full scale is 1.0 (``kind`` "integer"); float files keep their values (``kind`` "float").
    ``layers`` are all other channels, each ``(H, W)`` in its own type; ``metadata`` the header attributes that describe
    the image and not its file, under their EXR names. ``nonfinite`` is the number of pixels that were NaN or Inf
    and were replaced (see ``read_image``). ``windows`` is None if both windows are the image itself. ``notes``
    are sentences for the user about content that was not read.
    """

    number: int
    path: str
    pixels: FloatArray
    kind: Literal["integer", "float"]
    layers: dict[str, NDArray[Any]] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    nonfinite: int = 0
    windows: Windows | None = None
    notes: tuple[str, ...] = ()

    def displayed(self) -> PlateImage:
        """Return the part of the image inside the display window; pixels without data are 0."""
        if self.windows is None:
            return self
        (left, top, _, _), shown = self.windows.data, self.windows.display
        rows, columns = slice(shown[1] - top, shown[3] - top + 1), slice(shown[0] - left, shown[2] - left + 1)
        layers = {name: plane[rows, columns] for name, plane in self.layers.items()}
        return replace(self, pixels=self.pixels[rows, columns], layers=layers, windows=None)


Box = tuple[int, int, int, int]
"""(left, top, right, bottom) in pixels, all inclusive."""


@dataclass(frozen=True)
class Windows:
    """The area with pixels (``data``) and the area of the image (``display``)."""

    data: Box
    display: Box


class Plate(Protocol):
    """Numbered images of one size; ``read`` may be called from several threads at once."""

    @property
    def name(self) -> str:
        """The pattern or the path, as a user would write it."""

    @property
    def frames(self) -> FrameRange:
        """The existing frames."""

    @property
    def missing(self) -> tuple[int, ...]:
        """The missing frames between the first and the last; only the first of them if there are many."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the first frame in pixels; all other frames must have the same size."""

    @property
    def default_encoding(self) -> Encoding:
        """Encoding of the pixels if none is given: "linear" for float files, or else "gamma22"."""

    def require(self, frames: Iterable[int]) -> None:
        """Raise MissingFrames, which lists them, unless all ``frames`` exist."""

    def read(self, number: int) -> PlateImage:
        """Return one frame. Raises MissingFrames or UnreadableFrame."""

    def identity(self, number: int) -> str:
        """Return a text that changes with the frame's file; does not decode the file."""

    def exposure_metadata(self) -> dict[int, float] | None:
        """Return each frame's exposure in stops from the file headers, or None if a header has none.

        Only differences are meaningful: the origin is arbitrary. A higher value is a longer exposure.
        """

    def close(self) -> None:
        """Close the files."""


def whole_range(plate: Plate) -> FrameRange:
    """Return all frames from the first to the last of a plate.

    Raises MissingFrames if more frames are missing than are there, as if the numbers were time stamps; the memory
    that this takes does not depend on the numbers.
    """
    frames, there = plate.frames, len(plate.frames)
    absent = frames.last - frames.first + 1 - there
    if absent > MOST_ABSENT * there:
        raise MissingFrames(
            f'The numbers of "{plate.name}" go from {frames.first} to {frames.last}, but it has {there} frames.',
            hint="If the numbers are time stamps, copy or link the files under consecutive numbers; "
            "else choose frames with --frames.",
            frames=plate.missing,
            path=plate.name,
        )
    return FrameRange(tuple(range(frames.first, frames.last + 1)))


def require_frames(name: str, there: FrameRange, wanted: Iterable[int]) -> None:
    """Raise MissingFrames unless ``there`` contains every frame in ``wanted``."""
    absent = FrameRange(tuple(set(wanted).difference(there)))
    if absent:
        count = f"{len(absent)} frames" if len(absent) > 1 else "1 frame"
        raise MissingFrames(
            f'{count} of "{name}" cannot be found: {absent}.',
            hint=f"The plate has frames {there}; add the files or choose other frames.",
            frames=absent.frames,
            path=name,
        )


def file_identity(path: str) -> str:
    """Return name, size and modification time of a file, without its folder. Raises UnreadableFrame if it is
    missing.
    """
    try:
        facts = os.stat(path)
    except OSError as error:
        raise unreadable(path, error.strerror or str(error), "Check the path and the permissions.") from error
    return f"{os.path.basename(path)}:{facts.st_size}:{facts.st_mtime_ns}"


def unreadable(path: str, reason: str, action: str, frame: int | None = None) -> UnreadableFrame:
    """Return the error for a file that cannot be read; ``reason`` follows the words "cannot be read:"."""
    facts = {} if frame is None else {"frame": frame}
    return UnreadableFrame(f'"{path}" cannot be read: {reason.rstrip(".")}.', hint=action, path=path, **facts)
