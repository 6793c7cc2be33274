"""The F2HDR network apart from its flow estimator: adapter, fusion, motion mask and refinement (section 3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from f2hdr_backend.model.adapter import FlowAdapter
from f2hdr_backend.model.bands import Over, whole
from f2hdr_backend.model.blocks import between_cells, cell_mean
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.fusion import REACH as FUSION_REACH
from f2hdr_backend.model.fusion import FusionNet
from f2hdr_backend.model.motion import LearnedMotionMask, PhysicalMotionMask
from f2hdr_backend.model.radiance import to_radiance
from f2hdr_backend.model.refine import RefineNet
from f2hdr_backend.model.warp import backward_warp

SIZE_MULTIPLE = 16
"""Frame sides must be multiples of this many pixels."""


@dataclass(frozen=True)
class Reconstruction:
    """The result of one window. Radiance 1 is the clip of the shortest exposure."""

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
            self.flow_adapter = FlowAdapter(self.descriptor.adapter_channels, cell_px=self.descriptor.cell_px)
        self.fusion_net = FusionNet(self.descriptor.fusion_channels)
        if self.descriptor.refine:
            if self.descriptor.mask != "none":
                learned = self.descriptor.mask == "cnn"
                self.motion_mask = LearnedMotionMask() if learned else PhysicalMotionMask()
            self.refine_net = RefineNet(
                self.descriptor.refine_channels, self.descriptor.refine_blocks, self.descriptor.cell_px
            )

    def forward(
        self,
        frames: Tensor,
        exposures: Tensor,
        coarse_flows: Tensor,
        *,
        encoded: list[Tensor] | None = None,
        over: Over = whole,
    ) -> Reconstruction:
        """Reconstruct the middle frame of each window.

        Args:
            frames: ``(B, 3, 3, H, W)`` previous, reference, next; gamma-2.2 codes 0-1; sides multiples of 16.
            exposures: ``(B, 3)`` relative exposures, 1 the shortest of the shot.
            coarse_flows: ``(B, 2, 2, H, W)`` float32 pixels, reference to previous and to next.
            encoded: the results of :meth:`encode` for the three frames, if already computed; the list is emptied.
            over: how layers run over the frame.
        """
        flows = self.refine_flows(frames, coarse_flows, over)
        coarse = self._fuse(frames, exposures, flows, over)
        masks = self._masks(flows, over)
        if not self.descriptor.refine:
            return Reconstruction(coarse, coarse, flows, masks)
        if encoded is None:
            encoded = [self.encode(frames[:, index], exposures[:, index], over) for index in range(3)]
        hdr: Tensor = self.refine_net(encoded, flows, masks, coarse, self.descriptor, over)
        return Reconstruction(hdr, coarse, flows, masks)

    def encode(self, frame: Tensor, exposure: Tensor, over: Over = whole) -> Tensor:
        """Stage II's features of one frame (Eq. 16), the same in every window that the frame belongs to.

        Args:
            frame: ``(B, 3, H, W)`` gamma-2.2 codes 0-1.
            exposure: ``(B,)`` relative exposures, 1 the shortest of the shot.
            over: how layers run over the frame.
        """
        features: Tensor = self.refine_net.encode(frame, exposure, over)
        return features

    def refine_flows(self, frames: Tensor, coarse_flows: Tensor, over: Over = whole) -> Tensor:
        """Coarse flows through the adapter (Eq. 3-6); shapes as in :meth:`forward`."""
        if not self.descriptor.adapter:
            return coarse_flows
        if self.descriptor.adapter_input == "warped":
            previous, following = self._warped(frames, coarse_flows)
            frames = torch.stack((previous, frames[:, 1], following), dim=1)
        refined: Tensor = self.flow_adapter(frames, coarse_flows, over)
        return refined

    def _fuse(self, frames: Tensor, exposures: Tensor, flows: Tensor, over: Over) -> Tensor:
        """Stage I. The released code warps code values and linearizes the result: so does this."""
        own, previous_gain, following_gain = exposures[:, 1], exposures[:, 0], exposures[:, 2]
        gains = torch.stack((own, previous_gain, following_gain, previous_gain, following_gain), 1)

        def layer(frames: Tensor, previous: Tensor, following: Tensor) -> Tensor:
            codes = torch.stack((frames[:, 1], previous, following, frames[:, 0], frames[:, 2]), 1)
            candidates = to_radiance(codes.flatten(0, 1), gains.flatten()).view_as(codes)
            coarse: Tensor = self.fusion_net(candidates, codes)
            return coarse

        return over(layer, FUSION_REACH, frames, *self._warped(frames, flows))

    def _masks(self, flows: Tensor, over: Over) -> Tensor:
        if not self.descriptor.refine or self.descriptor.mask == "none":
            return torch.ones_like(flows[:, :, :1])
        cell_px = self.descriptor.cell_px
        masks: Tensor = self.motion_mask(cell_mean(flows.flatten(0, 1), cell_px) / cell_px, over)
        return between_cells(masks, cell_px).unflatten(0, (-1, 2))

    def _warped(self, frames: Tensor, flows: Tensor) -> tuple[Tensor, Tensor]:
        """Previous and next frame brought onto the reference."""
        warp = self.descriptor.warp
        return backward_warp(frames[:, 0], flows[:, 0], warp), backward_warp(frames[:, 2], flows[:, 1], warp)
