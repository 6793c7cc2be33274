"""Plates and their frames: pixels, layers and metadata of each frame, and the protocol of a plate."""

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


@dataclass(frozen=True)
class PlateImage:
    """One picture as stored in its file, before any color conversion.

    ``pixels`` is ``(H, W, 3)`` float32, upright, and covers the plate's ``Windows.data``. Integer files and movies are
    scaled so that full scale is 1.0 (``kind`` "integer"); float files keep their values (``kind`` "float").
    ``layers`` are all other channels, each ``(H, W)`` in its own type; ``metadata`` the header attributes that belong
    to the picture and not to its file, under their EXR names. ``nonfinite`` counts the pixels that were NaN or Inf
    and were replaced (see ``read_image``). ``windows`` is None where both windows are the picture itself. ``notes``
    are sentences for the user about what was not read.
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
        """Return the part of the picture inside the display window; pixels that are not there are 0."""
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
    """Where the pixels of a picture are (``data``) and the part of the plane that is the picture (``display``)."""

    data: Box
    display: Box


class Plate(Protocol):
    """Numbered pictures of one size; ``read`` may be called from several threads at once."""

    @property
    def name(self) -> str:
        """The pattern or the path, as a user would write it."""

    @property
    def frames(self) -> FrameRange:
        """The frames that are there."""

    @property
    def missing(self) -> tuple[int, ...]:
        """The frames between the first and the last that are not there."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the first frame, in pixels; every other frame must have it too."""

    @property
    def default_encoding(self) -> Encoding:
        """How pixels are coded when nobody says: "linear" for float files, else "gamma22"."""

    def require(self, frames: Iterable[int]) -> None:
        """Raise MissingFrames, naming all of them, unless every one of ``frames`` is there."""

    def read(self, number: int) -> PlateImage:
        """Return one frame. Raises MissingFrames or UnreadableFrame."""

    def identity(self, number: int) -> str:
        """Return a text that changes when the frame's file does; costs no decoding."""

    def exposure_metadata(self) -> dict[int, float] | None:
        """Return each frame's exposure in stops as its file tells it, or None unless all of them do.

        Only differences mean something: the zero is arbitrary. More light is a higher value.
        """

    def close(self) -> None:
        """Let go of open files."""


def require_frames(name: str, there: FrameRange, wanted: Iterable[int]) -> None:
    """Raise MissingFrames unless ``there`` holds every frame in ``wanted``."""
    absent = FrameRange(tuple(set(wanted).difference(there)))
    if absent:
        count = f"{len(absent)} frames" if len(absent) > 1 else "1 frame"
        raise MissingFrames(
            f'{count} of "{name}" cannot be found: {absent}.',
            hint=f"The plate has {there}; add the files or choose other frames.",
            frames=absent.frames,
            path=name,
        )


def file_identity(path: str) -> str:
    """Return name, size and time of change of a file, wherever its folder is mounted. UnreadableFrame if it is gone."""
    try:
        facts = os.stat(path)
    except OSError as error:
        raise unreadable(path, error.strerror or str(error), "Check the path and the permissions.") from error
    return f"{os.path.basename(path)}:{facts.st_size}:{facts.st_mtime_ns}"


def unreadable(path: str, reason: str, action: str, frame: int | None = None) -> UnreadableFrame:
    """Return the error for a file that gives no picture; ``reason`` goes on after "cannot be read:"."""
    facts = {} if frame is None else {"frame": frame}
    return UnreadableFrame(f'"{path}" cannot be read: {reason.rstrip(".")}.', hint=action, path=path, **facts)
