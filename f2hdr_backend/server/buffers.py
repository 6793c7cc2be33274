"""Read and write files through which hosts pass pixels: a header of 64 bytes, followed by float32 samples.

    offset  type    content
    0       8 x u8  ``F2HDRPIX``
    8       u32     version, 1
    12      u32     width in pixels
    16      u32     height in pixels
    20      u32     channels, 3 or 4 (red, green, blue, and one that is ignored)
    24      u64     row stride in bytes
    32      i64     frame number
    40      24 x u8 zero

All values are little-endian; rows are stored from top to bottom, channels are interleaved. The file is read and not
memory-mapped: a process that truncates or rewrites it meanwhile causes an error or wrong pixels, but cannot crash the
server.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.shot.atomic import atomic_file
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
_HEADER = struct.Struct("<8sIIIIQq24x")


@dataclass(frozen=True)
class Buffer:
    """The pixels of one frame."""

    frame: int
    pixels: NDArray[np.float32]
    """``(H, W, 3)``; NaN and infinities are unchanged."""


@dataclass(frozen=True)
class _Layout:
    """The values of a validated header."""

    width: int
    height: int
    channels: int
    row_bytes: int
    frame: int

    @property
    def used(self) -> int:
        """Bytes of samples per row, without padding."""
        return self.width * self.channels * 4

    @property
    def size(self) -> int:
        """Size of the whole file in bytes."""
        return HEADER_BYTES + self.row_bytes * (self.height - 1) + self.used


def read_buffer(path: str) -> Buffer:
    """Read a buffer; memory is allocated only after the header was validated.

    Raises UnreadableFrame if the path is not a regular file, if the header is invalid, or if the file is too short.
    """
    with _opened(path) as file:
        try:
            return _read(file, path)
        except OSError as error:
            raise _unreadable(path, error.strerror or str(error)) from error


def read_buffers(paths: Iterable[str]) -> list[Buffer]:
    """Read buffers at the same time, each path once: copying them is most of the cost of a small frame.

    Raises what :func:`read_buffer` raises.
    """
    wanted = list(paths)
    unique = list(dict.fromkeys(wanted))
    with ThreadPoolExecutor(len(unique)) as pool:
        found = dict(zip(unique, pool.map(read_buffer, unique), strict=True))
    return [found[path] for path in wanted]


def write_buffer(path: str, buffer: Buffer) -> None:
    """Write a buffer atomically.

    Raises UnwritableFrame if the file cannot be written, or if ``path`` exists and is not a buffer.
    """
    _require_replaceable(path)
    height, width, channels = buffer.pixels.shape
    header = _HEADER.pack(MAGIC, VERSION, width, height, channels, width * channels * 4, buffer.frame)
    with atomic_file(path) as file:
        file.write(header)
        file.write(np.ascontiguousarray(buffer.pixels, "<f4").data)


def _opened(path: str) -> BinaryIO:
    try:
        return open_file(path)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error


def _read(file: BinaryIO, path: str) -> Buffer:
    layout = _layout(file, path)
    size = os.fstat(file.fileno()).st_size
    if size < layout.size:
        raise _unreadable(path, f"it has {size} bytes, but its header requires {layout.size}")
    pixels = np.empty((layout.height, layout.width, layout.channels), "<f4")
    if layout.row_bytes == layout.used:
        _fill(file, pixels.data.cast("B"), path)
    else:
        for row in range(layout.height):
            file.seek(HEADER_BYTES + row * layout.row_bytes)
            _fill(file, memoryview(pixels[row]).cast("B"), path)
    return Buffer(layout.frame, np.ascontiguousarray(pixels[..., :3], np.float32))


def _layout(file: BinaryIO, path: str) -> _Layout:
    header = bytearray(HEADER_BYTES)
    _fill(file, memoryview(header), path)
    magic, version, *sizes = _HEADER.unpack(header)
    layout = _Layout(*sizes)
    if magic != MAGIC or version != VERSION:
        raise _unreadable(path, f"it is not an F2HDR buffer of version {VERSION}")
    if not (0 < layout.width <= LARGEST_SIDE and 0 < layout.height <= LARGEST_SIDE):
        raise _unreadable(path, f"its header gives {layout.width} x {layout.height}")
    if layout.width * layout.height > LARGEST_PIXELS or layout.channels not in (3, 4):
        raise _unreadable(path, f"its header gives {layout.width} x {layout.height} with {layout.channels} channels")
    if not layout.used <= layout.row_bytes <= layout.used + LARGEST_GAP:
        raise _unreadable(path, f"its header gives {layout.row_bytes} bytes per row, but {layout.used} are used")
    return layout


def _fill(file: BinaryIO, target: memoryview, path: str) -> None:
    filled = 0
    while filled < len(target):
        count = file.readinto(target[filled:])  # type: ignore[attr-defined]
        if not count:
            raise _unreadable(path, "the file is truncated")
        filled += count


def _require_replaceable(path: str) -> None:
    """Raise UnwritableFrame if ``path`` exists and is not a buffer."""
    if not os.path.lexists(path):
        return
    try:
        with _opened(path) as file:
            ours = file.read(len(MAGIC)) == MAGIC
    except (OSError, UnreadableFrame):
        ours = False
    if not ours:
        raise UnwritableFrame(f'"{path}" exists and is not an F2HDR buffer.', hint="Choose another path.", path=path)


def _unreadable(path: str, reason: str) -> UnreadableFrame:
    return UnreadableFrame(
        f'The buffer "{path}" cannot be read: {reason}.', hint="Write the header and the pixels again.", path=path
    )
