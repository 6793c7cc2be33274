"""Is an EXR file whole? Looked at before decoding, because the library would print and return fewer parts.

Source: "OpenEXR File Layout", openexr.com/en/latest/OpenEXRFileLayout.html.
"""

from __future__ import annotations

import math
import os
import struct
from typing import BinaryIO

from f2hdr_backend.image.frame import unreadable
from f2hdr_backend.shot.errors import UnreadableFrame

_MAGIC = 20000630
_TILED, _DEEP, _MULTI_PART = 0x200, 0x800, 0x1000


def check_structure(path: str) -> int:
    """Return the number of parts. Raises UnreadableFrame unless the file is a complete EXR.

    Reads the headers and the offset tables only: damage inside a chunk is not seen.
    """
    try:
        with open(path, "rb") as file:
            return _check(path, file)
    except OSError as error:
        raise unreadable(path, error.strerror or str(error), "Check the path and the permissions.") from error
    except (struct.error, EOFError) as error:
        raise _incomplete(path) from error


def _check(path: str, file: BinaryIO) -> int:
    magic, version = _numbers(file, "<iI")
    if magic != _MAGIC:
        raise unreadable(path, "it is not an OpenEXR file", "Check that its name and its format agree.")
    if version & _DEEP:
        raise unreadable(path, "it holds deep pixels", "Flatten it first.")
    types = _part_types(file, several=bool(version & _MULTI_PART))
    size = os.fstat(file.fileno()).st_size
    last = _last_chunk(file, size)
    file.seek(last)
    part = _numbers(file, "<i")[0] if version & _MULTI_PART else 0
    tiled = bool(version & _TILED) or (part < len(types) and types[part] == b"tiledimage")
    packed = _numbers(file, "<5i" if tiled else "<2i")[-1]
    if last == 0 or file.tell() + packed > size:
        raise _incomplete(path)
    return len(types)


def _part_types(file: BinaryIO, several: bool) -> list[bytes]:
    """Pass over the headers and return the "type" attribute of each (empty where there is none)."""
    types = [_skip_header(file)]
    while several and _peek(file) != b"\0":
        types.append(_skip_header(file))
    if several:
        file.read(1)
    return types


def _skip_header(file: BinaryIO) -> bytes:
    kind = b""
    while name := _text(file):
        _text(file)
        (size,) = _numbers(file, "<i")
        if size < 0:
            raise EOFError
        if name == b"type":
            kind = file.read(size)
        else:
            file.seek(size, os.SEEK_CUR)
    return kind


def _last_chunk(file: BinaryIO, size: int) -> int:
    """Return the highest offset of the tables (the first chunk ends them), or 0 if one points nowhere."""
    first, last = math.inf, 0
    while file.tell() < first:
        (offset,) = _numbers(file, "<Q")
        if not 0 < offset < size:
            return 0
        first, last = min(first, offset), max(last, offset)
    return last


def _numbers(file: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _text(file: BinaryIO) -> bytes:
    text = bytearray()
    while (letter := file.read(1)) != b"\0":
        if not letter:
            raise EOFError
        text += letter
    return bytes(text)


def _peek(file: BinaryIO) -> bytes:
    letter = file.read(1)
    file.seek(-len(letter), os.SEEK_CUR)
    return letter


def _incomplete(path: str) -> UnreadableFrame:
    mend = "It is cut off or still being written: render or copy it again."
    return unreadable(path, "it is not complete", mend)
