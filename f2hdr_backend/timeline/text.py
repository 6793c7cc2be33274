"""Parses information in timeline files that OpenTimelineIO's adapters ignore: an EDL's frame rate, and retimes.

Sources: CMX 3600 EDL (motion memory, ``M2``); Apple, "FCPXML Reference" (``timeMap``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from xml.etree import ElementTree

from f2hdr_backend.shot.errors import DocumentError, F2HDRError, ShotError
from f2hdr_backend.timeline.media import Plates

USUAL_RATE = 24.0
_EVENT = re.compile(r"^(\d+)\s+\S+\s+\S+\s+[CDWK]\S*\s", re.MULTILINE)
_MEDIA = re.compile(r"^\*[ \t]*FROM (?:CLIP NAME|CLIP|FILE):(.*)$", re.MULTILINE)
_NAME = re.compile(r"^\*[ \t]*FROM CLIP NAME:(.*)$", re.MULTILINE)
_TIME = re.compile(r"[\d:;]{11}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?$")
_LONGEST_NUMBER = 20
_LONGEST_SQUARED = 2_000_000_000
"""Sum of the squared lengths of an EDL's lines: 200,000 lines of 100 characters, or one of 44,000."""
_CLOSE = 0.01


def require_short_lines(path: str, text: str) -> None:
    """Raise DocumentError for an EDL with long lines: OpenTimelineIO's time grows with the square of their lengths."""
    lengths = [len(line) for line in text.splitlines()]
    if sum(length**2 for length in lengths) > _LONGEST_SQUARED:
        raise DocumentError(
            f'"{path}" cannot be read as a timeline: its longest line has {max(lengths)} characters.',
            hint="Export it again.",
            path=path,
        )


def edl_rate(text: str, plates: Plates) -> tuple[float, list[str]]:
    """Return the frame rate of an EDL, which does not state it: that of its media, or else 24 with a note.

    Raises ShotError if the rates of its media differ.
    """
    found: dict[Fraction, str] = {}
    for path in dict.fromkeys(path.strip() for path in _MEDIA.findall(text)):
        try:
            rate = plates.rate(plates.local(re.sub(r"\[(\d+)-\d+\]", lambda match: "#" * len(match[1]), path)))
        except F2HDRError:
            continue  # the clip itself is refused for this reason
        if rate is not None:
            found.setdefault(rate, path)
    if len(found) > 1:
        words = ", ".join(f"{float(rate):.6g} ({path})" for rate, path in found.items())
        raise ShotError(
            f"The EDL's media have several frame rates: {words}.",
            hint="Export the cut as .otio, which states its rate.",
        )
    if found:
        return float(next(iter(found))), []
    return USUAL_RATE, [
        f"Neither the EDL nor its media state their frame rate; {USUAL_RATE:g} frames per second are assumed."
    ]


def retimed_clips(path: str, text: str, rate: float | None) -> set[str]:
    """Return the names of clips with a changed speed that only the file's text states.

    ``rate`` is that of the EDL in frames per second.
    """
    if path.lower().endswith(".edl") and rate is not None:
        return set(_retimed_events(text, rate))
    if path.lower().endswith(".fcpxml"):
        root = ElementTree.fromstring(text)
        return {element.get("name", "") for element in root.iter() if element.find("timeMap") is not None}
    return set()


def _retimed_events(text: str, rate: float) -> Iterator[str]:
    starts = [match.start() for match in _EVENT.finditer(text)]
    for start, end in pairwise([*starts, len(text)]):
        event = text[start:end]
        speeds = [speed for line in event.splitlines() if (speed := _speed(line)) is not None]
        if speeds and abs(speeds[0] - rate) > _CLOSE:
            name = _NAME.search(event)
            yield name[1].strip() if name else event.split()[0]


def _speed(line: str) -> float | None:
    """Return the frames per second of a line such as ``M2   AX       012.0    00:00:41:19``, or None."""
    words = line.split()
    if len(words) < 3 or words[0] != "M2" or not _TIME.fullmatch(words[-1]):
        return None
    number = _NUMBER.search(words[-2][-_LONGEST_NUMBER:])
    return None if number is None else float(number[0])
