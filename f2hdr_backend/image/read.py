"""Plates: one picture from any file, numbered pictures from a pattern or a movie."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from types import ModuleType

import numpy as np

from f2hdr_backend.image.exr import display_size, read_exr, read_header
from f2hdr_backend.image.frame import Encoding, FloatArray, Plate, PlateImage, file_identity, require_frames
from f2hdr_backend.image.metadata import EXPOSURE_ATTRIBUTES, Header, exposure_value
from f2hdr_backend.image.still import probe_still, read_still
from f2hdr_backend.shot.errors import ImageError, MissingFrames, ShotError, UnreadableFrame
from f2hdr_backend.shot.frames import Sequence

MOVIE_SUFFIXES = (".avi", ".mkv", ".mov", ".mp4", ".mxf", ".webm")
RAW_SUFFIXES = (
    *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".kdc", ".mef", ".mos", ".mrw"),
    *(".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"),
)


def read_image(path: str, number: int = 0, white_balance: tuple[float, ...] | None = None) -> PlateImage:
    """Return the picture in one file: EXR, TIFF, PNG, DPX, JPEG, Radiance, camera raw and others.

    No color is converted; camera raw is developed (see ``raw``), by ``white_balance`` or else its own. NaN and
    -Inf become 0, Inf the largest finite value of its channel; the pixels that had one are counted. ``number``
    is the frame it stands for. Raises UnreadableFrame, ImageError if camera raw needs an extra.
    """
    try:
        image = _read(path, white_balance)
    except UnreadableFrame as error:
        error.facts["frame"] = number
        raise
    pixels, nonfinite = _finite(image.pixels)
    return replace(image, number=number, pixels=pixels, nonfinite=nonfinite)


def open_plate(text: str) -> Plate:
    """Open a pattern such as ``plate.####.exr``, or a movie file.

    Raises ShotError for anything else (a single picture has no neighbors), MissingFrames if the pattern
    matches no file, UnreadableFrame if the first frame cannot be read, ImageError if a movie needs an
    extra.
    """
    is_pattern = Sequence.is_pattern(text)
    if text.lower().endswith(MOVIE_SUFFIXES) and (os.path.isfile(text) or not is_pattern):
        return _open_movie(text)
    if is_pattern:
        return SequencePlate(Sequence.parse(text))
    raise ShotError(
        f'"{text}" is neither a pattern of numbered frames nor a movie.',
        hint=f'Write the frame number as number signs, like "{_as_pattern(text)}".',
        path=text,
    )


class SequencePlate:
    """Numbered files as a Plate (see there for what each member promises)."""

    default_encoding: Encoding

    def __init__(self, sequence: Sequence) -> None:
        self.name = str(sequence)
        self.frames = sequence.on_disk()
        self._sequence = sequence
        if not self.frames:
            raise MissingFrames(
                f'No file matches "{sequence}".',
                hint="Check the folder, the name and the padding.",
                path=str(sequence),
                frames=(),
            )
        first = sequence.path(self.frames.first)
        self.size, kind, _ = _probe(first)
        self._white_balance = _raw(first).white_balance(first) if _is_raw(first) else None
        self.default_encoding = "linear" if kind == "float" else "gamma22"

    @property
    def missing(self) -> tuple[int, ...]:
        """The frames between the first and the last that have no file."""
        return tuple(sorted(set(range(self.frames.first, self.frames.last)).difference(self.frames)))

    def require(self, frames: Iterable[int]) -> None:
        """Raise MissingFrames unless every one of ``frames`` has its file."""
        require_frames(self.name, self.frames, frames)

    def read(self, number: int) -> PlateImage:
        """Return one frame. Raises MissingFrames, or UnreadableFrame, also if its size is another."""
        self.require([number])
        image = read_image(self._sequence.path(number), number, self._white_balance)
        height, width, _ = image.pixels.shape
        if (width, height) != self.size:
            first = f"{self.size[0]} x {self.size[1]} of frame {self.frames.first}"
            raise UnreadableFrame(
                f'"{image.path}" is {width} x {height}, which differs from the {first}.',
                hint="Bring all frames to one size.",
                frame=number,
                path=image.path,
            )
        return image

    def identity(self, number: int) -> str:
        """Return name, size and time of change of one frame's file. Raises UnreadableFrame if it is gone."""
        identity = file_identity(self._sequence.path(number))
        return identity if self._white_balance is None else f"{identity}:{self._white_balance}"

    def exposure_metadata(self) -> dict[int, float] | None:
        """Return every frame's exposure in stops, or None unless all files tell it by the same attributes."""
        exposures: dict[int, float] = {}
        sources: set[frozenset[str]] = set()
        for number in self.frames:
            header = _probe(self._sequence.path(number))[2]
            value = exposure_value(header)
            sources.add(EXPOSURE_ATTRIBUTES.intersection(header))
            if value is None or len(sources) > 1:
                return None
            exposures[number] = value
        return exposures

    def close(self) -> None:
        """Do nothing: no file stays open."""


def _as_pattern(text: str) -> str:
    """Return the pattern a user may have meant by one frame or by a folder."""
    stem, suffix = os.path.splitext(text)
    pattern, found = re.subn(r"\d+(?=\D*$)", lambda digits: "#" * len(digits[0]), os.path.basename(stem))
    if os.path.isdir(text) or not found:
        return os.path.join(text if os.path.isdir(text) else os.path.dirname(text), "plate.####.exr")
    return os.path.join(os.path.dirname(text), pattern + suffix)


def _is_exr(path: str) -> bool:
    return path.lower().endswith(".exr")


def _is_raw(path: str) -> bool:
    return path.lower().endswith(RAW_SUFFIXES)


def _read(path: str, white_balance: tuple[float, ...] | None) -> PlateImage:
    if _is_raw(path):
        raw = _raw(path)
        image: PlateImage = raw.read_raw(path, white_balance or raw.white_balance(path))
        return image
    return read_exr(path) if _is_exr(path) else read_still(path)


def _probe(path: str) -> tuple[tuple[int, int], str, Header]:
    """Return size, kind and header of one file without decoding it."""
    if _is_raw(path):
        size, kind, header = _raw(path).probe_raw(path)
        return size, kind, header
    if not _is_exr(path):
        return probe_still(path)
    header = read_header(path)
    return display_size(header), "float", header


def _finite(pixels: FloatArray) -> tuple[FloatArray, int]:
    """Replace what is not finite, in place; return the pixels and how many of them were touched."""
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
        from f2hdr_backend.image.movie.plate import MoviePlate
    except ModuleNotFoundError as error:
        if error.name != "av":
            raise
        raise _extra_needed(path, "a movie", "media") from error
    return MoviePlate(path)


def _extra_needed(path: str, what: str, extra: str) -> ImageError:
    return ImageError(
        f'"{path}" is {what}, and what reads it is not installed.',
        hint=f'Run: pip install "f2hdr[{extra}]"',
        path=path,
    )
