"""Timecodes: text to EXR header attributes and back, also at rates above 30 frames per second.

An EXR timecode counts up to 29, as that of SMPTE ST 12-1 does. Above 30 frames per second one count stands for a group
of frames (two at 48 to 60 frames per second, four at 120), and the field phase marks the second half of a group (SMPTE
ST 12-3, sections 5 and 6). Values that the attribute cannot express are stored as text in the attribute ``timecode``.
"""

from __future__ import annotations

import re
from fractions import Fraction

import OpenEXR

from f2hdr_backend.image.metadata import Header

_TEXT = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.,])(\d\d\d?)")
_LAST_COUNT = 29
"""The highest frame number of an EXR timecode."""


def timecode_header(text: str, offset: int = 0, rate: Fraction | None = None) -> Header:
    """Return the attributes for the time ``offset`` frames after ``text``; empty if it is not a timecode.

    ``text`` is like "01:00:00:00"; ";" before the frames means drop-frame. ``rate`` is in frames per second; None
    counts by 24. Frames 30 and above without a known rate, and rates above 60, are also stored as text.
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        return {}
    hours, minutes, seconds, frames = (int(match[group]) for group in (1, 2, 3, 5))
    drop = match[4] in ";,"
    nominal = max(1, round(rate or 24))
    if offset:
        hours, minutes, seconds, frames = _advance((hours, minutes, seconds, frames), offset, nominal, drop)
    if seconds > 59 or minutes > 59 or hours > 23 or frames >= (nominal if rate else 1000):
        return {}
    counted = frames_a_count(rate)
    words = f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if drop else ':'}{frames:02d}"
    as_text: Header = {"timecode": words} if counted > 2 or (rate is None and frames > _LAST_COUNT) else {}
    count, part = divmod(frames, counted)
    if count > _LAST_COUNT:
        return as_text
    phase = int(2 * part >= counted > 1)
    code = OpenEXR.TimeCode(hours, minutes, seconds, count, int(drop), 0, phase, *[0] * 11)
    return {"timeCode": code, **as_text}


def timecode_text(header: Header) -> str:
    """Return the timecode of a header as text, counted in frames; empty if it has none."""
    if isinstance(header.get("timecode"), str) and _TEXT.fullmatch(header["timecode"]):
        return str(header["timecode"])
    code = header.get("timeCode")
    if code is None:
        return ""
    counted = frames_a_count(header.get("framesPerSecond"))
    frame = code.frame * counted + (counted // 2 if code.fieldPhase and counted > 1 else 0)
    mark = ";" if code.dropFrame else ":"
    return f"{code.hours:02d}:{code.minutes:02d}:{code.seconds:02d}{mark}{frame:02d}"


def at_rate(header: Header, rate: Fraction, step: int) -> Header:
    """Return a header whose timecode counts frames of ``rate``, of which each is ``step`` of the header's own."""
    text = timecode_text(header)
    if step == 1 or not text:
        return header
    place = max(text.rfind(":"), text.rfind(";"))
    stem, frame = text[:place], int(text[place + 1 :]) // step
    kept = {name: value for name, value in header.items() if name not in ("timeCode", "timecode")}
    return {**kept, "framesPerSecond": rate, **timecode_header(f"{stem}:{frame:02d}", rate=rate)}


def frames_a_count(rate: Fraction | None) -> int:
    """Return the number of frames per count of an EXR timecode at a rate in frames per second."""
    return max(1, -(-round(rate) // 30)) if rate else 1


def nearest_rate(value: float) -> Fraction:
    """Return a rate of 1 and more frames per second as a fraction; rates such as 23.98 become NTSC fractions
    (n * 1000 / 1001).
    """
    whole = round(value * 1001 / 1000)
    near = Fraction(whole * 1000, 1001)
    exact = abs(value - round(value)) < 1e-4
    return near if not exact and abs(value - near) < 0.01 else Fraction(value).limit_denominator(1001)


def _advance(start: tuple[int, int, int, int], offset: int, rate: int, drop: bool) -> tuple[int, int, int, int]:
    """Advance a timecode by ``offset`` frames; drop-frame skips the first numbers of each minute except every tenth."""
    hours, minutes, seconds, frames = start
    dropped = rate // 15 if drop else 0
    minutes += hours * 60
    count = (minutes * 60 + seconds) * rate + frames - dropped * (minutes - minutes // 10) + offset
    if dropped:
        tens, rest = divmod(count, rate * 600 - dropped * 9)
        count += dropped * (9 * tens + max(0, (rest - dropped) // (rate * 60 - dropped)))
    seconds, frames = divmod(count, rate)
    return seconds // 3600 % 24, seconds // 60 % 60, seconds % 60, frames
