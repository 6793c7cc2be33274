"""The two ways to reconstruct a window: the network, and a classical merge."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import torch
from torch import Tensor

from f2hdr_backend.engine.method.base import NOTHING, HdrFrame, Method, WindowFrames
from f2hdr_backend.engine.method.features import NetworkFrame
from f2hdr_backend.engine.method.flows import KnownFlows
from f2hdr_backend.engine.method.merge import merge
from f2hdr_backend.engine.method.padding import Padding
from f2hdr_backend.engine.method.plan import Plan, Workload
from f2hdr_backend.flow.estimator import SizeRequirement
from f2hdr_backend.flow.occlusion import occlusion
from f2hdr_backend.machine.device import NAMES, pick_device, pick_precision
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.f2hdr import F2HDR, SIZE_MULTIPLE, Reconstruction
from f2hdr_backend.model.folding import fold_batch_norms
from f2hdr_backend.model.precision import InPrecision
from f2hdr_backend.model.transfer import Download, upload
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.events import Warned
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.weights import store

PUBLISHED_RATIO_STOPS = (2.0, 3.0)
"""Stops between the exposures that weights saw in training, where their card does not say."""
MERGE_ALIGNMENT = "brightest"
"""Exposure alignment of the flow that the classical merge stands on."""


def open_method(engine: Engine, device: torch.device | None = None) -> Method:
    """Load what ``engine`` asks for onto ``device``, by default its own.

    Raises:
        DeviceUnavailable, WeightsError, DocumentError: the device, the weights or the estimator is not there.
    """
    device = device or pick_device(engine.device)
    return MergeMethod(engine, device) if engine.method == "merge" else NetworkMethod(engine, device)


class NetworkMethod(Method):
    """The F2HDR network with the flow estimator its weights were trained on, or the one asked for."""

    def __init__(self, engine: Engine, device: torch.device, entry: store.WeightsEntry | None = None) -> None:
        """Load the weights that ``engine`` names, or those of ``entry``."""
        entry = entry or store.find(engine.weights)
        self.name = entry.name
        weights = store.load(entry)
        self.descriptor = weights.reading()
        self.alignment = self.descriptor.exposure_alignment
        self.flow_name = self.descriptor.flow if engine.flow == "auto" else engine.flow
        self._card = weights.card
        with torch.device("meta"):
            self._network = F2HDR(self.descriptor)
        self._network.load_state_dict(dict(weights.tensors), assign=True)
        fold_batch_norms(self._network.eval().requires_grad_(False))
        self._network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._networks = InPrecision(self._network)
        self._precision = pick_precision(engine.precision, device)
        self._weights_digest = entry.sha256
        super().__init__(engine, device)

    @property
    def precision(self) -> str:
        """``fp32``, ``bf16`` or ``fp16``."""
        return NAMES[self._precision]

    @property
    def digest(self) -> str:
        """Identity for resuming."""
        return _digest(self._weights_digest, self.estimator.digest, self.precision)

    @property
    def requirements(self) -> tuple[SizeRequirement, ...]:
        """Sizes that the estimator and the network take."""
        return self.estimator.size, SizeRequirement(multiple_of=SIZE_MULTIPLE)

    def warnings(self, exposures: ExposurePattern) -> Iterator[Warned]:
        """See :class:`Method`: exposure ratios and flow that the weights were not trained on."""
        yield from super().warnings(exposures)
        low, high = self._card.get("ratio_stops", PUBLISHED_RATIO_STOPS)
        if not low <= exposures.ratio_stops <= high:
            yield Warned(
                "exposure_ratio",
                f"The exposures are {exposures.ratio_stops:.2f} stops apart; "
                f"the weights were trained on {low:g} to {high:g}.",
            )
        if self.flow_name != self.descriptor.flow:
            yield Warned(
                "other_flow", f"The weights were trained on {self.descriptor.flow} flow and are given {self.flow_name}."
            )

    def workload(self, padded: tuple[int, int]) -> Workload:
        """See :class:`Method`."""
        return Workload(*padded, self.descriptor, self._precision, self.estimator.bytes_per_pixel, self.on_host)

    def _arithmetic(self) -> AbstractContextManager[object]:
        return self._autocast(self._precision)

    def _autocast(self, precision: torch.dtype) -> torch.autocast:
        return torch.autocast(self.device.type, precision, enabled=precision != torch.float32)

    def _reconstruct(
        self, frames: WindowFrames, plan: Plan, padding: Padding, layers: Collection[str], known: KnownFlows
    ) -> HdrFrame:
        frame, finite = self._computed(frames, plan, padding, layers, known, self._precision)
        if finite or self._precision == torch.float32:
            return frame
        for each in frames:
            each.forget()
        frame, _ = self._computed(frames, plan, padding, layers, {}, torch.float32)
        for each in frames:
            each.forget()  # other windows give the same pixels whether or not this one comes before them
        return replace(frame, redone=True)

    def _computed(
        self,
        frames: WindowFrames,
        plan: Plan,
        padding: Padding,
        layers: Collection[str],
        known: KnownFlows,
        precision: torch.dtype,
    ) -> tuple[HdrFrame, bool]:
        """The frame, and whether all of it is finite."""
        codes, exposures = self._tensors(frames, padding)
        network = self._networks(precision)
        with self._autocast(precision):
            flows = self._flows(frames, plan, padding, known)
            encoded = None
            if self.descriptor.refine:
                encoded = [self._encoded(network, frame, plan, padding) for frame in frames]
            if frames[0] is not frames[2]:
                frames[0].drop("features")  # in a moving window, no later one needs them
            result: Reconstruction = network(codes, exposures, flows, encoded=encoded, over=plan.over)
            pictures = {"radiance": result.hdr, "coarse": result.coarse, "flow": result.flows, "mask": result.masks}
            if self.needs_back(layers):
                back = self._flows(frames, plan, padding, known, back=True)
                pictures["occlusion"] = _occlusions(result.flows, back)
        return _on_host(padding, pictures, layers)

    def _encoded(self, network: F2HDR, frame: NetworkFrame, plan: Plan, padding: Padding) -> Tensor:
        """Stage II's features of a frame."""
        if frame.has("features"):
            features: Tensor = frame.kept("features")
            return features
        exposure = upload(torch.tensor([frame.exposure], dtype=torch.float32), self.device)
        features = network.encode(frame.tensor(padding, self.device), exposure, plan.over)
        if plan.keep_features:
            frame.keep("features", features)
        return features


