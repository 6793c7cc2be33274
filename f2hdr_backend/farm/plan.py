"""Simulates the duration of a job on N workers, to choose the chunk size."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from f2hdr_backend.shot.limits import check_frames

EXTRA_READS = 2
"""Neighbors outside a chunk that are read before its first frame."""


@dataclass(frozen=True)
class Costs:
    """Measured seconds."""

    start: float
    """From the start of a task's process until the model is loaded."""
    frame: float
    """Per frame, while the next frame is read and the previous one is written."""
    read: float
    """Reading one frame of the plate."""


@dataclass(frozen=True)
class Schedule:
    """The result of a simulation."""

    chunk: int
    tasks: int
    seconds: float
    """Until the last worker has finished."""
    overhead: float
    """Share of the workers' time, 0 to 1, spent on starting, extra reads and waiting for the last worker."""


def simulate(frames: int, workers: int, chunk: int, costs: Costs, *, warm: bool = False) -> Schedule:
    """Simulate a job in which every free worker gets the next chunk; ``warm`` workers load the model only once."""
    count = -(-frames // chunk)
    sizes = [(index + 1) * frames // count - index * frames // count for index in range(count)]
    free = [0.0] * min(workers, count)
    started = [False] * len(free)
    heap = [(0.0, index) for index in range(len(free))]
    for size in sizes:
        at, index = heapq.heappop(heap)
        start = 0.0 if warm and started[index] else costs.start
        started[index] = True
        free[index] = at + start + EXTRA_READS * costs.read + size * costs.frame
        heapq.heappush(heap, (free[index], index))
    seconds = max(free)
    return Schedule(chunk, count, seconds, 1 - frames * costs.frame / (seconds * workers))


def schedules(frames: int, workers: int, costs: Costs, *, warm: bool = False) -> list[Schedule]:
    """Simulate chunks of 1, 2, 4, 8 ... frames, as long as every worker gets at least one.

    Raises ShotError for more frames than the limit ``frames``.
    """
    check_frames("the job", frames, "the request")
    sizes = [1]
    while sizes[-1] * 2 * workers < 2 * frames:
        sizes.append(sizes[-1] * 2)
    return [simulate(frames, workers, size, costs, warm=warm) for size in sizes]
