"""Timecode, frame rate and reel of CinemaDNG files, which the raw developer does not report.

Source: Adobe, "CinemaDNG Image Data Format Specification" 1.1, section "CinemaDNG tags"; SMPTE ST 12-1 for the bits of
a timecode.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import BinaryIO

from f2hdr_backend.image.metadata import Header
from f2hdr_backend.image.tiff_tags import read_tiff_tags
from f2hdr_backend.image.timecode import frames_a_count, timecode_header

_TIME_CODES, _FRAME_RATE, _REEL_NAME = 51043, 51044, 51081
_DROP_FRAME, _FIELD_PHASE = 0x40, 0x80


def read_times(file: BinaryIO) -> Header:
    """Return ``timeCode``, ``framesPerSecond`` and ``reelName`` as far as an open DNG file has them.

    A file that is not a TIFF, or is damaged, has none.
    """
    tags = read_tiff_tags(file, (_TIME_CODES, _FRAME_RATE, _REEL_NAME))
    header: Header = {}
    rate = _rate(tags.get(_FRAME_RATE, (b"", "<")))
    if rate:
        header["framesPerSecond"] = rate
    header |= timecode_header(_timecode(tags.get(_TIME_CODES, (b"", "<"))[0], rate), rate=rate)
    reel = tags.get(_REEL_NAME, (b"", "<"))[0].split(b"\0")[0].decode("utf-8", errors="replace")
    return {**header, **({"reelName": reel} if reel else {})}


def _rate(stored: tuple[bytes, str]) -> Fraction | None:
    content, order = stored
    if len(content) < 8:
        return None
    above, below = struct.unpack(order + "ii", content[:8])
    return Fraction(above, below) if above > 0 and below > 0 else None


def _timecode(content: bytes, rate: Fraction | None) -> str:
    """The first of the timecodes as text, counted in frames; empty if it is not one."""
    if len(content) < 8:
        return ""
    frames, seconds, minutes, hours = (
        _decimal(byte & mask) for byte, mask in zip(content, (0x3F, 0x7F, 0x7F, 0x3F), strict=False)
    )
    counted = frames_a_count(rate)
    by_25 = rate is not None and round(rate) % 25 == 0
    phase = bool(content[3 if by_25 else 1] & _FIELD_PHASE)  # bit 59 at 25 and 50 frames a second, else bit 27
    mark = ";" if content[0] & _DROP_FRAME else ":"
    frame = frames * counted + (counted // 2 if phase and counted > 1 else 0)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{mark}{frame:02d}"


def _decimal(byte: int) -> int:
    return (byte >> 4) * 10 + (byte & 15)
