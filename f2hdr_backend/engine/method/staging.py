"""What a render holds on the host around its devices, and the threads that keep them busy."""

from __future__ import annotations

from dataclasses import dataclass

from f2hdr_backend.machine.side_by_side import FRAMES_AT_A_TIME

AHEAD = 2
"""Windows whose frames are read before they are asked for, by one reader; each further one reads one more."""
FRAME_BYTES, READING_BYTES = 12, 36
"""Bytes a pixel of a frame that waits for a device, and more while it is read; measured, as what follows."""
SHOWN_BYTES, FLOWS_BYTES, MAKING_BYTES = 14, 32, 90
"""More for a frame that flows are made of, for a window's flows that wait for a device, and while they are made."""
RESULT_BYTES, WRITING_BYTES = 60, 80
"""Of a result with all layers that waits for its turn, and more while it is blended and written."""


@dataclass(frozen=True)
class Staging:
    """Threads around ``lanes`` devices. A CPU has none to spare while it computes: one of each kind."""

    lanes: int = 1
    readers: int = 1
    makers: int = 0
    """Threads that make flows ahead; none where the device makes them in its turn."""
    writers: int = 1
    """Also the results that may wait for a disk, over all lanes."""

    @property
    def ahead(self) -> int:
        """Windows that are made ready beyond the furthest that a device has come to."""
        return AHEAD + max(self.readers, self.makers) - 1 + FRAMES_AT_A_TIME * (self.lanes - 1)

    @property
    def results(self) -> int:
        """Results of one lane that may wait for a disk."""
        return max(1, self.writers // self.lanes)

    @property
    def bytes_per_pixel(self) -> int:
        """What all of it takes on the host at most, for each pixel of a frame."""
        frames = (self.ahead + 3 + FRAMES_AT_A_TIME * (self.lanes - 1)) * FRAME_BYTES
        results = self.lanes * (self.results + 1) * RESULT_BYTES
        threads = self.readers * READING_BYTES + self.makers * MAKING_BYTES + self.writers * WRITING_BYTES
        if self.makers:
            frames += frames // FRAME_BYTES * SHOWN_BYTES + self.ahead * FLOWS_BYTES
        return frames + results + threads


ON_CPU = Staging()


def stage(lanes: int, cpus: int, bytes_per_pixel: float, *, makes_flows: bool) -> Staging:
    """As many threads for ``lanes`` GPUs as ``cpus`` processors run, and the host holds within ``bytes_per_pixel``.

    Where it can hold next to nothing, one thread of each kind remains.
    """
    while True:
        half = max(1, cpus // 2)
        found = Staging(lanes, min(8, max(1, cpus // 4)), min(16, half) if makes_flows else 1, min(16, half))
        if cpus <= 1 or found.bytes_per_pixel <= bytes_per_pixel:
            return found
        cpus //= 2
