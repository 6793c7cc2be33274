"""The flow adapter: a shallow residual network that turns generic flow into flow for HDR fusion (Eq. 3-6)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from f2hdr_backend.model.bands import Over, whole
from f2hdr_backend.model.blocks import (
    Layers,
    between_cells,
    cell_mean,
    conv_prelu,
    convolved,
    infinities_as_nan,
    to_cells,
)

FLOW_SCALE = 20.0
"""Lambda of Eq. 3: flows are divided by it before a network sees them, and residuals multiplied."""
FLOW_LIMIT = 100.0
"""Adapted flows are clamped to this many pixels either way."""


class ResidualDilatedBlock(nn.Module):
    """Two dilated 3 x 3 convolutions with a PReLU between, added to the input, then a PReLU."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.body = Layers(
            *conv_prelu(channels, channels, dilation=dilation),
            nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation),
        )
        self.act = nn.PReLU(channels)

    def forward(self, features: Tensor) -> Tensor:
        """``(B, C, H, W)`` to the same."""
        first, slopes, second = self.body
        return convolved(second, convolved(first, features, slopes), self.act, before=features)


class FlowAdapter(nn.Module):
    """A(x) of Eq. 4. Its last layer starts at zero, so training begins from the coarse flow.

    With ``cell_px`` above 1 it works on the grid of cells (:func:`to_cells`); the residual is bilinear between them.
    """

    def __init__(
        self, channels: int = 64, dilations: tuple[int, ...] = (1, 2, 4, 8, 4, 2), *, cell_px: int = 1
    ) -> None:
        super().__init__()
        self._cell_px = cell_px
        self._dilations = dilations
        self.head = conv_prelu(3 * 3 * cell_px**2 + 2 * 2, channels)
        self.body = nn.Sequential(*(ResidualDilatedBlock(channels, dilation) for dilation in dilations))
        self.fuse = conv_prelu(channels, channels)
        self.tail = nn.Conv2d(channels, 4, 3, padding=1)
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]

    def forward(self, frames: Tensor, flows: Tensor, over: Over = whole) -> Tensor:
        """Refine the coarse flows of one window.

        Args:
            frames: ``(B, 3, 3, H, W)`` previous, reference and next, coded 0-1 (Eq. 3).
            flows: ``(B, 2, 2, H, W)`` pixels, reference to previous and to next.
            over: how layers run over the frame.

        Returns:
            ``(B, 2, 2, H, W)`` refined flows (Eq. 5 and 6), within +-100 px, in the type of ``flows``.
        """
        features = over(self._start, 1 * self._cell_px, frames, flows)
        for block, dilation in zip(self.body, self._dilations, strict=True):
            features = over(block, 2 * dilation, features)
        residual = over(lambda band: infinities_as_nan(self.tail(self.fuse(band))).to(flows.dtype), 2, features)
        residual = between_cells(residual, self._cell_px)
        refined: Tensor = flows + residual.view_as(flows) * FLOW_SCALE
        return refined.clamp(-FLOW_LIMIT, FLOW_LIMIT)

    def _start(self, frames: Tensor, flows: Tensor) -> Tensor:
        scaled = cell_mean((flows / FLOW_SCALE).flatten(1, 2), self._cell_px).to(frames.dtype)
        features: Tensor = self.head(torch.cat((to_cells(frames.flatten(1, 2), self._cell_px), scaled), dim=1))
        return features
