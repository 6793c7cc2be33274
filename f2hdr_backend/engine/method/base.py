"""The base of every reconstruction method: frames of a window, flows, memory plan and result."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from f2hdr_backend.engine.method.attempts import Result, let_go, ran_out
from f2hdr_backend.engine.method.features import NetworkFrame
from f2hdr_backend.engine.method.finishing import Finishing
from f2hdr_backend.engine.method.flows import KnownFlows, WindowFlows, pairs_of
from f2hdr_backend.engine.method.frame import EVERY_LAYER, HdrFrame, WindowFrames
from f2hdr_backend.engine.method.padding import Padding
from f2hdr_backend.engine.method.plan import Plan, Workload, leaner, make_plan
from f2hdr_backend.engine.method.to_host import Leaving, Pictures
from f2hdr_backend.flow.cache import open_cache
from f2hdr_backend.flow.estimator import Estimator, SizeRequirement, load_estimator
from f2hdr_backend.flow.stored import StoredFlows
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.machine.cpu_setup import keep_freed_memory
from f2hdr_backend.machine.device import NAMES
from f2hdr_backend.model.precision import exact_float32
from f2hdr_backend.model.transfer import upload
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import OutOfMemory
from f2hdr_backend.shot.events import Warned
from f2hdr_backend.shot.exposure import ExposurePattern

HOST = torch.device("cpu")


@dataclass(frozen=True)
class Started:
    """A window whose operations are queued on its device: see :meth:`Method.start`."""

    frames: WindowFrames
    layers: Collection[str]
    finishing: Finishing | None
    leaving: Leaving


@dataclass(frozen=True)
class WindowWork:
    """A window to compute: flows that are ``known`` are not estimated, and layers compute in ``precision``."""

    frames: WindowFrames
    plan: Plan
    padding: Padding
    layers: Collection[str]
    known: KnownFlows
    precision: torch.dtype


class Method(ABC):
    """A way to reconstruct windows, opened once and used for many windows."""

    name: str
    """The weights' name, or ``merge``."""
    flow_name: str
    """The flow estimator in use."""
    alignment: str
    """Exposures at which the estimator sees the frames: see ``Descriptor.exposure_alignment``."""
    compute_type = torch.float32
    """The type that layers compute in."""

    def __init__(self, engine: Engine, device: torch.device) -> None:
        self.engine = engine
        self.device = device
        self.estimator, flow_device = _open_estimator(self.flow_name, device)
        self.stored = StoredFlows(open_cache(), self.estimator.digest, self.alignment, flow_device)
        self._plans: dict[tuple[int, int], Plan] = {}
        self._planning = threading.RLock()  # threads that compute flows ahead use plans too

    @property
    def precision(self) -> str:
        """``fp32``, ``bf16`` or ``fp16``."""
        return NAMES[self.compute_type]

    @property
    @abstractmethod
    def digest(self) -> str:
        """Identity for resuming: weights, flow estimator and precision."""

    @property
    @abstractmethod
    def requirements(self) -> tuple[SizeRequirement, ...]:
        """Frame sizes that the method accepts; frames are padded to the next such size."""

    def warnings(self, exposures: ExposurePattern) -> Iterator[Warned]:
        """Warnings for the user before the first frame."""
        if self.estimator.caution:
            yield Warned("slow_flow", self.estimator.caution)

    @abstractmethod
    def workload(self, padded: tuple[int, int]) -> Workload:
        """The work for frames of a padded (width, height)."""

    @abstractmethod
    def _reconstruct(self, work: WindowWork) -> Pictures:
        """Queue the operations of a window."""

    def _arithmetic(self) -> AbstractContextManager[object]:
        """The autocast context for flow estimation."""
        return nullcontext()

    def __call__(self, codes: FloatArray, exposures: tuple[float, float, float], *, occlusions: bool) -> HdrFrame:
        """Reconstruct a single window with every layer, and with ``occlusions`` if requested.

        ``codes`` are ``(3, H, W, 3)`` gamma-2.2 codes 0-1 of previous, reference and next.
        """
        previous, reference, following = (NetworkFrame(number, codes[number], exposures[number]) for number in range(3))
        return self.reconstruct((previous, reference, following), (*EVERY_LAYER, *["occlusion"] * occlusions))

    def reconstruct(self, frames: WindowFrames, layers: Collection[str], known: KnownFlows | None = None) -> HdrFrame:
        """Reconstruct a window: :meth:`start` and :meth:`finish`."""
        return self.finish(self.start(frames, layers, known))

    @torch.inference_mode()
    def start(
        self,
        frames: WindowFrames,
        layers: Collection[str],
        known: KnownFlows | None = None,
        finishing: Finishing | None = None,
    ) -> Started:
        """Queue all operations of a window on the device, without waiting for them; a CPU has then computed it.

        Results that the frames keep from earlier windows are reused.

        Args:
            frames: previous, reference and next, of one size.
            layers: which of ``flow``, ``mask``, ``coarse`` and ``occlusion`` to return; others stay on the device.
            known: flows from :meth:`flows_ahead`.
            finishing: what a GPU does with the result before it leaves the GPU.

        Raises:
            OutOfMemory: the current plan needs more memory than is available; :meth:`spare` makes a leaner one.
        """
        leaving = self._leaving(frames, layers, known or {}, finishing, self.compute_type)
        return Started(frames, layers, finishing, leaving)

    @torch.inference_mode()
    def finish(self, started: Started) -> HdrFrame:
        """Wait for a window; if half precision overflowed, compute it again in float32. Raises as :meth:`start`."""
        frame, finite = started.leaving.wait()
        if finite or self.compute_type == torch.float32:
            return frame
        for each in started.frames:
            each.forget()
        frame, _ = self._leaving(started.frames, started.layers, {}, started.finishing, torch.float32).wait()
        for each in started.frames:
            each.forget()  # the pixels of other windows must not depend on this one
        return replace(frame, redone=True)

    def _leaving(
        self,
        frames: WindowFrames,
        layers: Collection[str],
        known: KnownFlows,
        finishing: Finishing | None,
        precision: torch.dtype,
    ) -> Leaving:
        size = frames[1].size
        padding, exposures = self._padding(size), (frames[0].exposure, frames[1].exposure, frames[2].exposure)
        try:
            with exact_float32(self.device):
                work = WindowWork(frames, self.plan(size), padding, layers, known, precision)
                return Leaving(self._reconstruct(work), padding, layers, exposures, finishing)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not ran_out(error):
                raise
            raise OutOfMemory(
                f"{size[0]} x {size[1]} pixels in {self.plan(size)} need more memory than is free on {self.device}.",
                hint="Close other programs, render with --memory or a smaller --tile, or on another --device.",
            ) from error

    def launch(
        self,
        frames: WindowFrames,
        layers: Collection[str],
        known: KnownFlows | None = None,
        finishing: Finishing | None = None,
    ) -> Generator[Warned, None, Started]:
        """Start a window as :meth:`start`, with a leaner plan each time memory runs out. Yields a warning for each new
        plan. Raises OutOfMemory if there is no leaner plan.
        """
        return (yield from self._attempts(frames, lambda: self.start(frames, layers, known, finishing)))

    def land(self, started: Started) -> Generator[Warned, None, HdrFrame]:
        """Finish a window as :meth:`launch` starts it. Also yields a warning if half precision overflowed."""
        frame = yield from self._attempts(started.frames, lambda: self.finish(started))
        if frame.redone:
            message = "Half precision overflowed; the frame was computed again in float32."
            yield Warned("redone_fp32", message, started.frames[1].number)
        return frame

    def fit(
        self, frames: WindowFrames, layers: Collection[str], known: KnownFlows | None = None
    ) -> Generator[Warned, None, HdrFrame]:
        """Reconstruct a window as :meth:`launch` and :meth:`land`."""
        return (yield from self.land((yield from self.launch(frames, layers, known))))

    def _attempts(self, frames: WindowFrames, attempt: Callable[[], Result]) -> Generator[Warned, None, Result]:
        while True:
            try:
                return attempt()
            except OutOfMemory as error:
                failed = error
            let_go(failed)
            for each in frames:
                each.forget()
            plan = self.spare(frames[1].size)
            if plan is None:
                raise failed
            message = f"{failed.message} The frame is computed again in {plan}."
            yield Warned("smaller_plan", message, frames[1].number)

    @property
    def works_ahead(self) -> bool:
        """Whether the host can compute flows before the device starts a window."""
        return not self.on_host and (self.estimator.on_host or bool(self.stored.cache.limit))

    @torch.inference_mode()
    def flows_ahead(self, frames: WindowFrames, layers: Collection[str]) -> KnownFlows:
        """Flows of a window that the host can compute ahead, in memory that the device reads directly; thread-safe.

        ``frames`` must not be those that a device works on: what they keep is on the host.
        """
        size = frames[1].size
        pairs = pairs_of(frames) + pairs_of(frames, back=True) * self.needs_back(layers)
        with self._arithmetic():
            return WindowFlows(self.estimator, self.stored, self._padding(size), 1).ahead(pairs, self.device)

    def needs_back(self, layers: Collection[str]) -> bool:
        """Whether flows from the neighbors to the reference are also needed."""
        return "occlusion" in layers

    def plan_anew(self) -> None:
        """Discard the plans, because free memory differs from shot to shot."""
        with self._planning:
            self._plans.clear()

    def plan(self, size: tuple[int, int]) -> Plan:
        """The plan for frames of (width, height), chosen at the first call. Raises OutOfMemory if no plan fits."""
        with self._planning:
            if size not in self._plans:
                self._take(size, make_plan(self._workload(size), self.engine, self.device))
            return self._plans[size]

    def spare(self, size: tuple[int, int]) -> Plan | None:
        """Switch to a plan for (width, height) that needs less memory; None if there is none."""
        with self._planning:
            plan = leaner(self._workload(size), self.plan(size))
            if plan is not None:
                self._take(size, plan)
        if plan is not None and self.device.type == "cuda":
            torch.cuda.empty_cache()
        return plan

    def _take(self, size: tuple[int, int], plan: Plan) -> None:
        self._plans[size] = plan
        if self.on_host:
            keep_freed_memory(plan.keeps_freed)

    @property
    def on_host(self) -> bool:
        """Whether the CPU computes."""
        return self.device.type == "cpu"

    def _padding(self, size: tuple[int, int]) -> Padding:
        return Padding.around(size, self.requirements)

    def _workload(self, size: tuple[int, int]) -> Workload:
        height, width = self._padding(size).padded(size)
        return self.workload((width, height))

    def _flows(self, work: WindowWork, *, back: bool = False) -> Tensor:
        """``(1, 2, 2, H, W)`` flows from the reference to its neighbors, or from them ``back`` to it."""
        estimate = WindowFlows(self.estimator, self.stored, work.padding, work.plan.pairs_at_once)
        return torch.stack(estimate(pairs_of(work.frames, back=back), work.known, self.device), 1)

    def _tensors(self, work: WindowWork) -> tuple[Tensor, Tensor]:
        """``(1, 3, 3, H, W)`` codes and ``(1, 3)`` exposures of a window."""
        codes = torch.stack([frame.tensor(work.padding, self.device) for frame in work.frames], 1)
        exposures = torch.tensor([[frame.exposure for frame in work.frames]], dtype=torch.float32)
        return codes, upload(exposures, self.device)


def _open_estimator(name: str, device: torch.device) -> tuple[Estimator, torch.device]:
    """A flow estimator and the device that computes its flows: the host if it runs nowhere else."""
    estimator = load_estimator(name, device)
    if not estimator.on_host or device == HOST:
        return estimator, device
    return load_estimator(name, HOST), HOST