class MergeMethod(Method):
    """The classical merge on DIS flow, or on the estimator asked for."""

    name = "merge"
    precision = "fp32"
    alignment = MERGE_ALIGNMENT

    def __init__(self, engine: Engine, device: torch.device) -> None:
        self.flow_name = "dis" if engine.flow == "auto" else engine.flow
        super().__init__(engine, device)

    @property
    def digest(self) -> str:
        """Identity for resuming."""
        return _digest("merge-1", self.estimator.digest)

    @property
    def requirements(self) -> tuple[SizeRequirement, ...]:
        """Sizes that the estimator takes."""
        return (self.estimator.size,)

    def needs_back(self, layers: Collection[str]) -> bool:
        """See :class:`Method`: always, as no light comes from where a neighbor does not show the pixel."""
        return True

    def workload(self, padded: tuple[int, int]) -> Workload:
        """See :class:`Method`: no network, but pictures of its own."""
        none = Descriptor(adapter=False, refine=False)
        return Workload(*padded, none, torch.float32, self.estimator.bytes_per_pixel, self.on_host, in_bands=False)

    def _reconstruct(
        self, frames: WindowFrames, plan: Plan, padding: Padding, layers: Collection[str], known: KnownFlows
    ) -> HdrFrame:
        """A merge has no coarse stage and no motion mask of its own."""
        codes, exposures = self._tensors(frames, padding)
        flows = self._flows(frames, plan, padding, known)
        hidden = _occlusions(flows, self._flows(frames, plan, padding, known, back=True))
        merged = merge(codes, exposures, flows, hidden)
        pictures = {"radiance": merged, "coarse": merged, "flow": flows, "mask": hidden, "occlusion": hidden}
        return _on_host(padding, pictures, layers)[0]


def _occlusions(flows: Tensor, back: Tensor) -> Tensor:
    """``(B, 2, 1, H, W)`` where each neighbor does not show the reference's pixel; flows ``(B, 2, 2, H, W)``."""
    return torch.stack([occlusion(flows[:, side], back[:, side]) for side in (0, 1)], 1)


CHANNELS_LAST: dict[str, Callable[[Tensor], Tensor]] = {
    "radiance": lambda picture: picture.movedim(0, -1),
    "coarse": lambda picture: picture.movedim(0, -1),
    "flow": lambda picture: picture.movedim(1, -1),
    "mask": lambda picture: picture[:, 0],
    "occlusion": lambda picture: picture[:, 0],
}
"""How the pictures of a window lie in an HdrFrame."""


def _on_host(padding: Padding, pictures: dict[str, Tensor], layers: Collection[str]) -> tuple[HdrFrame, bool]:
    """The light of a batch of one and the ``layers`` asked for, which is all that leaves the device; and whether
    neither light nor flows overflowed: a flow that did leads nowhere, and its pixel would look well."""
    finite = torch.isfinite(pictures["radiance"]).all() & torch.isfinite(pictures["flow"]).all()
    names = ["radiance", *(name for name in pictures if name in layers)]
    planes = [CHANNELS_LAST[name](padding.crop(pictures[name][0])).float().contiguous() for name in names]
    told, *arrays = Download(finite, *planes).wait()
    found = {name: array.numpy() for name, array in zip(names, arrays, strict=True)}
    coarse, flows, masks, occlusions = (found.get(name, NOTHING) for name in ("coarse", "flow", "mask", "occlusion"))
    return HdrFrame(found["radiance"], coarse, flows, masks, occlusions), bool(told)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
