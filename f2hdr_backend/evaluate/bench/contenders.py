"""The methods that are measured side by side: the engine with the network, its classical merge, and the plain run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch

from f2hdr_backend.engine.method.base import HdrFrame, Method, WindowFrames, fitted, ran_out
from f2hdr_backend.engine.method.choose import open_method
from f2hdr_backend.engine.method.quality import resolved
from f2hdr_backend.evaluate.bench.measure import Contender, Measured, NotRun, Opening, Size, count, measure
from f2hdr_backend.evaluate.bench.plain import PlainMethod
from f2hdr_backend.evaluate.bench.untrained import sea_raft_installed
from f2hdr_backend.evaluate.bench.volume import VolumeEstimator
from f2hdr_backend.flow.estimator import Estimator, load_estimator
from f2hdr_backend.machine.device import NAMES, free_memory, pick_device, pick_precision
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import OutOfMemory
from f2hdr_backend.shot.sizes import format_size, parse_size
from f2hdr_backend.weights import store

OURS, MERGE, PLAIN = "f2hdr", "merge", "plain"
"""The engine with the network, the engine's classical merge, and the network as the released code organizes it."""
LAYERS = ("flow",)
"""What a render takes from a window beside its light, unless it is asked for more."""
PLAIN_FRAMES = 2
"""Steady windows of the plain run, at most: they are slow and, sharing nothing, all alike."""
SHARE_OF_FREE = 0.9
"""Part of the free memory that the plain run may need."""


@dataclass(frozen=True)
class Bench:
    """One network with one flow estimator, measured beside the merge and the plain run of the same."""

    engine: Engine
    """What is measured; its ``method`` is not looked at."""
    entry: store.WeightsEntry
    device: torch.device
    flow: str
    """The network's flow estimator."""
    untrained_flow: bool
    """Whether SEA-RAFT's weights are random: times hold, pictures do not."""

    def measure(self, method: str, size: Size, frames: int) -> Measured | NotRun:
        """Measure ``f2hdr``, ``merge`` or ``plain`` on frames of (width, height).

        Args:
            method: one of the three.
            size: in pixels.
            frames: steady windows; the plain run takes :data:`PLAIN_FRAMES` at most.
        """
        if method == PLAIN:
            if not self.runs(method):
                return NotRun(PLAIN, size, None, "exists for the paper's network only")
            lacking = self._lacking(size)
            if lacking is not None:
                return lacking
            frames = min(frames, PLAIN_FRAMES)
        try:
            return measure(self.opening(method), size, frames)
        except (OutOfMemory, MemoryError, RuntimeError) as error:
            if not isinstance(error, OutOfMemory) and not ran_out(error):
                raise
            return NotRun(method, size, None, "ran out of memory")

    def runs(self, method: str) -> bool:
        """Whether these weights have that method: the plain run is of the paper's network only."""
        return method != PLAIN or isinstance(self.entry.descriptor, Descriptor)

    def count(self, method: str) -> dict[str, float]:
        """Operations of each part of a steady window, for a frame of 256 x 256 pixels."""
        return count(self.opening(method))

    @property
    def precision(self) -> str:
        """The network's arithmetic."""
        return NAMES[pick_precision(self.engine.precision, self.device)]

    def opening(self, method: str) -> Opening:
        """How ``f2hdr``, ``merge`` or ``plain`` is opened."""
        made: dict[str, Callable[[Bench], Contender]] = {OURS: _network, MERGE: _merge, PLAIN: _plain}
        return Opening(method, self.device, partial(made[method], self))

    def _lacking(self, size: Size) -> NotRun | None:
        """Why the plain run cannot even be tried."""
        needed = _plain(self).bytes_needed(size)
        there = int(SHARE_OF_FREE * free_memory(self.device))
        if self.engine.memory:
            there = min(there, parse_size(self.engine.memory))
        if needed <= there:
            return None
        return NotRun(PLAIN, size, needed, f"needs {format_size(needed)}, {format_size(there)} are free")


@contextmanager
def open_bench(engine: Engine) -> Iterator[Bench]:
    """Find weights, device and flow; without SEA-RAFT's weights, seeded random ones serve as long as this lasts.

    Raises:
        DeviceUnavailable, WeightsError: the device or the network's weights are not there.
    """
    engine = resolved(engine)
    entry = store.find(engine.weights)
    device = pick_device(engine.device)
    flow = store.load(entry).reading().flow if engine.flow == "auto" else engine.flow
    if flow != store.SEA_RAFT:
        yield Bench(engine, entry, device, flow, False)
        return
    with sea_raft_installed() as untrained:
        yield Bench(engine, entry, device, flow, untrained)


class EngineContender:
    """A method of the engine, as a render uses it, but no flow comes from the cache."""

    def __init__(self, method: Method) -> None:
        method.stored.disable_cache()
        self._method = method

    @property
    def estimator(self) -> Estimator:
        """The method's flow estimator."""
        return self._method.estimator

    @estimator.setter
    def estimator(self, estimator: Estimator) -> None:
        self._method.estimator = estimator

    def run(self, frames: WindowFrames) -> HdrFrame:
        """Reconstruct a window, with a leaner plan as often as memory runs out."""
        return fitted(self._method.fit(frames, LAYERS), lambda _: None)

    def plan(self, size: Size) -> str:
        """See :class:`Contender`."""
        return str(self._method.plan(size))


def _network(bench: Bench) -> EngineContender:
    engine = replace(bench.engine, method="f2hdr", flow=bench.flow)
    return EngineContender(open_method(engine, bench.device, bench.entry))


def _merge(bench: Bench) -> EngineContender:
    return EngineContender(open_method(replace(bench.engine, method="merge", flow="auto"), bench.device))


def _plain(bench: Bench) -> PlainMethod:
    weights = store.load(bench.entry)
    estimator: Estimator
    if bench.flow == store.SEA_RAFT:
        estimator = VolumeEstimator(store.load(store.find(store.SEA_RAFT)).tensors, bench.device)
    else:
        estimator = load_estimator(bench.flow, bench.device)
    descriptor = weights.reading()
    assert isinstance(descriptor, Descriptor)  # Bench.measure asks for no other
    return PlainMethod(descriptor, weights.tensors, estimator, bench.device)
