"""Opens a timeline clip's media as a plate, and maps media times to frame numbers."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from urllib.parse import unquote, urlsplit

from f2hdr_backend.image.frame import Plate
from f2hdr_backend.image.metadata import Header
from f2hdr_backend.image.read import MOVIE_SUFFIXES, open_plate
from f2hdr_backend.image.timecode import timecode_text
from f2hdr_backend.shot.errors import F2HDRError, ShotError
from f2hdr_backend.shot.frames import Sequence

_BRACKET = re.compile(r"\[(\d+)-\d+\]")
_SAME_RATE = 1e-4
_MOST_OPEN = 8
"""Plates that are open at a time: an open movie has a process of its own."""
_MOST_DIGITS = 20


@dataclass(frozen=True)
class Media:
    """A clip's plate; ``first`` is the number of the clip's first frame, ``rate`` in frames per second."""

    plate: Plate
    name: str
    first: int
    rate: float


class Plates:
    """The plates of a timeline in ``folder``: each is opened once, unless there are many, and its header read once."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._open: dict[str, Plate] = {}
        self._refused: dict[str, F2HDRError] = {}
        self._headers: dict[str, Header] = {}

    def open(self, name: str) -> Plate:
        """Return a plate by its pattern or path; it may be closed when ``_MOST_OPEN`` others were opened.

        Raises ShotError or ImageError, as ``open_plate`` does, and again the same for the same name.
        """
        if name in self._refused:
            raise self._refused[name]
        plate = self._open.pop(name, None)
        try:
            plate = plate or open_plate(name)
        except F2HDRError as error:
            self._refused[name] = error
            raise
        self._open[name] = plate
        if len(self._open) > _MOST_OPEN:
            self._open.pop(next(iter(self._open))).close()
        return plate

    def header(self, name: str) -> Header:
        """Return the header of a plate's first frame. Raises the errors of ``open``."""
        if name not in self._headers:
            plate = self.open(name)
            try:
                self._headers[name] = plate.read(plate.frames.first).metadata
            except F2HDRError as error:
                self._refused[name] = error
                raise
        return self._headers[name]

    def rate(self, name: str) -> Fraction | None:
        """Return the frame rate in the header of a plate's first frame, or None. Raises the errors of ``open``."""
        reported = self.header(name).get("framesPerSecond")
        return Fraction(reported or 0).limit_denominator(1001) or None

    def local(self, url: str) -> str:
        """Return the local path of a URL or path; a relative path is relative to the timeline's folder.

        Raises ShotError for remote media.
        """
        pattern = re.sub(r"%0(\d)d(?=\.)", lambda match: "#" * int(match[1]), url)
        parts = urlsplit(pattern, allow_fragments=False)
        if parts.scheme in ("http", "https", "s3", "ftp"):
            raise ShotError(f'its media "{url}" is not on this machine.', hint="Copy it here and relink.")
        path = pattern
        if parts.scheme == "file":
            path = unquote(pattern[len("file:") :])
            path = re.sub(r"^//(localhost)?(?=/)", "", path)
            path = re.sub(r"^/(?=[A-Za-z]:)", "", path)
        return os.path.normpath(os.path.join(self._folder, path))

    def close(self) -> None:
        """Close every plate."""
        for plate in self._open.values():
            plate.close()


@dataclass(frozen=True)
class _Described:
    """The timeline's description of a clip's media; None where it is missing."""

    name: str
    number: int | None = None
    """Number of its first frame."""
    available: Any = None
    """Available range, an OTIO TimeRange."""


def find_media(clip: Any, plates: Plates, start: Any) -> Media:
    """Return the plate of a clip that starts at the media time ``start`` (an OTIO RationalTime).

    If the timeline does not state the start time of the media, the media's timecode is used; without one, a time is the
    frame number in a sequence, and counts from zero in a movie. Raises ShotError with the reason.
    """
    media = _described(clip, plates)
    plate = plates.open(media.name)
    if Sequence.is_pattern(media.name):
        return Media(plate, media.name, _number_in_sequence(media, plates, start), start.rate)
    rate = plates.rate(media.name)
    if rate is not None and abs(float(rate) / start.rate - 1) > _SAME_RATE:
        raise ShotError(
            f'the cut uses {start.rate:.6g} frames per second, but "{media.name}" has {float(rate):.6g}, which '
            "requires a retime.",
            hint="Conform the cut and the media to one rate.",
        )
    begin = media.available.start_time if media.available else _timecode(media.name, plates, start)
    passed = start if begin is None else start - begin
    return Media(plate, media.name, plate.frames.first + _frames(passed), start.rate)


def _number_in_sequence(media: _Described, plates: Plates, start: Any) -> int:
    plate = plates.open(media.name)
    begin = media.available.start_time if media.available else None
    if begin is not None and media.number is not None:
        return media.number + _frames(start - begin)
    code = _timecode(media.name, plates, start)
    if code is not None:
        return plate.frames.first + _frames(start - code)
    if begin is not None and _frames(media.available.duration) == plate.frames.last - plate.frames.first + 1:
        return plate.frames.first + _frames(start - begin)
    return _frames(start)


def _described(clip: Any, plates: Plates) -> _Described:
    """Return the timeline's description of a clip's media. Raises ShotError if it is not supported."""
    reference = clip.media_reference
    kind = reference.schema_name()
    if kind == "ImageSequenceReference":
        return _sequence(reference, plates)
    if kind == "ExternalReference" and reference.target_url:
        bracket = _BRACKET.search(reference.target_url)
        url = _BRACKET.sub(lambda match: "#" * len(match[1]), reference.target_url)
        return _Described(plates.local(url), int(bracket[1]) if bracket else None, reference.available_range)
    if kind == "GeneratorReference":
        raise ShotError("it is generated by the editing program.", hint="Render it there.")
    if clip.name.lower().endswith(MOVIE_SUFFIXES):
        return _Described(plates.local(clip.name))
    raise ShotError("the timeline has no media for it.", hint="Relink it and export the timeline again.")


def _sequence(reference: Any, plates: Plates) -> _Described:
    if reference.frame_step != 1:
        what = f"its media has a frame step of {reference.frame_step}."
        raise ShotError(what, hint="Conform it to a frame step of 1.")
    mark = "#" * min(max(1, reference.frame_zero_padding), _MOST_DIGITS)
    base = plates.local(reference.target_url_base or ".")
    name = os.path.join(base, reference.name_prefix + mark + reference.name_suffix)
    return _Described(name, reference.start_frame, reference.available_range)


def _timecode(name: str, plates: Plates, like: Any) -> Any:
    """Return the time of the plate's first frame from its timecode, at the rate of the time ``like``; None without
    one.
    """
    text = timecode_text(plates.header(name))
    return type(like).from_timecode(text, like.rate) if text else None


def _frames(time: Any) -> int:
    return round(time.value)
