"""Reads tags of TIFF and DNG files and of Exif that OpenImageIO and the raw developer do not report.

Sources: TIFF 6.0, section 2 (structure, types of fields); Exif 3.0, section 4.6.3 (pointers to directories).
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable
from typing import BinaryIO

_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_LARGEST = 1024
"""Bytes of a tag that is read, at most."""


def read_tiff_tags(
    file: BinaryIO, wanted: Collection[int], through: Iterable[int] = ()
) -> dict[int, tuple[bytes, str]]:
    """Return the content and the byte order (``<`` or ``>``) of those ``wanted`` tags that an open file has.

    They are those of the first directory, or of the one that is reached from it by the pointers ``through``, such as
    the Exif directory. Tags above 1 KiB are omitted. A file that is not a TIFF, or is damaged, has none.
    """
    try:
        file.seek(0)
        order = _BYTE_ORDERS.get(file.read(4))
        if order is None:
            return {}
        (place,) = struct.unpack(order + "I", file.read(4))
        for pointer in through:
            content, _ = _tags(file, order, place, (pointer,))[pointer]
            (place,) = struct.unpack(order + "I", content)
        return _tags(file, order, place, wanted)
    except (struct.error, OSError, KeyError):
        return {}


def rationals(content: bytes, order: str) -> tuple[float, ...]:
    """Return the unsigned rational numbers of a tag; empty if one has the denominator 0."""
    pairs = list(struct.iter_unpack(order + "II", content[: len(content) // 8 * 8]))
    return tuple(above / below for above, below in pairs) if all(below for _, below in pairs) else ()


def _tags(file: BinaryIO, order: str, place: int, wanted: Collection[int]) -> dict[int, tuple[bytes, str]]:
    """Return the ``wanted`` tags of the directory at ``place``."""
    file.seek(place)
    (count,) = struct.unpack(order + "H", file.read(2))
    entries = file.read(12 * count)
    found = {}
    for tag, kind, number, value in struct.iter_unpack(order + "HHI4s", entries[: len(entries) // 12 * 12]):
        size = number * _TYPE_BYTES.get(kind, 0)
        if tag not in wanted or not 0 < size <= _LARGEST:
            continue
        if size > len(value):
            file.seek(*struct.unpack(order + "I", value))
            value = file.read(size)
        found[tag] = (value[:size], order)
    return found
