"""Reads tags of the first directory of a TIFF or DNG file that OpenImageIO and the raw developer do not report.

Source: TIFF 6.0, section 2 (structure, types of fields).
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from typing import BinaryIO

_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_LARGEST = 1024
"""Bytes of a tag that is read, at most."""


def read_tiff_tags(file: BinaryIO, wanted: Collection[int]) -> dict[int, tuple[bytes, str]]:
    """Return the content and the byte order (``<`` or ``>``) of those ``wanted`` tags that an open file has.

    Tags of 4 bytes or fewer and those above 1 KiB are omitted. A file that is not a TIFF, or is damaged, has none.
    """
    try:
        return _tags(file, wanted)
    except (struct.error, OSError):
        return {}


def rationals(content: bytes, order: str) -> tuple[float, ...]:
    """Return the unsigned rational numbers of a tag; empty if one has the denominator 0."""
    pairs = list(struct.iter_unpack(order + "II", content[: len(content) // 8 * 8]))
    return tuple(above / below for above, below in pairs) if all(below for _, below in pairs) else ()


def _tags(file: BinaryIO, wanted: Collection[int]) -> dict[int, tuple[bytes, str]]:
    file.seek(0)
    order = _BYTE_ORDERS.get(file.read(4))
    if order is None:
        return {}
    file.seek(*struct.unpack(order + "I", file.read(4)))
    (count,) = struct.unpack(order + "H", file.read(2))
    entries = file.read(12 * count)
    found = {}
    for tag, kind, number, place in struct.iter_unpack(order + "HHII", entries[: len(entries) // 12 * 12]):
        size = number * _TYPE_BYTES.get(kind, 0)
        if tag in wanted and 4 < size <= _LARGEST:
            file.seek(place)
            found[tag] = (file.read(size), order)
    return found
