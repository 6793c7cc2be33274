"""The methods to measure: the engine with the network, the engine's classical merge, and the plain implementation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch

from f2hdr_backend.engine.method.attempts import fitted, ran_out
from f2hdr_backend.engine.method.base import Method
from f2hdr_backend.engine.method.choose import open_method
from f2hdr_backend.engine.method.features import NetworkFrame
from f2hdr_backend.engine.method.flows import KnownFlows
from f2hdr_backend.engine.method.frame import HdrFrame, WindowFrames
from f2hdr_backend.engine.method.quality import resolved
from f2hdr_backend.engine.method.staging import one_thread_each, stage
from f2hdr_backend.evaluate.bench.baseline_network import PlainMethod
from f2hdr_backend.evaluate.bench.baseline_sea_raft import VolumeEstimator
from f2hdr_backend.evaluate.bench.measure import Contender, Measured, NotRun, Opening, Ready, Size, count, measure
from f2hdr_backend.evaluate.bench.random_weights import sea_raft_installed
from f2hdr_backend.flow.estimator import Estimator, load_estimator
from f2hdr_backend.machine.container import usable_cpus
from f2hdr_backend.machine.device import NAMES, free_memory, pick_device, pick_precision
from f2hdr_backend.machine.read_ahead import ReadAhead
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.sea_raft.network import STRIDE
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import OutOfMemory
from f2hdr_backend.shot.sizes import format_size, parse_size
from f2hdr_backend.weights import store

OURS, MERGE, PLAIN = "f2hdr", "merge", "plain"
"""Names of the three methods; ``plain`` is the network organized as in the authors' released code."""
LAYERS = ("flow",)
"""Layers that a render with default settings needs besides the radiance."""
PLAIN_FRAMES = 2
"""Maximum number of steady windows of the plain run; they are slow, and all alike because nothing is cached."""
CUDNN_LARGEST_BATCH = 65535
"""Maximum batch size of cuDNN's sampler; the released code passes one picture per pixel of the coarse grid."""
SHARE_OF_FREE = 0.9
"""Maximum share of the free memory for the plain run."""


@dataclass(frozen=True)
class Bench:
    """One network with one flow estimator, measured together with the merge and the plain implementation."""

    engine: Engine
    """Engine settings; ``method`` is ignored."""
    entry: store.WeightsEntry
    device: torch.device
    flow: str
    """The network's flow estimator."""
    untrained_flow: bool
    """Whether SEA-RAFT's weights are random; the measured times are valid, the images are not."""

    def measure(self, method: str, size: Size, frames: int) -> Measured | NotRun:
        """Measure ``f2hdr``, ``merge`` or ``plain``.

        Args:
            method: one of the three names.
            size: (width, height) of the frames in pixels.
            frames: number of steady windows; at most :data:`PLAIN_FRAMES` for the plain run.
        """
        if method == PLAIN:
            if not self.runs(method):
                return NotRun(PLAIN, size, None, "only available for the paper's network")
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
        """Return whether these weights support the method; the plain run needs the paper's network."""
        return method != PLAIN or isinstance(self.entry.descriptor, Descriptor)

    def count(self, method: str) -> dict[str, float]:
        """Return the FLOPs of each part of a steady window, for a frame of 256 x 256 pixels."""
        return count(self.opening(method))

    @property
    def precision(self) -> str:
        """Precision of the network: ``fp32``, ``bf16`` or ``fp16``."""
        return NAMES[pick_precision(self.engine.precision, self.device)]

    def opening(self, method: str) -> Opening:
        """Return how to open ``f2hdr``, ``merge`` or ``plain``."""
        made: dict[str, Callable[[Bench], Contender]] = {OURS: _network, MERGE: _merge, PLAIN: _plain}
        return Opening(method, self.device, partial(made[method], self))

    def _lacking(self, size: Size) -> NotRun | None:
        """Return a result that states the required memory if the plain run does not fit."""
        needed = _plain(self).bytes_needed(size)
        there = int(SHARE_OF_FREE * free_memory(self.device))
        if self.engine.memory:
            there = min(there, parse_size(self.engine.memory))
        pixels = size[0] // STRIDE * (size[1] // STRIDE)
        if self.flow == store.SEA_RAFT and self.device.type == "cuda" and pixels > CUDNN_LARGEST_BATCH:
            return NotRun(PLAIN, size, needed, "its volume has more pictures than cuDNN's sampler supports")
        if needed <= there:
            return None
        return NotRun(PLAIN, size, needed, f"needs {format_size(needed)}, but {format_size(there)} are free")


@contextmanager
def open_bench(engine: Engine) -> Iterator[Bench]:
    """Yield the benchmark for the engine's weights, device and flow.

    If SEA-RAFT's weights are not installed, seeded random weights replace them in this context.

    Raises:
        DeviceUnavailable, WeightsError: the device or the network's weights are not available.
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
    """A method of the engine with the settings of a render, but without the flow cache."""

    def __init__(self, method: Method) -> None:
        method.stored.disable_cache()
        self._method = method
        self._own: dict[int, NetworkFrame] = {}

    @property
    def estimator(self) -> Estimator:
        """The method's flow estimator."""
        return self._method.estimator

    @estimator.setter
    def estimator(self, estimator: Estimator) -> None:
        self._method.estimator = estimator

    @contextmanager
    def feed(self, windows: Sequence[WindowFrames]) -> Iterator[Iterator[Ready]]:
        """See :class:`Contender`: as a render, whose threads pin frames and compute flows ahead for a GPU."""
        if self._method.on_host:
            yield ((window, {}) for window in windows)
            return
        frames = {frame.number: frame for window in windows for frame in window}
        staging = stage(1, usable_cpus(), float("inf"), makes_flows=self._method.works_ahead)
        with (
            one_thread_each(),
            ReadAhead(
                lambda number: frames[number].pinned(),
                [tuple(frame.number for frame in window) for window in windows],
                ahead=staging.ahead, readers=staging.readers, prepare=self._ready, makers=staging.makers,
            ) as plate,
        ):  # fmt: skip
            yield (self._taken(plate.take(place)) for place in range(len(windows)))

    def run(self, frames: WindowFrames, known: KnownFlows) -> HdrFrame:
        """Reconstruct a window; when memory runs out, retry with a plan that needs less."""
        return fitted(self._method.fit(frames, LAYERS, known), lambda _: None)

    def _ready(self, frames: list[NetworkFrame]) -> Ready:
        previous, reference, following = frames
        window = previous, reference, following
        return window, self._method.flows_ahead(window, LAYERS) if self._method.works_ahead else {}

    def _taken(self, ready: Ready) -> Ready:
        """The window for the device: frames of earlier windows are the same objects, with their cached results."""
        window, known = ready
        self._own = {frame.number: self._own.get(frame.number) or frame.bare() for frame in window}
        previous, reference, following = (self._own[frame.number] for frame in window)
        return (previous, reference, following), known

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
    assert isinstance(descriptor, Descriptor)  # Bench.measure has checked it
    return PlainMethod(descriptor, weights.tensors, estimator, bench.device)
