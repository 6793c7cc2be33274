"""The cost of a frame as in Table 4: seconds, and peak memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch

from f2hdr_backend.evaluate.metrics.score import Score

GIB = 2**30
Result = TypeVar("Result")


@dataclass(frozen=True)
class Cost:
    """Cost of one reconstruction, including flow, without reading and scoring."""

    seconds: float
    peak_bytes: int | None
    """On CUDA, the device's peak during the frame in bytes; on the CPU, the process's peak so far, including the
    scoring of earlier frames. None where the system does not provide it.
    """

    def scores(self, where: str, size: tuple[int, int]) -> dict[str, Score]:
        """Return the cost as scores by column; ``where`` is the result of :func:`measured_on`, ``size`` is (width,
        height).
        """
        parameters, facts = (("where", where),), (("size", f"{size[0]}x{size[1]}"),)
        scores = {"seconds": Score("time", self.seconds, "s", parameters, facts)}
        if self.peak_bytes is not None:
            scores["peak GiB"] = Score("peak memory", self.peak_bytes / GIB, "GiB", parameters, facts)
        return scores


def measured_on(device: torch.device, processes: int) -> str:
    """Describe where a cost is measured: the device, and the number of processes if there are several."""
    name = f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)
    return f"{name}, {processes} processes" if processes > 1 else name


def measure(call: Callable[[], Result], device: torch.device) -> tuple[Result, Cost]:
    """Call ``call``; return its result and its cost. On CUDA, the time includes all queued work."""
    on_cuda = device.type == "cuda"
    if on_cuda:
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
    start = time.perf_counter()
    result = call()
    if on_cuda:
        torch.cuda.synchronize(device)
    seconds = time.perf_counter() - start
    return result, Cost(seconds, torch.cuda.max_memory_allocated(device) if on_cuda else process_peak())


def process_peak() -> int | None:
    """Return the peak memory of this process so far in bytes; None on Windows."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
