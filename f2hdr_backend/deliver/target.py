"""The output of a delivery: a movie or an image sequence, with color tags."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from types import ModuleType

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.display_tags import PQ, LightLevel, Signal
from f2hdr_backend.image.metadata import Header
from f2hdr_backend.image.png import write_tagged_png
from f2hdr_backend.image.write import write_image
from f2hdr_backend.shot.errors import DocumentError, ImageError
from f2hdr_backend.shot.frames import Sequence

MOVIES = (".mov", ".mp4")
PICTURES = (".png", ".tif", ".tiff")

Add = Callable[[int, FloatArray], str]
"""Writes a frame, given its number and its ``(H, W, 3)`` display code values; returns the path."""


@dataclass(frozen=True)
class Pictures:
    """Numbered 16-bit PNG with a ``cICP`` chunk, or TIFF, which has no tags for display encodings."""

    sequence: Sequence
    signal: Signal
    aspect: float = 1.0
    """Width of a pixel over its height."""
    takes_light = False

    @property
    def words(self) -> str:
        """Description of format and tags."""
        if self._is_png:
            return f"16-bit PNG, tagged {self.signal.name}"
        return f"16-bit TIFF of {self.signal.name} values, untagged"

    @contextmanager
    def opened(self, light: LightLevel | None = None) -> Iterator[Add]:
        """Yield a function that writes one image. Raises UnwritableFrame."""

        def add(number: int, rgb: FloatArray) -> str:
            path = self.sequence.path(number)
            if self._is_png:
                write_tagged_png(path, rgb, self.signal, self.aspect)
            else:
                write_image(path, rgb, 16, self.aspect)
            return path

        yield add

    @property
    def _is_png(self) -> bool:
        return self.sequence.suffix.lower().endswith(".png")


@dataclass(frozen=True)
class Movie:
    """One movie file; ``codec`` is prores or hevc."""

    path: str
    codec: str
    size: tuple[int, int]
    rate: Fraction
    signal: Signal
    metadata: Header = field(default_factory=dict)
    """Header of the first frame, for timecode and pixel aspect ratio."""

    @property
    def takes_light(self) -> bool:
        """Whether the movie has light level metadata."""
        return self.signal.transfer == PQ

    @property
    def words(self) -> str:
        """Description of codec, rate and tags."""
        names = {"prores": "ProRes 422 HQ", "hevc": "HEVC 4:2:0"}
        rate = f"{float(self.rate):.6g}"
        return f"{names[self.codec]}, 10 bits, {rate} frames/s, tagged {self.signal.name}, limited range"

    @contextmanager
    def opened(self, light: LightLevel | None = None) -> Iterator[Add]:
        """Yield a function that appends one frame; the movie appears if the block ends without an exception.

        Raises UnwritableFrame.
        """
        writing = _movie_writing(self.path)
        movie = writing.MovieFormat(self.codec, self.size, self.rate, self.signal, light, self.metadata)
        with writing.movie_writer(self.path, movie) as writer:

            def add(number: int, rgb: FloatArray) -> str:
                writer.add(rgb)
                return self.path

            yield add


@dataclass(frozen=True)
class Wish:
    """The requested target: path or pattern, codec of a movie, and frames per second."""

    output: str
    codec: str
    rate: Fraction
    metadata: Header = field(default_factory=dict)
    """Header of the first frame."""


def target_of(wish: Wish, size: tuple[int, int], signal: Signal) -> Movie | Pictures:
    """Return the target for frames of ``size`` (width, height).

    Raises DocumentError for an output that is neither a movie nor an image sequence, ImageError for a codec that does
    not support the file format or the size.
    """
    output = wish.output
    if output.lower().endswith(MOVIES):
        writing = _movie_writing(output)
        codec = writing.codec_for(output, wish.codec)
        writing.check_size(output, codec, size)
        return Movie(output, codec, size, wish.rate, signal, wish.metadata)
    if Sequence.is_pattern(output) and output.lower().endswith(PICTURES):
        return Pictures(Sequence.parse(output), signal, float(wish.metadata.get("pixelAspectRatio", 1.0)))
    stem = os.path.splitext(output)[0].rstrip("#.") or "out"
    raise DocumentError(
        f'"{output}" is neither a movie nor an image sequence.',
        hint=f'Use "{stem}.mov", "{stem}.mp4", "{stem}.####.png" or "{stem}.####.tif".',
        field="output",
    )


def _movie_writing(path: str) -> ModuleType:
    """Return the module that writes movies."""
    try:
        from f2hdr_backend.image.movie import writer as movie_writer
    except ModuleNotFoundError as error:
        if error.name != "av":
            raise
        raise ImageError(
            f'"{path}" is a movie, but the library that writes movies is not installed.',
            hint='Run: pip install "f2hdr[media]"',
            path=path,
        ) from error
    return movie_writer
