"""Inserts HDR light levels into a finished QuickTime or MP4 file, because the muxer does not write them.

Sources: ISO/IEC 14496-12, sections 4.2 (boxes), 8.5.2 (sample entries) and 12.1.5 to 12.1.7 (``mdcv``, ``clli``).
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from f2hdr_backend.image.display_tags import CHROMATICITY_STEPS, LUMINANCE_STEPS, LightLevel

_TO_SAMPLE_ENTRIES = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
_BEFORE_CHILDREN = {b"stsd": 8}
_SAMPLE_ENTRY = 78
"""Bytes of a visual sample entry before the boxes in it."""


def add_light_level(file: BinaryIO, light: LightLevel) -> None:
    """Insert ``mdcv`` and ``clli`` after the color tags of the first track of an open movie, in place.

    The index (``moov``) must be after the media data, where FFmpeg writes it by default, so that no media data moves.
    Raises ValueError if the file has another structure.
    """
    start = _index_start(file)
    file.seek(start)
    index = bytearray(file.read())
    _insert(index, mastering_box(light) + light_level_box(light))
    file.seek(start)
    file.write(index)


def mastering_box(light: LightLevel) -> bytes:
    """Return the box of the mastering display; its primaries are in the order green, blue, red."""
    red, green, blue = light.primaries
    points = (green, blue, red, light.white)
    values = [round(value * CHROMATICITY_STEPS) for point in points for value in point]
    luminances = (light.peak * LUMINANCE_STEPS, round(light.black * LUMINANCE_STEPS))
    return _box(b"mdcv", struct.pack(">8H2I", *values, *luminances))


def light_level_box(light: LightLevel) -> bytes:
    """Return the box of the content light level."""
    return _box(b"clli", struct.pack(">2H", light.brightest, light.average))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _index_start(file: BinaryIO) -> int:
    """Return the offset of the index. Raises ValueError unless it is the last box of the file."""
    at, size = 0, file.seek(0, os.SEEK_END)
    while at + 16 <= size:
        file.seek(at)
        length, kind, long_length = struct.unpack(">I4sQ", file.read(16))
        if length == 1:
            length = long_length
        if kind == b"moov" and at + length == size:
            return at
        if length < 8:
            break
        at += length
    raise ValueError("the index is not at the end of the file")


def _insert(index: bytearray, boxes: bytes) -> None:
    """Insert ``boxes`` after the color tags of the first sample entry and increase the length of all enclosing
    boxes.
    """
    around = []
    at, end = 0, len(index)
    for kind in _TO_SAMPLE_ENTRIES:
        at, length = _find(index, at, end, kind)
        around.append(at)
        at, end = at + 8 + _BEFORE_CHILDREN.get(kind, 0), at + length
    around.append(at)
    place, length = _find(index, at + 8 + _SAMPLE_ENTRY, end, b"colr")
    for box in around:
        struct.pack_into(">I", index, box, struct.unpack_from(">I", index, box)[0] + len(boxes))
    index[place + length : place + length] = boxes


def _find(index: bytearray, at: int, end: int, wanted: bytes) -> tuple[int, int]:
    """Return offset and length of the first box of a kind."""
    while at + 8 <= end:
        length, kind = struct.unpack_from(">I4s", index, at)
        if kind == wanted:
            return at, length
        if length < 8:
            break
        at += length
    raise ValueError(f"it has no {wanted.decode()} box")
