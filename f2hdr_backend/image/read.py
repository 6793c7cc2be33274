"""Opens plates: an image from any file, numbered images from a pattern or a movie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise
from types import ModuleType

import numpy as np

from f2hdr_backend.image import dpx
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.decoder_processes import decoders
from f2hdr_backend.image.exr import cover, read_exr, read_header
from f2hdr_backend.image.exr_structure import read_windows
from f2hdr_backend.image.frame import (
    Box,
    Encoding,
    Plate,
    PlateImage,
    file_identity,
    require_frames,
    unreadable,
)
from f2hdr_backend.image.metadata import EXPOSURE_ATTRIBUTES, Header, exposure_value
from f2hdr_backend.image.still import probe_still, read_still
from f2hdr_backend.shot.errors import ImageError, UnreadableFrame
from f2hdr_backend.shot.frames import Sequence
from f2hdr_backend.shot.limits import check_image
from f2hdr_backend.shot.naming import MOVIE_SUFFIXES, RAW_SUFFIXES
from f2hdr_backend.shot.plate_files import is_movie, listed_frames, require_pattern_or_movie

MOST_MISSING = 10_000
"""Missing frames that are listed: numbers may be time stamps, which are far apart."""
__all__ = ["MOVIE_SUFFIXES", "RAW_SUFFIXES", "ReadOptions", "SequencePlate", "open_plate", "read_image"]


@dataclass(frozen=True)
class ReadOptions:
    """Options of all frames of a plate: ``white_balance`` of camera raw, ``layer`` and ``canvas`` of EXR."""

    white_balance: tuple[float, ...] | None = None
    layer: str = ""
    canvas: Box | None = None


def read_image(path: str, number: int = 0, options: ReadOptions | None = None) -> PlateImage:
    """Return the image in one file, upright: EXR, TIFF, PNG, DPX, JPEG, Radiance, camera raw and others.

    Colors are not converted; camera raw is developed (see ``raw``), with its own white balance unless ``options`` has
    another. NaN and -Inf become 0, Inf the largest finite value of its channel; these pixels are counted.
    ``number`` is the frame number. Raises UnreadableFrame, ImageError if camera raw needs an extra.
    """
    try:
        image = _read(path, options or ReadOptions())
    except UnreadableFrame as error:
        error.facts["frame"] = number
        raise
    pixels, nonfinite = _finite(image.pixels)
    return replace(image, number=number, pixels=pixels, nonfinite=nonfinite)


def open_plate(text: str, layer: str = "") -> Plate:
    """Open a pattern such as ``plate.####.exr``, or a movie file; ``layer`` selects a layer or a view of EXR frames.

    Raises ShotError for anything else (a single image has no neighbors), MissingFrames if the pattern
    matches no file, UnreadableFrame if the first frame cannot be read, ImageError if a movie needs an
    extra.
    """
    require_pattern_or_movie(text, layer)
    return _open_movie(text) if is_movie(text) else SequencePlate(Sequence.parse(text), layer)


class SequencePlate:
    """Numbered files as a plate; see the protocol ``Plate``."""

    default_encoding: Encoding

    def __init__(self, sequence: Sequence, layer: str = "") -> None:
        self.name = str(sequence)
        self.frames, left_out = listed_frames(sequence)
        self._sequence = sequence
        self._notes = _left_out(sequence, left_out)
        first = sequence.path(self.frames.first)
        canvas = self._canvas() if _is_exr(first) else None
        balance = _raw(first).white_balance(first) if _is_raw(first) else None
        self._options = ReadOptions(balance, layer, canvas)
        self.size, kind, _ = _probe(first, self._options)
        self.default_encoding = "linear" if kind == "float" else "gamma22"

    @property
    def missing(self) -> tuple[int, ...]:
        """The missing frames between the first and the last, up to 10,000."""
        gaps = (range(before + 1, after) for before, after in pairwise(self.frames))
        return tuple(islice(chain.from_iterable(gaps), MOST_MISSING))

    def require(self, frames: Iterable[int]) -> None:
        """Raise MissingFrames unless all ``frames`` have a file."""
        require_frames(self.name, self.frames, frames)

    def read(self, number: int) -> PlateImage:
        """Return one frame. Raises MissingFrames, or UnreadableFrame, also if its size differs."""
        self.require([number])
        image = read_image(self._sequence.path(number), number, self._options)
        height, width, _ = image.pixels.shape
        if (width, height) != self.size:
            first = f"{self.size[0]} x {self.size[1]} of frame {self.frames.first}"
            raise UnreadableFrame(
                f'"{image.path}" is {width} x {height}, but the plate is {first}.',
                hint="Resize all frames to one size.",
                frame=number,
                path=image.path,
            )
        return replace(image, notes=(*self._notes, *image.notes))

    def identity(self, number: int) -> str:
        """Return name, size and modification time of one frame's file. Raises UnreadableFrame if it is missing."""
        balance, canvas = self._options.white_balance, self._options.canvas
        extras = (balance, canvas if canvas and self._has_overscan else None, self._options.layer)
        return ":".join([file_identity(self._sequence.path(number)), *(str(extra) for extra in extras if extra)])

    def exposure_metadata(self) -> dict[int, float] | None:
        """Return every frame's exposure in stops, or None unless all files state it with the same attributes."""
        exposures: dict[int, float] = {}
        sources: set[frozenset[str]] = set()
        for number in self.frames:
            header = _probe(self._sequence.path(number), self._options)[2]
            value = exposure_value(header)
            sources.add(EXPOSURE_ATTRIBUTES.intersection(header))
            if value is None or len(sources) > 1:
                return None
            exposures[number] = value
        return exposures

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _canvas(self) -> Box:
        """Return the area covered by all data windows. Raises UnreadableFrame if the display windows differ."""
        first = read_windows(self._sequence.path(self.frames.first))
        canvas = first.data
        for number in self.frames.frames[1:]:
            path = self._sequence.path(number)
            windows = read_windows(path)
            if windows.display != first.display:
                other = f"{first.display} of frame {self.frames.first}"
                reason = f"its display window {windows.display} differs from {other}"
                raise unreadable(path, reason, "Resize all frames to one size.", number)
            canvas = cover(canvas, windows.data)
        size = canvas[2] - canvas[0] + 1, canvas[3] - canvas[1] + 1
        check_image(self.name, size, 3, 0, 0)
        self._has_overscan = canvas != first.display
        return canvas


