"""One window of code values to one frame of radiance: padding, flow, network, cropping."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from f2hdr_backend.engine.merge import merge
from f2hdr_backend.flow.estimator import Estimator, SizeRequirement, load_estimator
from f2hdr_backend.flow.occlusion import occlusion
from f2hdr_backend.flow.window import estimate_flows
from f2hdr_backend.model.f2hdr import F2HDR, SIZE_MULTIPLE
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import DeviceUnavailable
from f2hdr_backend.shot.events import Warned
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.weights import store

FloatArray = NDArray[np.float32]

PUBLISHED_RATIO_STOPS = (2.0, 3.0)
"""Stops between the exposures that weights saw in training, where their card does not say."""
MERGE_ALIGNMENT = "brightest"
"""Exposure alignment of the flow that the classical merge stands on."""


@dataclass(frozen=True)
class HdrFrame:
    """What a window gives. Radiance 1 is the clip of the shortest exposure."""

    radiance: FloatArray
    """``(H, W, 3)``."""
    coarse: FloatArray
    """``(H, W, 3)`` stage I's result."""
    flows: FloatArray
    """``(2, H, W, 2)`` pixels, reference to previous and to next, y down."""
    masks: FloatArray
    """``(2, H, W)`` motion masks 0-1."""
    occlusions: FloatArray
    """``(2, H, W)`` 1 where a neighbor does not show the pixel; zeros unless asked for."""


class Method(Protocol):
    """A way to reconstruct a window, opened once and used for many."""

    name: str
    """The weights' name, or ``merge``."""
    flow_name: str
    """The flow estimator in use."""
    device: torch.device
    """Where it computes."""

    @property
    def precision(self) -> str:
        """``fp32``, ``bf16`` or ``fp16``."""
        ...

    @property
    def digest(self) -> str:
        """Identity for resuming: weights, flow estimator and precision."""
        ...

    def __call__(self, codes: FloatArray, exposures: tuple[float, float, float], *, occlusions: bool) -> HdrFrame:
        """``(3, H, W, 3)`` gamma-2.2 codes 0-1 of previous, reference, next, and their relative exposures."""
        ...

    def warnings(self, exposures: ExposurePattern) -> Iterator[Warned]:
        """What a user should know before the first frame."""
        ...


def open_method(engine: Engine) -> Method:
    """Load what ``engine`` asks for onto its device.

    Raises:
        DeviceUnavailable, WeightsError, DocumentError: the device, the weights or the estimator is not there.
    """
    device = pick_device(engine.device)
    return MergeMethod(engine, device) if engine.method == "merge" else NetworkMethod(engine, device)


def pick_device(name: str) -> torch.device:
    """``auto`` is the first CUDA device, else the CPU; raises DeviceUnavailable for one that is not there."""
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise DeviceUnavailable(
            f"The device {name!r} cannot be used here.", hint="Run f2hdr info to see the devices.", device=name
        ) from error
    return device


class NetworkMethod:
    """The F2HDR network with the flow estimator its weights were trained on, or the one asked for."""

    def __init__(self, engine: Engine, device: torch.device, entry: store.WeightsEntry | None = None) -> None:
        """Load the weights that ``engine`` names, or those of ``entry``."""
        entry = entry or store.find(engine.weights)
        self.name = entry.name
        weights = store.load(entry)
        self.descriptor = weights.reading()
        self.flow_name = self.descriptor.flow if engine.flow == "auto" else engine.flow
        self._card = weights.card
        with torch.device("meta"):
            self._network = F2HDR(self.descriptor)
        self._network.load_state_dict(dict(weights.tensors), assign=True)
        self._network.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.estimator = load_estimator(self.flow_name, device)
        self.device = device
        self._precision = _precision(engine.precision, device)
        self._weights_digest = entry.sha256

    @property
    def precision(self) -> str:
        """``fp32``, ``bf16`` or ``fp16``."""
        return {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}[self._precision]

    @property
    def digest(self) -> str:
        """Identity for resuming."""
        return _digest(self._weights_digest, self.estimator.digest, self.precision)

    def warnings(self, exposures: ExposurePattern) -> Iterator[Warned]:
        """See :class:`Method`: exposure ratios and flow that the weights were not trained on."""
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

    @torch.inference_mode()
    def __call__(self, codes: FloatArray, exposures: tuple[float, float, float], *, occlusions: bool) -> HdrFrame:
        """See :class:`Method`."""
        height, width = codes.shape[1:3]
        padding = Padding.around((width, height), (self.estimator.size, SizeRequirement(multiple_of=SIZE_MULTIPLE)))
        frames = padding.pad(_tensor(codes, self.device))
        gains = torch.tensor([exposures], dtype=torch.float32, device=self.device)
        alignment = self.descriptor.exposure_alignment
        flows = estimate_flows(frames, gains, self.estimator, alignment)
        half = self._precision != torch.float32
        with torch.autocast(self.device.type, self._precision, enabled=half):
            result = self._network(frames, gains, flows)
        hidden = _occlusions(frames, gains, result.flows, self.estimator, alignment) if occlusions else None
        return _hdr_frame(padding, (result.hdr, result.coarse, result.flows, result.masks, hidden))


