"""Memory files of a host (Linux memfd): pixels are used in place and not copied.

Their content is that of a buffer file (see :mod:`f2hdr_backend.server.buffers`). They must be sealed against shrinking:
accessing a mapped file that another process has cut off would end this process.
"""

from __future__ import annotations

import mmap
import os
import stat
import sys
import time
from collections import OrderedDict
from collections.abc import Collection
from threading import Lock

import numpy as np

from f2hdr_backend.server.buffers import HEADER_BYTES, Buffer, Layout, header_of, layout_of, unreadable
from f2hdr_backend.shot.errors import UnwritableFrame

if sys.platform == "linux":
    from fcntl import fcntl

_GET_SEALS, _SEAL_SHRINK = 1034, 2
"""Numbers of Linux, which Python has only where it was built with recent headers."""
MOST = 64
"""Maximum number of memory files that stay mapped while no request uses them."""
UNUSED_S = 30.0
"""Seconds after which a memory file that no request used is unmapped."""


class MemoryFile:
    """A mapped memory file. It stays mapped until the last reference to it or to its pixels is gone."""

    def __init__(self, descriptor: int, name: str) -> None:
        """``descriptor`` may be closed afterwards. Raises UnreadableFrame if it is not a sealed memory file."""
        self._name = name
        self.used_at = time.monotonic()
        if not _is_sealed(descriptor):
            raise unreadable(name, "it is not a memory file that is sealed against shrinking")
        try:
            self._memory = mmap.mmap(descriptor, 0)
        except (OSError, ValueError) as error:
            raise unreadable(name, f"it cannot be mapped ({error})") from error

    def layout(self) -> Layout:
        """Return the values of its header as they are now. Raises UnreadableFrame if they do not fit the file."""
        layout = layout_of(self._memory[:HEADER_BYTES].ljust(HEADER_BYTES, b"\0"), self._name)
        if len(self._memory) < layout.size:
            raise unreadable(self._name, f"it has {len(self._memory)} bytes, but its header requires {layout.size}")
        return layout

    def frame(self) -> Buffer:
        """Return the frame in it, whose pixels must not be modified. Raises UnreadableFrame."""
        layout = self.layout()
        return Buffer(layout.frame, np.ascontiguousarray(self._samples(layout)[..., :3]))

    def write(self, result: Buffer) -> None:
        """Write a result. Raises UnwritableFrame if the file does not have its size, three channels and no gaps."""
        layout = self.layout()
        if layout.shape != result.pixels.shape or layout.row_bytes != layout.used:
            raise UnwritableFrame(
                f"{self._name} is not prepared for a result of {result.pixels.shape[1]} x {result.pixels.shape[0]}.",
                hint="Write a header with its size, three channels and no gaps between rows.",
                path=self._name,
            )
        np.copyto(self._samples(layout), result.pixels)
        self._memory[:HEADER_BYTES] = header_of(result)

    def _samples(self, layout: Layout) -> np.ndarray[tuple[int, int, int], np.dtype[np.float32]]:
        strides = layout.row_bytes, layout.channels * 4, 4
        return np.ndarray(layout.shape, "<f4", self._memory, HEADER_BYTES, strides)


class MemoryFiles:
    """Memory files that stay mapped between requests, so that their pages are entered once; thread-safe."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = Lock()
        self._mapped: OrderedDict[tuple[int, int], MemoryFile] = OrderedDict()

    def opened(self, descriptors: Collection[int]) -> list[MemoryFile]:
        """Return the memory files with these descriptors, which are still the caller's.

        Raises UnreadableFrame if one is not a sealed memory file.
        """
        with self._lock:
            found = [self._opened(descriptor, f"memory:{index}") for index, descriptor in enumerate(descriptors)]
            while len(self._mapped) > self._most:
                self._mapped.popitem(last=False)
        return found

    def drop_unused(self) -> None:
        """Unmap the files that no request has named for ``UNUSED_S`` seconds, unless their pixels are in use."""
        oldest = time.monotonic() - UNUSED_S
        with self._lock:
            for key in [key for key, file in self._mapped.items() if file.used_at < oldest]:
                del self._mapped[key]

    def _opened(self, descriptor: int, name: str) -> MemoryFile:
        facts = os.fstat(descriptor)
        key = facts.st_dev, facts.st_ino  # not reused while the file is mapped
        file = self._mapped.pop(key, None) or MemoryFile(descriptor, name)
        file.used_at = time.monotonic()
        self._mapped[key] = file
        return file


def _is_sealed(descriptor: int) -> bool:
    """Return whether a file has a size that no process can reduce."""
    if sys.platform != "linux" or not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return False
    try:
        return bool(fcntl(descriptor, _GET_SEALS) & _SEAL_SHRINK)
    except OSError:  # a file of another kind
        return False