def _left_out(sequence: Sequence, others: tuple[str, ...]) -> tuple[str, ...]:
    """A note about numbered files in the folder that are not frames of the sequence."""
    if not others:
        return ()
    files = f'{len(others)} numbered files, such as "{others[0]}", are' if len(others) > 1 else f'"{others[0]}" is'
    return (
        f'{files} not part of "{sequence}": the padding or the case of letters differs, or the number is there twice.',
    )


def _is_exr(path: str) -> bool:
    return path.lower().endswith(".exr")


def _is_raw(path: str) -> bool:
    return path.lower().endswith(RAW_SUFFIXES)


def _is_dpx(path: str) -> bool:
    return path.lower().endswith(".dpx")


def _read(path: str, options: ReadOptions) -> PlateImage:
    if _is_raw(path):
        raw = _raw(path)
        image: PlateImage = raw.read_raw(path, options.white_balance or raw.white_balance(path))
        return image
    if _is_exr(path):
        return read_exr(path, options.layer, options.canvas)
    return dpx.read_dpx(path) if _is_dpx(path) else read_still(path)


def _probe(path: str, options: ReadOptions) -> tuple[tuple[int, int], str, Header]:
    """Return size, kind and header of one file without decoding it."""
    if _is_raw(path):
        size, kind, header = _raw(path).probe_raw(path)
        return size, kind, header
    if _is_dpx(path):
        found = dpx.read_header(path)
        return found.upright_size, "integer", found.metadata
    if not _is_exr(path):
        return probe_still(path)
    left, top, right, bottom = options.canvas or read_windows(path).data
    return (right - left + 1, bottom - top + 1), "float", read_header(path, options.layer)


def _finite(pixels: FloatArray) -> tuple[FloatArray, int]:
    """Replace values that are not finite, in place; return the pixels and the number of pixels that were replaced."""
    finite = np.isfinite(pixels)
    if finite.all():
        return pixels, 0
    for channel in range(3):
        plane, sound = pixels[..., channel], finite[..., channel]
        largest = plane[sound].max(initial=0.0)
        pixels[..., channel] = np.nan_to_num(plane, nan=0.0, posinf=largest, neginf=0.0)
    return pixels, int((~finite.all(axis=-1)).sum())


def _raw(path: str) -> ModuleType:
    """Return the module that reads camera raw."""
    try:
        from f2hdr_backend.image import raw
    except ModuleNotFoundError as error:
        if error.name != "rawpy":
            raise
        raise _extra_needed(path, "camera raw", "raw") from error
    return raw


def _open_movie(path: str) -> Plate:
    try:
        from f2hdr_backend.image.movie.isolated_plate import IsolatedMovie
        from f2hdr_backend.image.movie.plate import MoviePlate
    except ModuleNotFoundError as error:
        if error.name != "av":
            raise
        raise _extra_needed(path, "a movie", "media") from error
    place = decoders()
    return MoviePlate(path) if place is None else IsolatedMovie(path, place)


def _extra_needed(path: str, what: str, extra: str) -> ImageError:
    return ImageError(
        f'"{path}" is {what}, but the library that reads it is not installed.',
        hint=f'Run: pip install "f2hdr[{extra}]"',
        path=path,
    )
