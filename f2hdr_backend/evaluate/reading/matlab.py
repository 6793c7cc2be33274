"""Numeric matrices from MATLAB files of versions 5 to 7 (MathWorks, "MAT-File Format", level 5)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.frame import unreadable

HEADER_BYTES = 128
MATRIX, COMPRESSED = 14, 15
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
CELL_TO_SPARSE = range(1, 6)
"""Array classes that are not plain numeric matrices: cell, struct, object, char and sparse."""


def read_matrix(path: Path, name: str) -> NDArray[Any]:
    """The real numeric matrix called ``name``.

    Raises:
        UnreadableFrame: the file cannot be read, is of another version, or has no such matrix.
    """
    try:
        content = path.read_bytes()
        order = {b"IM": "<", b"MI": ">"}.get(content[126:HEADER_BYTES])
        if order is None:
            raise unreadable(str(path), "it is no MATLAB file of version 5 to 7", "Save it with MATLAB's -v7.")
        for kind, body in _elements(content[HEADER_BYTES:], order):
            matrix = _matrix(body, order, name) if kind == MATRIX else None
            if matrix is not None:
                return matrix
    except OSError as error:
        raise unreadable(str(path), error.strerror or str(error), "Check the path and the permissions.") from error
    except (struct.error, zlib.error, ValueError, KeyError) as error:
        raise unreadable(str(path), "its contents are damaged", "Copy it again.") from error
    raise unreadable(str(path), f"it has no matrix named {name}", "Check that it is the right file.")


def _elements(content: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Type and bytes of each data element, compressed ones opened."""
    place = 0
    while place < len(content):
        kind, size = struct.unpack_from(f"{order}II", content, place)
        if kind >> 16:
            yield kind & 0xFFFF, content[place + 4 : place + 4 + (kind >> 16)]
            place += 8
            continue
        body = content[place + 8 : place + 8 + size]
        if len(body) != size:
            raise ValueError("the file ends within an element")
        if kind == COMPRESSED:
            yield from _elements(zlib.decompress(body), order)
            place += 8 + size
        else:
            yield kind, body
            place += 8 + -(-size // 8) * 8


def _matrix(body: bytes, order: str, name: str) -> NDArray[Any] | None:
    """The matrix in an element, if it has that name and is a plain numeric one."""
    parts = _elements(body, order)
    (flags,) = struct.unpack_from(f"{order}I", next(parts)[1])
    shape = np.frombuffer(next(parts)[1], f"{order}i4")
    if next(parts)[1].decode("ascii") != name or flags & 0xFF in CELL_TO_SPARSE:
        return None
    kind, numbers = next(parts)
    return np.frombuffer(numbers, order + NUMBERS[kind]).reshape(shape, order="F")
