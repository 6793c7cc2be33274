"""Frames and results that a render keeps in host memory, and the threads that feed its devices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import torch

from f2hdr_backend.machine.multi_device import FRAMES_AT_A_TIME

AHEAD = 2
"""Windows whose frames one reader reads ahead; each further reader adds one."""
FRAME_BYTES, READING_BYTES = 12, 36
"""Bytes a pixel of a frame that waits for a device, and additional bytes while it is read. All are measured."""
SHOWN_BYTES, FLOWS_BYTES, MAKING_BYTES = 14, 32, 90
"""Additional bytes for a frame used for flow, for a window's waiting flows, and while they are computed."""
RESULT_BYTES, WRITING_BYTES = 60, 80
"""Bytes of a waiting result with all layers, and additional bytes while it is blended and written."""


@dataclass(frozen=True)
class Staging:
    """Threads around ``lanes`` devices; one of each kind while a CPU computes."""

    lanes: int = 1
    readers: int = 1
    makers: int = 0
    """Threads that compute flows ahead; 0 if the device computes them."""
    writers: int = 1
    """Also the number of results that may wait to be written, over all lanes."""

    @property
    def ahead(self) -> int:
        """Windows prepared ahead of the furthest one that a device has started."""
        return AHEAD + max(self.readers, self.makers) - 1 + FRAMES_AT_A_TIME * (self.lanes - 1)

    @property
    def results(self) -> int:
        """Results of one lane that may wait to be written."""
        return max(1, self.writers // self.lanes)

    @property
    def bytes_per_pixel(self) -> int:
        """Maximum host memory of staging, in bytes per pixel of a frame."""
        frames = (self.ahead + 3 + FRAMES_AT_A_TIME * (self.lanes - 1)) * FRAME_BYTES
        results = self.lanes * (self.results + 1) * RESULT_BYTES
        threads = self.readers * READING_BYTES + self.makers * MAKING_BYTES + self.writers * WRITING_BYTES
        if self.makers:
            frames += frames // FRAME_BYTES * SHOWN_BYTES + self.ahead * FLOWS_BYTES
        return frames + results + threads


ON_CPU = Staging()


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let torch and OpenCV use one thread in each thread that is started during the block.

    With a GPU, there are already as many readers, makers and writers as processors; otherwise each of them would
    start as many threads again.
    """
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def stage(lanes: int, cpus: int, bytes_per_pixel: float, *, makes_flows: bool) -> Staging:
    """Return as many threads for ``lanes`` GPUs as ``cpus`` processors can run within ``bytes_per_pixel`` of memory.

    At least one thread of each kind remains, even if that exceeds the limit.
    """
    while True:
        half, most = max(1, cpus // 2), max(1, cpus * 3 // 4)  # flows are two thirds of the host's work
        found = Staging(lanes, min(8, max(1, cpus // 4)), min(16, most) if makes_flows else 1, min(16, half))
        if cpus <= 1 or found.bytes_per_pixel <= bytes_per_pixel:
            return found
        cpus //= 2
