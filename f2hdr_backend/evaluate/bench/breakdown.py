"""Splits a measured quantity, time or FLOPs, among the parts of a window."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.utils.flop_counter import FlopCounterMode

from f2hdr_backend.flow.estimator import Estimator
from f2hdr_backend.model.adapter import FlowAdapter
from f2hdr_backend.model.fusion import FusionNet
from f2hdr_backend.model.motion import LearnedMotionMask, PhysicalMotionMask
from f2hdr_backend.model.refine import FrameEncoder, RefineNet

FLOW_FEATURES, FLOW_UPDATES, REST = "flow features", "flow updates", "rest"
LAYERS: dict[type[nn.Module], str] = {
    FlowAdapter: "adapter",
    FusionNet: "fusion",
    PhysicalMotionMask: "mask",
    LearnedMotionMask: "mask",
    FrameEncoder: "encoders",
    RefineNet: "refinement",
}
"""The part that a layer type belongs to; it includes the layers inside, unless they are parts of their own."""
PARTS = (FLOW_FEATURES, FLOW_UPDATES, *dict.fromkeys(LAYERS.values()), REST)
"""Names of all parts. Flow updates are all work on pairs: context, iterations, upsampling."""


class PartMeter:
    """Assigns the increase of a meter to the parts of a run; the innermost part counts."""

    def __init__(self, read: Callable[[], float]) -> None:
        """``read`` is called when a part begins or ends, and returns a number that never decreases."""
        self._read = read
        self._open = [REST]
        self._mark = 0.0
        self._found = dict.fromkeys(PARTS, 0.0)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Assign the work inside the block to the part ``name``."""
        self._begin(name)
        yield
        self._end()

    def over(self, run: Callable[[], object]) -> dict[str, float]:
        """Call ``run`` once with hooks on all layers; return the value of each part in the meter's unit."""
        before = hooks.register_module_forward_pre_hook(self._entered)
        after = hooks.register_module_forward_hook(self._left)
        try:
            self._mark = self._read()
            run()
            self._settle()
        finally:
            before.remove()
            after.remove()
        return self._found

    def _entered(self, layer: nn.Module, inputs: object) -> None:
        if type(layer) in LAYERS:
            self._begin(LAYERS[type(layer)])

    def _left(self, layer: nn.Module, inputs: object, result: object) -> None:
        if type(layer) in LAYERS:
            self._end()

    def _begin(self, name: str) -> None:
        self._settle()
        self._open.append(name)

    def _end(self) -> None:
        self._settle()
        self._open.pop()

    def _settle(self) -> None:
        """Assign the increase since the last call to the innermost part."""
        now = self._read()
        self._found[self._open[-1]] += now - self._mark
        self._mark = now


class MeteredEstimator:
    """A flow estimator whose two steps are measured as parts."""

    def __init__(self, inner: Estimator, meter: PartMeter) -> None:
        self._inner = inner
        self._meter = meter
        self.size = inner.size
        self.bytes_per_pixel = inner.bytes_per_pixel
        self.on_host = inner.on_host
        self.caution = inner.caution

    @property
    def digest(self) -> str:
        """See :class:`Estimator`."""
        return self._inner.digest

    def encode(self, frames: Tensor) -> Any:
        """See :class:`Estimator`."""
        with self._meter.part(FLOW_FEATURES):
            return self._inner.encode(frames)

    def batch(self, encoded: Sequence[Any]) -> Any:
        """See :class:`Estimator`."""
        return self._inner.batch(encoded)

    def estimate(self, reference: Any, neighbor: Any) -> Tensor:
        """See :class:`Estimator`."""
        with self._meter.part(FLOW_UPDATES):
            return self._inner.estimate(reference, neighbor)


def clock(device: torch.device) -> Callable[[], float]:
    """Return a function that reads the time in seconds after ``device`` has finished all its work."""

    def read() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    return read


def operations(counter: FlopCounterMode) -> Callable[[], float]:
    """Return a function that reads the FLOPs of convolutions and linear layers from ``counter``.

    Correlation is not counted in any implementation: the lookups of the C++ and Triton kernels are not visible, and the
    matrix products of the volume grow with the square of the pixels. DIS, warps and activations are not counted either.
    """
    correlation = torch.ops.aten.bmm

    def read() -> float:
        seen = counter.get_flop_counts().get("Global", {})
        return float(sum(count for operation, count in seen.items() if operation is not correlation))

    return read
