"""Frames of hosts that stay in memory between requests: a frame that the next window also needs is read once."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.server.buffers import Buffer, Layout, open_buffer

LIMIT = 512 * 1024 * 1024
"""Maximum size in bytes of the frames that are kept while no request uses them."""
UNUSED_S = 30.0
"""Seconds after which a frame that no request used is dropped."""


class KeptFrames:
    """The frames that were read last, by path; thread-safe.

    A frame is read again unless its header is the same and has a stamp (see :mod:`f2hdr_backend.server.buffers`).
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._lock = Lock()
        self._kept: OrderedDict[str, _Frame] = OrderedDict()
        self._threads = ThreadPoolExecutor(2, "read buffer")

    @contextmanager
    def lent(self, paths: Sequence[str]) -> Iterator[list[Buffer]]:
        """Yield the buffers at ``paths``, which are read now if necessary; their pixels must not be modified.

        Raises what :func:`~f2hdr_backend.server.buffers.open_buffer` raises.
        """
        lent: dict[str, _Frame] = {}
        try:
            for path in dict.fromkeys(paths):
                lent[path] = self._borrowed(path)
            yield [Buffer(lent[path].layout.frame, lent[path].rgb) for path in paths]
        finally:
            with self._lock:
                for frame in lent.values():
                    frame.users -= 1
                    frame.used_at = time.monotonic()
                self._make_room()

    def drop_unused(self) -> None:
        """Drop frames that no request has used for ``UNUSED_S`` seconds."""
        oldest = time.monotonic() - UNUSED_S
        with self._lock:
            for path in [path for path, frame in self._kept.items() if not frame.users and frame.used_at < oldest]:
                del self._kept[path]

    def _borrowed(self, path: str) -> _Frame:
        """The frame at ``path`` with one more user. Files are read without the lock, so a slow one delays no other."""
        with self._lock:
            kept = self._kept.pop(path, None)
            samples = None if kept is None or kept.users else kept.samples
        with open_buffer(path) as opened:
            layout = opened.layout
            if kept is None or not layout.stamp or kept.layout != layout:
                if samples is None or samples.shape != layout.shape:
                    samples = np.empty(layout.shape, "<f4")
                opened.read_into(samples, self._threads)
                kept = _Frame(layout, samples)
            unchanged = layout.stamp and opened.read_layout() == layout
        with self._lock:
            kept.users += 1
            if unchanged:
                self._kept[path] = kept
        return kept

    def _make_room(self) -> None:
        total = sum(frame.nbytes for frame in self._kept.values())
        for path in [path for path, frame in self._kept.items() if not frame.users]:
            if total <= self._limit:
                return
            total -= self._kept.pop(path).nbytes


class _Frame:
    """A frame in memory."""

    def __init__(self, layout: Layout, samples: NDArray[np.float32]) -> None:
        self.layout = layout
        self.samples = samples
        self.rgb: NDArray[np.float32] = np.ascontiguousarray(samples[..., :3], np.float32)
        self.nbytes = samples.nbytes + (0 if np.may_share_memory(self.rgb, samples) else self.rgb.nbytes)
        """Size in memory: samples with alpha have a copy without it."""
        self.users = 0
        self.used_at = time.monotonic()
