"""The F2HDR network apart from its flow estimator: adapter, fusion, motion mask and refinement (section 3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from f2hdr_backend.model.adapter import FlowAdapter
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.fusion import FusionNet
from f2hdr_backend.model.motion import LearnedMotionMask, PhysicalMotionMask
from f2hdr_backend.model.radiance import to_radiance
from f2hdr_backend.model.refine import RefineNet
from f2hdr_backend.model.warp import backward_warp

SIZE_MULTIPLE = 16
"""Frame sides must be multiples of this many pixels."""


@dataclass(frozen=True)
class Reconstruction:
    """What one window gives. Radiance 1 is the clip of the shortest exposure."""

    hdr: Tensor
    """``(B, 3, H, W)`` the final HDR frame, 0-1."""
    coarse: Tensor
    """``(B, 3, H, W)`` stage I's result, 0-1."""
    flows: Tensor
    """``(B, 2, 2, H, W)`` refined flows in pixels, reference to previous and to next."""
    masks: Tensor
    """``(B, 2, 1, H, W)`` motion masks, 0-1."""


class F2HDR(nn.Module):
    """Two-stage HDR reconstruction of a three-frame window from coarse flows.

    Tensor names in the state dict are those of the authors' published checkpoint.
    """

    def __init__(self, descriptor: Descriptor | None = None) -> None:
        super().__init__()
        self.descriptor = descriptor or Descriptor()
        if self.descriptor.adapter:
            self.flow_adapter = FlowAdapter()
        self.fusion_net = FusionNet()
        if self.descriptor.refine:
            if self.descriptor.mask != "none":
                learned = self.descriptor.mask == "cnn"
                self.motion_mask = LearnedMotionMask() if learned else PhysicalMotionMask()
            self.refine_net = RefineNet()

    def forward(self, frames: Tensor, exposures: Tensor, coarse_flows: Tensor) -> Reconstruction:
        """Reconstruct the middle frame of each window.

        Args:
            frames: ``(B, 3, 3, H, W)`` previous, reference, next; gamma-2.2 codes 0-1; sides multiples of 16.
            exposures: ``(B, 3)`` relative exposures, 1 the shortest of the shot.
            coarse_flows: ``(B, 2, 2, H, W)`` float32 pixels, reference to previous and to next.
        """
        flows = self.refine_flows(frames, coarse_flows)
        radiance = torch.stack([to_radiance(frames[:, i], exposures[:, i]) for i in range(3)], 1)
        coarse = self._fuse(frames, radiance, exposures, flows)
        masks = self._masks(flows)
        if not self.descriptor.refine:
            return Reconstruction(coarse, coarse, flows, masks)
        encoded = self.refine_net.enc(radiance.flatten(0, 1), frames.flatten(0, 1)).unflatten(0, (-1, 3))
        aligned = self.refine_net.modulate(
            encoded[:, ::2], flows, masks, warp=self.descriptor.warp, gate_scale=self.descriptor.gate_scale
        )
        return Reconstruction(self.refine_net(encoded[:, 1], aligned, coarse), coarse, flows, masks)

    def refine_flows(self, frames: Tensor, coarse_flows: Tensor) -> Tensor:
        """Coarse flows through the adapter (Eq. 3-6); shapes as in :meth:`forward`."""
        if not self.descriptor.adapter:
            return coarse_flows
        if self.descriptor.adapter_input == "warped":
            frames = torch.stack(
                (
                    self._warp(frames[:, 0], coarse_flows[:, 0]),
                    frames[:, 1],
                    self._warp(frames[:, 2], coarse_flows[:, 1]),
                ),
                dim=1,
            )
        refined: Tensor = self.flow_adapter(frames, coarse_flows)
        return refined

    def _fuse(self, frames: Tensor, radiance: Tensor, exposures: Tensor, flows: Tensor) -> Tensor:
        """Stage I. The released code warps code values and linearizes the result: so does this."""
        previous = self._warp(frames[:, 0], flows[:, 0])
        following = self._warp(frames[:, 2], flows[:, 1])
        codes = (frames[:, 1], previous, following, frames[:, 0], frames[:, 2])
        candidates = (
            radiance[:, 1],
            to_radiance(previous, exposures[:, 0]),
            to_radiance(following, exposures[:, 2]),
            radiance[:, 0],
            radiance[:, 2],
        )
        coarse: Tensor = self.fusion_net(torch.stack(candidates, 1), torch.stack(codes, 1))
        return coarse

    def _masks(self, flows: Tensor) -> Tensor:
        if not self.descriptor.refine or self.descriptor.mask == "none":
            return torch.ones_like(flows[:, :, :1])
        masks: Tensor = self.motion_mask(flows.flatten(0, 1))
        return masks.unflatten(0, (-1, 2))

    def _warp(self, neighbor: Tensor, flow: Tensor) -> Tensor:
        return backward_warp(neighbor, flow, self.descriptor.warp)
