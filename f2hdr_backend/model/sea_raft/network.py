"""The SEA-RAFT network, split so that a frame is encoded once and correlation is looked up, never stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from f2hdr_backend.kernels import feature_pyramid, local_correlation
from f2hdr_backend.model.sea_raft.encoder import Encoder
from f2hdr_backend.model.sea_raft.update import Update
from f2hdr_backend.model.warp import pixel_grid

DIM = 128
LEVELS = 4
RADIUS = 4
ITERATIONS = 4
STRIDE = 8
SIZE_MULTIPLE = 8
"""Frame sides must be multiples of this many pixels."""
SIZE_MINIMUM = 128
"""Frame sides must be at least this many pixels, or the look-up pyramid runs out of levels."""


@dataclass(frozen=True)
class FrameFeatures:
    """Features of a frame, shared by every pair that contains it."""

    image: Tensor
    """``(B, 3, H, W)`` the frame scaled to -1..1; the context network sees pairs of these."""
    features: Tensor
    """``(B, 256, H / 8, W / 8)`` matching features."""
    pyramid: tuple[Tensor, ...]
    """The features halved zero to three times, to be looked up."""

    @classmethod
    def stack(cls, several: Sequence[FrameFeatures]) -> FrameFeatures:
        """The features of several frames as one batch."""
        if len(several) == 1:
            return several[0]
        levels = zip(*(each.pyramid for each in several), strict=True)
        return cls(
            torch.cat([each.image for each in several]),
            torch.cat([each.features for each in several]),
            tuple(torch.cat(level) for level in levels),
        )


class SeaRaft(nn.Module):
    """Flow from a reference frame to a neighbor, in four iterations."""

    def __init__(self) -> None:
        super().__init__()
        self.cnet = Encoder(6, 2 * DIM)
        self.init_conv = nn.Conv2d(2 * DIM, 2 * DIM, 3, padding=1)
        self.upsample_weight = nn.Sequential(
            nn.Conv2d(DIM, 2 * DIM, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(2 * DIM, 9 * STRIDE**2, 1)
        )
        self.flow_head = nn.Sequential(
            nn.Conv2d(DIM, 2 * DIM, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(2 * DIM, 6, 3, padding=1)
        )
        self.fnet = Encoder(3, 2 * DIM)
        self.update_block = Update(LEVELS * (2 * RADIUS + 1) ** 2, DIM)

    def encode(self, frames: Tensor) -> FrameFeatures:
        """``(B, 3, H, W)`` code values 0-1, sides multiples of 8 and at least 128, to reusable features."""
        image = 2 * frames - 1
        features = self.fnet(image)
        pyramid = feature_pyramid(features.float(), LEVELS)
        if image.is_cuda:  # lookups sum in float32; features in half precision are half as many bytes to read
            return FrameFeatures(image, features, tuple(level.to(features.dtype) for level in pyramid))
        return FrameFeatures(image, features.float(), pyramid)

    def estimate(self, reference: FrameFeatures, neighbor: FrameFeatures) -> Tensor:
        """``(B, 2, H, W)`` float32 flow in pixels, reference to neighbor."""
        context = self.init_conv(self.cnet(torch.cat((reference.image, neighbor.image), 1)))
        state, context = context.split(DIM, dim=1)
        flow = self.flow_head(state)[:, :2].float()
        grid = pixel_grid(flow)
        for _ in range(ITERATIONS):
            flow = flow.detach()
            correlation = local_correlation(reference.features, neighbor.pyramid, grid + flow, RADIUS)
            state = self.update_block(state, context, correlation.to(state.dtype), flow.to(state.dtype))
            flow = flow + self.flow_head(state)[:, :2].float()
        return convex_upsample(flow, 0.25 * self.upsample_weight(state).float())


def convex_upsample(flow: Tensor, weights: Tensor) -> Tensor:
    """Flow at an eighth of the size to full size: each pixel a convex mix of its 3 x 3 coarse neighbors.

    Args:
        flow: ``(B, 2, h, w)`` in pixels of the coarse grid.
        weights: ``(B, 9 * 64, h, w)`` logits, softmaxed over the nine.

    Returns:
        ``(B, 2, 8 h, 8 w)`` in pixels of the full grid.
    """
    batch, _, height, width = flow.shape
    shares = weights.view(batch, 1, 9, STRIDE, STRIDE, height, width).softmax(2)
    patches = F.unfold(STRIDE * flow, 3, padding=1).view(batch, 2, 9, 1, 1, height, width)
    full = (shares * patches).sum(2).permute(0, 1, 4, 2, 5, 3)
    return full.reshape(batch, 2, STRIDE * height, STRIDE * width)
