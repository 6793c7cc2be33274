"""Read and write files through which hosts pass pixels: a header of 64 bytes, followed by float32 samples.

    offset  type    content
    0       8 x u8  ``F2HDRPIX``
    8       u32     version, 1
    12      u32     width in pixels
    16      u32     height in pixels
    20      u32     channels, 3 or 4 (red, green, blue, and one that is ignored)
    24      u64     row stride in bytes
    32      i64     frame number
    40      u64     stamp: 0, or a number that is new whenever the pixels change
    48      16 x u8 zero

All values are little-endian; rows are stored from top to bottom, channels are interleaved. Files are read and not
memory-mapped: a process that truncates or rewrites one meanwhile causes an error or wrong pixels, but cannot crash the
server. Memory files, which have the same content, cannot be truncated (see :mod:`f2hdr_backend.server.memory_files`).

A writer that changes the pixels of a file with a stamp sets the stamp to 0 before, and to a new number after.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.shot.atomic import atomic_file, unwritable
from f2hdr_backend.shot.errors import UnreadableFrame, UnwritableFrame
from f2hdr_backend.shot.safe_open import open_file

MAGIC = b"F2HDRPIX"
VERSION = 1
HEADER_BYTES = 64
LARGEST_SIDE = 16384
LARGEST_PIXELS = 8192 * 4320
"""Maximum number of pixels of a buffer: 8K."""
LARGEST_GAP = 4096
"""Maximum padding in bytes between two rows."""
_HEADER = struct.Struct("<8sIIIIQqQ16x")


@dataclass(frozen=True)
class Buffer:
    """The pixels of one frame."""

    frame: int
    pixels: NDArray[np.float32]
    """``(H, W, 3)``; NaN and infinities are unchanged."""


@dataclass(frozen=True)
class Layout:
    """The values of a validated header."""

    width: int
    height: int
    channels: int
    row_bytes: int
    frame: int
    stamp: int

    @property
    def used(self) -> int:
        """Bytes of samples per row, without padding."""
        return self.width * self.channels * 4

    @property
    def size(self) -> int:
        """Size of the whole file in bytes."""
        return HEADER_BYTES + self.row_bytes * (self.height - 1) + self.used

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels


def layout_of(header: bytes | bytearray, path: str) -> Layout:
    """Return the values of a header. Raises UnreadableFrame, with the name ``path``, if they are invalid."""
    magic, version, *sizes = _HEADER.unpack(header)
    layout = Layout(*sizes)
    if magic != MAGIC or version != VERSION:
        raise unreadable(path, f"it is not an F2HDR buffer of version {VERSION}")
    wrong = f"its header gives {layout.width} x {layout.height}"
    if not (0 < layout.width <= LARGEST_SIDE and 0 < layout.height <= LARGEST_SIDE):
        raise unreadable(path, wrong)
    if layout.width * layout.height > LARGEST_PIXELS or layout.channels not in (3, 4):
        raise unreadable(path, f"{wrong} with {layout.channels} channels")
    if not layout.used <= layout.row_bytes <= layout.used + LARGEST_GAP:
        wrong = f"its header gives {layout.row_bytes} bytes per row, but {layout.used} are used"
        raise unreadable(path, wrong)
    return layout


class OpenBuffer:
    """A buffer that is open for reading; its header is valid."""

    def __init__(self, file: BinaryIO, path: str) -> None:
        """Raises UnreadableFrame if the header is invalid, or if the file is too short."""
        self._file = file
        self._path = path
        self.layout = self.read_layout()
        size = os.fstat(file.fileno()).st_size
        if size < self.layout.size:
            raise unreadable(path, f"it has {size} bytes, but its header requires {self.layout.size}")

    def read_layout(self) -> Layout:
        """Return the values of the header as it is now. Raises UnreadableFrame."""
        header = bytearray(HEADER_BYTES)
        self._fill(memoryview(header), 0)
        return layout_of(header, self._path)

    def read_into(self, pixels: NDArray[np.float32], threads: Executor) -> None:
        """Read the samples into a contiguous array of the layout's shape. Raises UnreadableFrame."""
        layout = self.layout
        if layout.row_bytes == layout.used:
            target = pixels.data.cast("B")
            half = len(target) // 2 if hasattr(os, "preadv") else len(target)
            parts = ((target[:half], HEADER_BYTES), (target[half:], HEADER_BYTES + half))
            list(threads.map(lambda part: self._fill(*part), parts))
            return
        for row in range(layout.height):
            self._fill(memoryview(pixels[row]).cast("B"), HEADER_BYTES + row * layout.row_bytes)

    def _fill(self, target: memoryview, offset: int) -> None:
        filled = 0
        while filled < len(target):
            try:
                count = self._read_at(target[filled:], offset + filled)
            except OSError as error:
                raise unreadable(self._path, error.strerror or str(error)) from error
            if not count:
                raise unreadable(self._path, "the file is truncated")
            filled += count

    def _read_at(self, target: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [target], offset)
        self._file.seek(offset)
        return self._file.readinto(target)  # type: ignore[attr-defined]


@contextmanager
def open_buffer(path: str) -> Iterator[OpenBuffer]:
    """Open a buffer for reading while the block runs.

    Raises UnreadableFrame if the path is not a regular file, if the header is invalid, or if the file is too short.
    """
    try:
        file = open_file(path)
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error
    with file:
        yield OpenBuffer(file, path)


def write_buffer(path: str, buffer: Buffer) -> None:
    """Write a buffer atomically.

    Raises UnwritableFrame if the file cannot be written, or if ``path`` exists and is not a buffer.
    """
    _require_replaceable(path)
    with atomic_file(path) as file:
        file.write(header_of(buffer))
        file.write(_samples_of(buffer))


def overwrite_buffer(path: str, buffer: Buffer) -> bool:
    """Write a buffer in place, which needs less than half the time; return False if ``path`` is not prepared for that.

    It is prepared if it is a buffer with a stamp and the layout of this one. Its stamp becomes 0 at the end.
    Raises UnwritableFrame if the file cannot be written.
    """
    with suppress(UnreadableFrame), open_buffer(path) as there:
        found = there.layout
        if not found.stamp or found.shape != buffer.pixels.shape or found.row_bytes != found.used:
            return False
        try:
            with open_file(path, change=True) as file:
                file.seek(HEADER_BYTES)
                file.write(_samples_of(buffer))
                file.seek(0)
                file.write(header_of(buffer))
        except OSError as error:
            raise unwritable(path, error) from error
        return True
    return False


def header_of(buffer: Buffer) -> bytes:
    """Return the header of a result: no gaps between rows, and no stamp."""
    height, width, channels = buffer.pixels.shape
    return _HEADER.pack(MAGIC, VERSION, width, height, channels, width * channels * 4, buffer.frame, 0)


def _samples_of(buffer: Buffer) -> memoryview:
    return np.ascontiguousarray(buffer.pixels, "<f4").data.cast("B")


def _require_replaceable(path: str) -> None:
    """Raise UnwritableFrame if ``path`` exists and is not a buffer."""
    if not os.path.lexists(path):
        return
    try:
        with open_file(path) as file:
            ours = file.read(len(MAGIC)) == MAGIC
    except OSError:
        ours = False
    if not ours:
        raise UnwritableFrame(f'"{path}" exists and is not an F2HDR buffer.', hint="Choose another path.", path=path)


def unreadable(path: str, reason: str) -> UnreadableFrame:
    """Return the error for a buffer that cannot be used."""
    return UnreadableFrame(
        f'The buffer "{path}" cannot be read: {reason}.', hint="Write the header and the pixels again.", path=path
    )
