"""Choice of the clips of a timeline, whether F2HDR can render them, and their frames in the media."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Optional

from f2hdr_backend.shot.frames import Sequence
from f2hdr_resolve.adapter import Item, Media, Session

TRACK = "F2HDR"
"""Prefix of the names of the tracks that have the results."""
_CANNOT_OPEN = {"braw", "r3d", "crm", "nev", "ari", "arx"}
_SAME_RATE = 0.01
_SEQUENCE = re.compile(r"(.*)\[(\d+)-\d+\]([^/\\]*)", re.DOTALL)


@dataclass(frozen=True)
class Clip:
    """A clip to render: ``first`` to ``last`` are frame numbers of the plate, ``skip`` of them come before the clip's
    first frame; ``start`` and ``duration`` are timeline frames."""

    item: Item
    plate: str
    rate: Optional[float]
    first: int
    last: int
    skip: int
    start: int
    duration: int


def collect(session: Session, color: str) -> tuple[list[Item], str]:
    """Return the clips to render and how they were found.

    They are those selected; where Resolve does not report the selection (before 21.0.4), those of a clip color, else
    those between the marks, else the one under the playhead. Items of F2HDR's own tracks are never rendered; if one is
    under the playhead, the clip that it covers is taken.
    """
    tracks = session.tracks()
    results = {_place(item) for track in tracks if track.name.startswith(TRACK) for item in track.items}
    selected = [item for item in session.selected() if item.is_video]
    if selected:
        return [item for item in selected if _place(item) not in results], "selected"
    items = [item for track in tracks if not track.name.startswith(TRACK) for item in track.items]
    colored = [item for item in items if item.color == color]
    if colored:
        return colored, "colored"
    marks = session.marks()
    if marks is not None:
        return [item for item in items if item.start <= marks[1] and item.end > marks[0]], "marked"
    current = session.current()
    if current is None or _place(current) not in results:
        return [current] if current else [], "current"
    place = (current.start, current.duration)
    return [item for item in items if (item.start, item.duration) == place], "current"


def _place(item: Item) -> tuple[int, str]:
    """Start and file: they identify an item of F2HDR's tracks in every version of Resolve."""
    media = item.media
    return item.start, media.get("File Path") if media else ""


def problem(item: Item, rate: Optional[float]) -> str:
    """Return why a clip cannot be rendered, or an empty text; ``rate`` is the timeline's frames a second."""
    media = item.media
    if media is None:
        return "it has no clip in the media pool (title, generator or Fusion clip)"
    return _media_problem(media) or _speed_problem(item, media, rate)


def describe(item: Item, media: Media, handles: int) -> Clip:
    """Return the frames of its media that a clip uses, with ``handles`` as far as the media has frames."""
    plate, number = plate_of(media.get("File Path"))
    begin = max(0, item.offset - handles)
    end = min(int(media.get("Frames")) - 1, item.offset + item.duration - 1 + handles)
    return Clip(item, plate, _rate(media), number + begin, number + end, item.offset - begin, item.start, item.duration)


def plate_of(path: str) -> tuple[str, int]:
    """Return the plate as F2HDR names it, and the number of its first frame.

    Resolve writes a sequence as ``folder/name.[1001-1100].exr``; frames of a movie count from 1.
    """
    match = _SEQUENCE.fullmatch(path)
    if match is None:
        return path, 1
    return match[1] + "#" * len(match[2]) + match[3], int(match[2])


def _media_problem(media: Media) -> str:
    path = media.get("File Path")
    if not path:
        return "it has no media file of its own (compound, multicam, timeline or generated clip)"
    ending = os.path.splitext(path)[1][1:].lower()
    if ending in _CANNOT_OPEN:
        return f"F2HDR cannot open .{ending} files; render the clip to EXR or ProRes first and use that"
    if int(media.get("Frames") or 0) < 2:
        return "it is a still: a single frame has no alternating exposures"
    plate, first = plate_of(path)
    file = path if plate == path else Sequence.parse(plate).path(first)
    if not os.path.exists(file):
        return f'its media is offline: "{file}" cannot be read'
    if re.search("upper|lower", media.get("Field Dominance"), re.IGNORECASE):
        return "it is interlaced"
    return ""


def _speed_problem(item: Item, media: Media, rate: Optional[float]) -> str:
    own = _rate(media)
    if rate and own and abs(rate - own) > _SAME_RATE:
        return f"its media has {own:g} frames a second, the timeline {rate:g}: mixed rates blend or repeat frames"
    source = item.source
    if source is not None and abs(source[1] - source[0] - item.duration) > 1:
        return f"it is retimed: {item.duration} timeline frames show {source[1] - source[0]} source frames"
    return ""


def _rate(media: Media) -> Optional[float]:
    text = media.get("FPS")
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None
