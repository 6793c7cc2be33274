"""Measurement of one method at one frame size: time, memory, and the share of each part."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median
from typing import Any, Protocol

import torch
from torch.utils.flop_counter import FlopCounterMode

from f2hdr_backend.engine.method.flows import KnownFlows
from f2hdr_backend.engine.method.frame import HdrFrame, WindowFrames
from f2hdr_backend.evaluate.bench.breakdown import MeteredEstimator, PartMeter, clock, operations
from f2hdr_backend.evaluate.bench.memory import MemoryPeak
from f2hdr_backend.evaluate.bench.pan_plate import Pan
from f2hdr_backend.flow.estimator import Estimator

Ready = tuple[WindowFrames, KnownFlows]
"""A window, and those of its flows that are computed on the host."""
Size = tuple[int, int]
"""(width, height) in pixels."""
COUNTED_SIZE = (128, 128)
"""FLOPs are counted on frames of this size and scaled by the number of pixels."""
REPORTED_PIXELS = 256 * 256
"""FLOPs are reported for a frame of this size."""


class Contender(Protocol):
    """Interface of a method to measure."""

    estimator: Estimator

    def feed(self, windows: Sequence[WindowFrames]) -> AbstractContextManager[Iterator[Ready]]:
        """Windows as passed to the device by a render, with the results computed ahead on the host."""
        ...

    def run(self, frames: WindowFrames, known: KnownFlows) -> HdrFrame:
        """Reconstruct a window, from the ``known`` flows if there are any."""
        ...

    def plan(self, size: Size) -> str:
        """Return a description of how frames of (width, height) are computed."""
        ...


@dataclass(frozen=True)
class Measured:
    """Time and memory of a method at one frame size."""

    method: str
    size: Size
    open_s: float
    """Seconds to load the weights and set up the method."""
    first_s: float
    """Seconds from opening to the first result, including ``open_s``."""
    steady_s: tuple[float, ...]
    """Wall-clock seconds of each window after the first."""
    processor_s: tuple[float, ...]
    """CPU seconds of each of these windows over all threads; not affected by other load on the machine."""
    host_bytes: int
    """Peak growth of resident memory since before the method was opened, in bytes."""
    process_bytes: int
    """Resident memory of the whole process at that peak, including interpreter and libraries, in bytes."""
    device_bytes: int | None
    """Peak on a CUDA device in bytes; None on the CPU."""
    shares: dict[str, float]
    """Share of the time of each part of a steady window; the sum is 1."""
    plan: str

    @property
    def seconds(self) -> float:
        """Seconds per frame: the median of the steady windows."""
        return median(self.steady_s)

    @property
    def bytes(self) -> int:
        """Peak memory in bytes, on the device if it has its own memory, or else on the host."""
        return self.host_bytes if self.device_bytes is None else self.device_bytes

    def to_json(self) -> dict[str, Any]:
        """Return all values as a JSON object, in seconds and bytes."""
        return {
            **vars(self),
            "size": list(self.size),
            "seconds_per_frame": self.seconds,
            "processor_seconds_per_frame": median(self.processor_s),
            "frames_per_second": 1 / self.seconds,
        }


@dataclass(frozen=True)
class NotRun:
    """A method that was not measured, because of its memory or its weights."""

    method: str
    size: Size
    bytes: int | None
    """Required bytes; None if unknown."""
    why: str

    def to_json(self) -> dict[str, Any]:
        """Return all values as a JSON object."""
        return {**vars(self), "size": list(self.size)}


@dataclass(frozen=True)
class Opening:
    """A function that opens a method, and the device it runs on."""

    method: str
    device: torch.device
    open: Callable[[], Contender]


def measure(opening: Opening, size: Size, frames: int) -> Measured:
    """Open a method and run it over moving windows: one cold, ``frames`` steady, and one to measure the parts."""
    *windows, last = Pan(size, frames + 2).windows()
    with MemoryPeak(opening.device) as peak:
        began = time.perf_counter()
        contender = opening.open()
        open_s = time.perf_counter() - began
        with contender.feed(windows) as ready:
            first, *steady = (_spent(contender, ready) for _ in windows)
    found = _metered(contender, last, PartMeter(clock(opening.device)))
    seconds, processor_seconds = zip(*steady, strict=True)
    return Measured(
        opening.method, size, open_s, open_s + first[0], seconds, processor_seconds,
        peak.host_growth, peak.host_peak, peak.device_peak,
        {part: taken / sum(found.values()) for part, taken in found.items()}, contender.plan(size),
    )  # fmt: skip


def count(opening: Opening) -> dict[str, float]:
    """Return the FLOPs of each part of a steady window, for a frame of 256 x 256 pixels.

    A multiply-add counts as two. :func:`~f2hdr_backend.evaluate.bench.breakdown.operations` lists operations that are
    not counted.
    """
    contender = opening.open()
    windows = Pan(COUNTED_SIZE, 2).windows()
    contender.run(next(windows), {})
    with FlopCounterMode(display=False) as counter:
        found = _metered(contender, next(windows), PartMeter(operations(counter)))
    scale = REPORTED_PIXELS / (COUNTED_SIZE[0] * COUNTED_SIZE[1])
    return {part: operations * scale for part, operations in found.items()}


def _spent(contender: Contender, ready: Iterator[Ready]) -> tuple[float, float]:
    """Return the wall-clock seconds until the result is on the host, and the CPU seconds of the process.

    Both include waiting for a window and the threads that prepare later ones, as in a render.
    """
    began, spent = time.perf_counter(), time.process_time()
    contender.run(*next(ready))
    return time.perf_counter() - began, time.process_time() - spent


def _metered(contender: Contender, frames: WindowFrames, meter: PartMeter) -> dict[str, float]:
    """Measure each part of one window."""
    inner = contender.estimator
    contender.estimator = MeteredEstimator(inner, meter)
    try:
        return meter.over(lambda: contender.run(frames, {}))
    finally:
        contender.estimator = inner
