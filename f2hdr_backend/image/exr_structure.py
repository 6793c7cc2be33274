"""Checks that an EXR file is complete before it is decoded; the library would only print a message and skip parts.

Source: "OpenEXR File Layout", openexr.com/en/latest/OpenEXRFileLayout.html.
"""

from __future__ import annotations

import itertools
import math
import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from f2hdr_backend.image.frame import Box, Windows, unreadable
from f2hdr_backend.shot.errors import UnreadableFrame
from f2hdr_backend.shot.safe_open import open_file

_MAGIC = 20000630
_WANTED = (b"type", b"dataWindow", b"displayWindow")
_TILED, _DEEP, _MULTI_PART = 0x200, 0x800, 0x1000
_LONGEST_NAME = 255
_MOST_ATTRIBUTES = 100_000
"""Of all parts together; reading as many takes about a second."""
_MOST_CHUNKS = 4_000_000
"""More than any image within the limit of pixels has."""


def check_structure(path: str, file: BinaryIO) -> int:
    """Return the number of parts of an open file. Raises UnreadableFrame unless it is a complete EXR.

    Reads only the headers and the offset tables: damage inside a chunk is not detected.
    """
    try:
        return _check(path, file)
    except OSError as error:
        raise unreadable(path, error.strerror or str(error), "Check the path and the permissions.") from error
    except (struct.error, EOFError) as error:
        raise _incomplete(path) from error


def read_windows(path: str) -> Windows:
    """Return the display window of a file, and the area covered by it and all data windows, from its headers.

    Raises UnreadableFrame if they cannot be read.
    """
    try:
        with open_file(path) as file:
            magic, version = _numbers(file, "<iI")
            headers = _headers(file, several=bool(version & _MULTI_PART)) if magic == _MAGIC else []
        names = ("dataWindow", "displayWindow")
        boxes = [_as_box(header[name]) for header in headers for name in names if name in header]
    except OSError as error:
        raise unreadable(path, error.strerror or str(error), "Check the path and the permissions.") from error
    except (struct.error, EOFError) as error:
        raise _incomplete(path) from error
    if not boxes or "displayWindow" not in headers[0]:
        raise unreadable(path, "it has no display window", "Render or copy it again.")
    left, top, right, bottom = zip(*boxes, strict=True)
    return Windows((min(left), min(top), max(right), max(bottom)), _as_box(headers[0]["displayWindow"]))


def _as_box(content: bytes) -> Box:
    left, top, right, bottom = struct.unpack("<4i", content)
    return left, top, right, bottom


def _check(path: str, file: BinaryIO) -> int:
    magic, version = _numbers(file, "<iI")
    if magic != _MAGIC:
        raise unreadable(path, "it is not an OpenEXR file", "Check that file name and format match.")
    if version & _DEEP:
        raise unreadable(path, "its pixels are deep", "Flatten the file first.")
    headers = _headers(file, several=bool(version & _MULTI_PART))
    types = [header.get("type", b"") for header in headers]
    size = os.fstat(file.fileno()).st_size
    last = _last_chunk(file, size)
    file.seek(last)
    part = _numbers(file, "<i")[0] if version & _MULTI_PART else 0
    if not 0 <= part < len(types):
        raise _incomplete(path)
    tiled = bool(version & _TILED) or types[part] == b"tiledimage"
    packed = _numbers(file, "<5i" if tiled else "<2i")[-1]
    if last == 0 or file.tell() + packed > size:
        raise _incomplete(path)
    return len(types)


def _headers(file: BinaryIO, several: bool) -> list[dict[str, bytes]]:
    """Read the headers; return those attributes of each part that are in ``_WANTED``."""
    count = itertools.count()
    headers = [_header(file, count)]
    while several and _peek(file) != b"\0":
        headers.append(_header(file, count))
    if several:
        file.read(1)
    return headers


def _header(file: BinaryIO, count: Iterator[int]) -> dict[str, bytes]:
    """Read a header; ``count`` counts the attributes of all parts. Raises EOFError for one that no program writes."""
    found = {}
    while name := _text(file):
        _text(file)
        (size,) = _numbers(file, "<i")
        if size < 0 or next(count) > _MOST_ATTRIBUTES or (name in _WANTED and size > _LONGEST_NAME):
            raise EOFError
        if name in _WANTED:
            found[name.decode()] = file.read(size)
        else:
            file.seek(size, os.SEEK_CUR)
    return found


def _last_chunk(file: BinaryIO, size: int) -> int:
    """Return the highest offset in the tables (which end at the first chunk), or 0 if an offset is invalid."""
    first, last = math.inf, 0
    for _ in range(_MOST_CHUNKS):
        if file.tell() >= first:
            return last
        (offset,) = _numbers(file, "<Q")
        if not 0 < offset < size:
            return 0
        first, last = min(first, offset), max(last, offset)
    return 0


def _numbers(file: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _text(file: BinaryIO) -> bytes:
    text = bytearray()
    while (letter := file.read(1)) != b"\0":
        if not letter or len(text) == _LONGEST_NAME:
            raise EOFError
        text += letter
    return bytes(text)


def _peek(file: BinaryIO) -> bytes:
    letter = file.read(1)
    file.seek(-len(letter), os.SEEK_CUR)
    return letter


def _incomplete(path: str) -> UnreadableFrame:
    hint = "It is truncated or still being written: render or copy it again."
    return unreadable(path, "the file is truncated", hint)
