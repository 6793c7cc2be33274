"""The network organized as in the authors' released code: the baseline for the engine's time and memory.

Float32, eager, contiguous, whole frames, batch norms not folded. Nothing is shared between windows, or between the two
pairs of a window: matching features are computed per frame and pair (four runs), stage II's features for all three
frames, and the correlation volume is stored. Layers and weights are those of the model, so the result is the engine's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from f2hdr_backend.engine.method.features import NetworkFrame
from f2hdr_backend.engine.method.flows import KnownFlows
from f2hdr_backend.engine.method.frame import HdrFrame, WindowFrames
from f2hdr_backend.engine.method.padding import Padding
from f2hdr_backend.evaluate.bench.baseline_sea_raft import VolumeEstimator, volume_bytes
from f2hdr_backend.evaluate.bench.measure import Ready
from f2hdr_backend.flow.estimator import Estimator, SizeRequirement
from f2hdr_backend.flow.window import estimate_flows
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.f2hdr import F2HDR, SIZE_MULTIPLE
from f2hdr_backend.shot.sizes import format_size

BYTES_PER_PIXEL = 4500
"""Measured peak of the network at its published width on whole float32 frames, without the flow."""


class PlainMethod:
    """Reconstructs each window independently of all others."""

    def __init__(
        self, descriptor: Descriptor, tensors: Mapping[str, Tensor], estimator: Estimator, device: torch.device
    ) -> None:
        """Load the network's ``tensors`` to ``device``, which the flow ``estimator`` must use too."""
        with torch.device("meta"):
            network = F2HDR(descriptor)
        network.load_state_dict(dict(tensors), assign=True)
        self._network = network.eval().requires_grad_(False).to(device)
        self._device = device
        self.estimator = estimator

    def feed(self, windows: Sequence[WindowFrames]) -> AbstractContextManager[Iterator[Ready]]:
        """See :class:`Contender`: the released code computes nothing ahead."""
        return nullcontext((window, {}) for window in windows)

    @torch.inference_mode()
    def run(self, frames: WindowFrames, known: KnownFlows) -> HdrFrame:
        """Return radiance and flows of a window, equal to the engine's, from its three frames alone."""
        padding = self._padding(frames[1].size)
        codes = torch.stack([padding.pad(self._planes(frame)) for frame in frames], 1)
        exposures = torch.tensor([[frame.exposure for frame in frames]], device=self._device)
        flows = estimate_flows(codes, exposures, self.estimator, self._network.descriptor.exposure_alignment)
        result = self._network(codes, exposures, flows)
        radiance, flows = (_picture(padding.crop(planes))[0] for planes in (result.hdr, result.flows))
        return HdrFrame(radiance, flows=flows)

    def bytes_needed(self, size: tuple[int, int]) -> int:
        """Return the peak memory in bytes for a window of (width, height) frames."""
        height, width = self._padding(size).padded(size)
        flow = width * height * self.estimator.bytes_per_pixel
        if isinstance(self.estimator, VolumeEstimator):
            flow += volume_bytes(width, height)
        return max(flow, width * height * BYTES_PER_PIXEL)

    def plan(self, size: tuple[int, int]) -> str:
        """Return a description of how frames are computed."""
        return f"whole frames in float32, {format_size(self.bytes_needed(size))}"

    def _padding(self, size: tuple[int, int]) -> Padding:
        return Padding.around(size, (self.estimator.size, SizeRequirement(multiple_of=SIZE_MULTIPLE)))

    def _planes(self, frame: NetworkFrame) -> Tensor:
        """``(1, 3, H, W)`` codes on the device."""
        return torch.from_numpy(frame.codes).to(self._device).permute(2, 0, 1).contiguous().unsqueeze(0)


def _picture(planes: Tensor) -> FloatArray:
    """Convert ``(..., C, H, W)`` to a contiguous array ``(..., H, W, C)``."""
    return np.ascontiguousarray(planes.movedim(-3, -1).cpu().numpy())
