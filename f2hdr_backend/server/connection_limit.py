"""Listening sockets that limit their open connections at accept: before a TLS handshake, a request or a token."""

from __future__ import annotations

import socket
from collections import Counter
from threading import Lock
from typing import Any

from f2hdr_backend.server.passed_files import ReceivingSocket

LEAST = 16
"""Minimum number of connections per socket, independent of the limit of open files."""
PEER_SHARE = 0.5
"""Maximum share of a socket's connections for one address; does not apply to connections from the same machine."""


class BoundedSocket(socket.socket):
    """A listening socket with at most ``most`` open connections; a new one beyond that is closed at once."""

    most = LEAST

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._lock = Lock()
        self._peers: Counter[str] = Counter()

    def accept(self) -> tuple[socket.socket, Any]:
        """Return a new connection and its address. Raises ConnectionAbortedError for one beyond the limit."""
        accepted, address = super().accept()
        peer = address[0] if isinstance(address, tuple) else ""
        shared = not isinstance(address, tuple) or peer in ("127.0.0.1", "::1")
        with self._lock:
            full = self._peers.total() >= self.most
            greedy = not shared and self._peers[peer] >= max(1, int(self.most * PEER_SHARE))
            if not full and not greedy:
                self._peers[peer] += 1
                return _Counted(self, peer, accepted.detach()), address
        accepted.close()
        raise ConnectionAbortedError

    def ended(self, peer: str) -> None:
        """Decrement the number of open connections from the address ``peer``."""
        with self._lock:
            self._peers[peer] -= 1
            self._peers += Counter()


class _Counted(ReceivingSocket):
    """An accepted connection that its listening socket counts until it is closed."""

    def __init__(self, door: BoundedSocket, peer: str, descriptor: int) -> None:
        super().__init__(fileno=descriptor)
        self._door: BoundedSocket | None = door
        self._peer = peer

    def close(self) -> None:
        """Close the connection."""
        super().close()
        if self._door is not None:
            self._door.ended(self._peer)
            self._door = None


def reserve_files() -> int:
    """Raise this process's limit of open files as far as permitted, and return the connections that one socket may
    have.

    Each of the two sockets may use a quarter of the files; the rest is for rendering.
    """
    try:
        import resource
    except ModuleNotFoundError:  # Windows has no such limit
        return 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return min(200, max(LEAST, soft // 4))
