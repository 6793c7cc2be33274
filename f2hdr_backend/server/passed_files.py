"""Open files that a client passes with its request over the Unix socket (SCM_RIGHTS)."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

MOST = 4
"""Maximum number of files per connection; others are closed at once."""
_NUMBER = struct.Struct("i")


class ReceivingSocket(socket.socket):
    """An accepted connection; over a Unix socket it also receives open files, which it closes with itself."""

    def __init__(self, *arguments: int | None, **named: int | None) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        self.passed: list[int] = []
        """Descriptors of the files that have arrived."""
        self._receives = hasattr(socket, "AF_UNIX") and self.family == socket.AF_UNIX
        if self._receives:
            _connections[self.fileno()] = self

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Return data, and store the files that arrive with it in ``passed``."""
        if not self._receives:
            return super().recv(size, flags)
        flags |= getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        content, ancillary, _, _ = self.recvmsg(size, socket.CMSG_LEN(MOST * _NUMBER.size), flags)
        for level, kind, numbers in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                self._take(numbers[: len(numbers) // _NUMBER.size * _NUMBER.size])
        return content

    def _take(self, numbers: bytes) -> None:
        for (descriptor,) in _NUMBER.iter_unpack(numbers):
            if len(self.passed) < MOST:
                self.passed.append(descriptor)
            else:
                os.close(descriptor)

    def close(self) -> None:
        """Close the connection and the files."""
        super().close()
        while self.passed:
            os.close(self.passed.pop())


_connections: WeakValueDictionary[int, ReceivingSocket] = WeakValueDictionary()
"""Open connections by their descriptor: asyncio passes its protocols only that."""


def files_over(connection: int) -> list[int]:
    """Return the list of the files that arrive over the connection with this descriptor."""
    found = _connections.get(connection)
    return [] if found is None else found.passed


@contextmanager
def taken(passed: list[int]) -> Iterator[list[int]]:
    """Take the files in ``passed`` from their connection, which may be closed meanwhile, for the duration of a block.

    Must be called in the thread of the connection.
    """
    descriptors = passed.copy()
    passed.clear()
    try:
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