class MergeMethod:
    """The classical merge on DIS flow, or on the estimator asked for."""

    name = "merge"
    precision = "fp32"

    def __init__(self, engine: Engine, device: torch.device) -> None:
        self.flow_name = "dis" if engine.flow == "auto" else engine.flow
        self.estimator = load_estimator(self.flow_name, device)
        self.device = device

    @property
    def digest(self) -> str:
        """Identity for resuming."""
        return _digest("merge-1", self.estimator.digest)

    def warnings(self, exposures: ExposurePattern) -> Iterator[Warned]:
        """See :class:`Method`: none."""
        yield from ()

    @torch.inference_mode()
    def __call__(self, codes: FloatArray, exposures: tuple[float, float, float], *, occlusions: bool) -> HdrFrame:
        """See :class:`Method`; a merge has no coarse stage and no motion mask of its own."""
        height, width = codes.shape[1:3]
        padding = Padding.around((width, height), (self.estimator.size,))
        frames = padding.pad(_tensor(codes, self.device))
        gains = torch.tensor([exposures], dtype=torch.float32, device=self.device)
        flows = estimate_flows(frames, gains, self.estimator, MERGE_ALIGNMENT)
        hidden = _occlusions(frames, gains, flows, self.estimator, MERGE_ALIGNMENT)
        merged = merge(frames, gains, flows, hidden)
        return _hdr_frame(padding, (merged, merged, flows, hidden, hidden))


@dataclass(frozen=True)
class Padding:
    """Replicated borders that bring a frame to a size a network takes, split evenly."""

    left: int
    right: int
    top: int
    bottom: int

    @classmethod
    def around(cls, size: tuple[int, int], requirements: tuple[SizeRequirement, ...]) -> Padding:
        """The padding of a (width, height) frame that satisfies all requirements."""
        wide, high = (_padded(side, requirements) - side for side in size)
        return cls(wide // 2, wide - wide // 2, high // 2, high - high // 2)

    def pad(self, frames: Tensor) -> Tensor:
        """``(B, N, C, H, W)`` with borders."""
        edges = [self.left, self.right, self.top, self.bottom]
        return F.pad(frames.flatten(0, 1), edges, mode="replicate").unflatten(0, frames.shape[:2])

    def crop(self, picture: Tensor) -> Tensor:
        """``(..., H, W)`` without them."""
        height, width = picture.shape[-2:]
        return picture[..., self.top : height - self.bottom, self.left : width - self.right]


def _padded(side: int, requirements: tuple[SizeRequirement, ...]) -> int:
    """The smallest length from ``side`` on that all requirements leave as it is."""
    while True:
        padded = max(requirement.padded(side) for requirement in requirements)
        if padded == side:
            return side
        side = padded


def _occlusions(frames: Tensor, gains: Tensor, flows: Tensor, estimator: Estimator, alignment: str) -> Tensor:
    """``(B, 2, 1, H, W)`` where each neighbor does not show the reference's pixel."""
    hidden = []
    for side, index in ((0, 0), (1, 2)):
        turned = [index, 1, index]
        back = estimate_flows(frames[:, turned], gains[:, turned], estimator, alignment)[:, 0]
        hidden.append(occlusion(flows[:, side], back))
    return torch.stack(hidden, 1)


def _hdr_frame(padding: Padding, parts: tuple[Tensor, Tensor, Tensor, Tensor, Tensor | None]) -> HdrFrame:
    radiance, coarse, flows, masks, hidden = parts
    occluded = torch.zeros_like(masks) if hidden is None else hidden
    return HdrFrame(
        _picture(padding.crop(radiance[0])),
        _picture(padding.crop(coarse[0])),
        _picture(padding.crop(flows[0])),
        _picture(padding.crop(masks[0, :, 0])[..., None, :, :])[..., 0],
        _picture(padding.crop(occluded[0, :, 0])[..., None, :, :])[..., 0],
    )


def _tensor(codes: FloatArray, device: torch.device) -> Tensor:
    """``(3, H, W, 3)`` codes as ``(1, 3, 3, H, W)``."""
    return torch.from_numpy(np.ascontiguousarray(codes)).to(device).permute(0, 3, 1, 2).contiguous().unsqueeze(0)


def _picture(planes: Tensor) -> FloatArray:
    """``(..., C, H, W)`` as a contiguous ``(..., H, W, C)`` float32 array."""
    return np.ascontiguousarray(planes.movedim(-3, -1).float().cpu().numpy())


def _precision(name: str, device: torch.device) -> torch.dtype:
    """The arithmetic that ``name`` asks for; ``auto`` is half precision where the device has it, else float32."""
    if name == "auto":
        if device.type == "cuda":
            return torch.float16
        return torch.bfloat16 if _has_bfloat16() else torch.float32
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[name]


def _has_bfloat16() -> bool:
    """Whether the CPU multiplies bf16 itself; others emulate it, slower than float32."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
