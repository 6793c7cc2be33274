"""One method at one size: time, memory, and what each part takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, Protocol

import torch
from torch.utils.flop_counter import FlopCounterMode

from f2hdr_backend.engine.method.base import HdrFrame, WindowFrames
from f2hdr_backend.evaluate.bench.memory import MemoryPeak
from f2hdr_backend.evaluate.bench.pan import Pan
from f2hdr_backend.evaluate.bench.parts import MeteredEstimator, PartMeter, clock, operations
from f2hdr_backend.flow.estimator import Estimator

Size = tuple[int, int]
"""(width, height) in pixels."""
COUNTED_SIZE = (128, 128)
"""Operations are counted on frames of this size; they grow with the pixels."""
TOLD_PIXELS = 256 * 256
"""FLOPs are reported for a frame of this size."""


class Contender(Protocol):
    """A method as it is measured."""

    estimator: Estimator

    def run(self, frames: WindowFrames) -> HdrFrame:
        """Reconstruct a window."""
        ...

    def plan(self, size: Size) -> str:
        """How frames of (width, height) are computed, in words."""
        ...


@dataclass(frozen=True)
class Measured:
    """What a method took at one size."""

    method: str
    size: Size
    open_s: float
    """Seconds to load weights and make ready."""
    first_s: float
    """Seconds from opening to the first picture, ``open_s`` included."""
    steady_s: tuple[float, ...]
    """Seconds of each window after the first."""
    processor_s: tuple[float, ...]
    """Seconds that processors spent on each of them, all threads together; a busy machine does not add to them."""
    host_bytes: int
    """Growth of resident memory at its peak, from before the method was opened."""
    process_bytes: int
    """The whole process's resident memory at that peak, interpreter and libraries included."""
    device_bytes: int | None
    """Peak on a CUDA device; None on the CPU."""
    shares: dict[str, float]
    """Part of the time that each part of a steady window takes; 1 in all."""
    plan: str

    @property
    def seconds(self) -> float:
        """Seconds a frame: the median of the steady windows."""
        return median(self.steady_s)

    @property
    def bytes(self) -> int:
        """Peak memory where the pixels are: on the device, else on the host."""
        return self.host_bytes if self.device_bytes is None else self.device_bytes

    def to_json(self) -> dict[str, Any]:
        """All of it as a JSON object, seconds and bytes."""
        return {
            **vars(self),
            "size": list(self.size),
            "seconds_per_frame": self.seconds,
            "processor_seconds_per_frame": median(self.processor_s),
            "frames_per_second": 1 / self.seconds,
        }


@dataclass(frozen=True)
class NotRun:
    """A method that there was not enough memory for."""

    method: str
    size: Size
    bytes: int | None
    """What it needs; None where nobody knows."""
    why: str

    def to_json(self) -> dict[str, Any]:
        """All of it as a JSON object."""
        return {**vars(self), "size": list(self.size)}


@dataclass(frozen=True)
class Opening:
    """How a method is opened, and where it runs."""

    method: str
    device: torch.device
    open: Callable[[], Contender]


def measure(opening: Opening, size: Size, frames: int) -> Measured:
    """Open a method and run it over a moving window: one window cold, ``frames`` steady ones, one for its parts."""
    windows = Pan(size, frames + 2).windows()
    with MemoryPeak(opening.device) as peak:
        began = time.perf_counter()
        contender = opening.open()
        open_s = time.perf_counter() - began
        first, *steady = (_spent(contender, next(windows)) for _ in range(frames + 1))
    found = _metered(contender, next(windows), PartMeter(clock(opening.device)))
    seconds, processor_seconds = zip(*steady, strict=True)
    return Measured(
        opening.method, size, open_s, open_s + first[0], seconds, processor_seconds,
        peak.host_growth, peak.host_peak, peak.device_peak,
        {part: taken / sum(found.values()) for part, taken in found.items()}, contender.plan(size),
    )  # fmt: skip


def count(opening: Opening) -> dict[str, float]:
    """Floating-point operations of each part of a steady window, for a frame of 256 x 256 pixels.

    A multiplication and an addition are two. See :func:`~f2hdr_backend.evaluate.bench.parts.operations` for what is
    not counted.
    """
    contender = opening.open()
    windows = Pan(COUNTED_SIZE, 2).windows()
    contender.run(next(windows))
    with FlopCounterMode(display=False) as counter:
        found = _metered(contender, next(windows), PartMeter(operations(counter)))
    scale = TOLD_PIXELS / (COUNTED_SIZE[0] * COUNTED_SIZE[1])
    return {part: operations * scale for part, operations in found.items()}


def _spent(contender: Contender, frames: WindowFrames) -> tuple[float, float]:
    """Seconds until the picture is there, on the host, and seconds that processors spent on it."""
    began, spent = time.perf_counter(), time.process_time()
    contender.run(frames)
    return time.perf_counter() - began, time.process_time() - spent


def _metered(contender: Contender, frames: WindowFrames, meter: PartMeter) -> dict[str, float]:
    """What each part of one window takes."""
    inner = contender.estimator
    contender.estimator = MeteredEstimator(inner, meter)
    try:
        return meter.over(lambda: contender.run(frames))
    finally:
        contender.estimator = inner
