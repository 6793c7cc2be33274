"""Movies that a decoder process opens and reads (see ``image.decoder_processes``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

from f2hdr_backend.image.decoder_processes import Decoder, Decoders
from f2hdr_backend.image.frame import Encoding, PlateImage, file_identity, require_frames
from f2hdr_backend.image.movie.plate import MoviePlate
from f2hdr_backend.shot.frames import FrameRange

T = TypeVar("T")


@dataclass(frozen=True)
class _Facts:
    frames: FrameRange
    size: tuple[int, int]
    default_encoding: Encoding


class IsolatedMovie:
    """A movie as a Plate (see there for its members), with its own decoder while it is open.

    If a frame ends the decoder, UnreadableFrame is raised; the next frame is read by a new decoder.
    """

    missing: tuple[int, ...] = ()

    def __init__(self, path: str, place: Decoders) -> None:
        self.name = path
        self._place = place
        self._lock = Lock()
        self._decoder: Decoder | None = None
        with self._lock:
            facts = self._opened()
        self.frames = facts.frames
        self.size = facts.size
        self.default_encoding = facts.default_encoding

    def require(self, frames: Iterable[int]) -> None:
        """Raise MissingFrames unless the movie is long enough for every one of ``frames``."""
        require_frames(self.name, self.frames, frames)

    def read(self, number: int) -> PlateImage:
        """Return one frame. Raises MissingFrames or UnreadableFrame."""
        self.require([number])
        with self._lock:
            if self._decoder is None:
                self._opened()
            return self._call(_read, number)

    def identity(self, number: int) -> str:
        """Return name, size and time of change of the movie, and the frame number. Raises UnreadableFrame."""
        return f"{file_identity(self.name)}:{number}"

    def exposure_metadata(self) -> None:
        """Return None: movies do not state exposures frame by frame."""

    def close(self) -> None:
        """Close the movie."""
        with self._lock:
            if self._decoder is not None:
                self._call(_close)
            self._release()

    def _opened(self) -> _Facts:
        self._decoder = self._place.take(self.name)
        try:
            return self._call(_open)
        except BaseException:
            self._release()
            raise

    def _call(self, function: Callable[..., T], *arguments: int) -> T:
        assert self._decoder is not None
        try:
            return self._decoder.call(function, self.name, *arguments)
        finally:
            if not self._decoder.is_alive:
                self._release()

    def _release(self) -> None:
        if self._decoder is not None:
            self._place.give_back(self._decoder)
            self._decoder = None


_plate: MoviePlate | None = None
"""The movie that is open in this decoder process."""


def _open(path: str) -> _Facts:
    global _plate
    _plate = MoviePlate(path)
    return _Facts(_plate.frames, _plate.size, _plate.default_encoding)


def _read(path: str, number: int) -> PlateImage:
    assert _plate is not None
    return _plate.read(number)


def _close(path: str) -> None:
    global _plate
    if _plate is not None:
        _plate.close()
        _plate = None
