"""Stage I: a U-Net that weighs five radiance candidates into the coarse HDR frame (Eq. 7)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from f2hdr_backend.model.blocks import Layers, infinities_as_nan

WEIGHT_EPSILON = 1e-8
REACH = 48
"""Pixels that a weight depends on either way, 42, as whole steps of the coarsest level."""

WIDEST = 64
"""Channels of the last layers, at the frame's full size."""


def _down(inputs: int, outputs: int, stride: int) -> Layers:
    return Layers(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1, inplace=True),
    )


def _up(inputs: int, outputs: int) -> Layers:
    return Layers(
        nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1, inplace=True),
    )


class FusionNet(nn.Module):
    """Five weight maps from the candidates and their code values; frame sides must be multiples of 8."""

    def __init__(self, channels: int = 128) -> None:
        super().__init__()
        quarter, half = channels // 4, channels // 2
        self.conv1 = _down(30, quarter, 2)
        self.conv2 = _down(quarter, quarter, 1)
        self.conv3 = _down(quarter, half, 2)
        self.conv4 = _down(half, half, 1)
        self.conv5 = _down(half, channels, 2)
        self.conv6 = _down(channels, channels, 1)
        self.conv7 = _up(channels, half)
        self.conv8 = _down(channels, half, 1)
        self.conv9 = _up(half, half)
        self.conv10 = _down(half + quarter, half, 1)
        self.conv11 = _up(half, WIDEST)
        self.conv12 = nn.Sequential(nn.Conv2d(WIDEST, 5, 3, padding=1))

    def forward(self, candidates: Tensor, codes: Tensor) -> Tensor:
        """Weigh the candidates of one window.

        Args:
            candidates: ``(B, 5, 3, H, W)`` radiance 0-1: reference, warped previous, warped next, previous, next.
            codes: ``(B, 5, 3, H, W)`` the same five as code values 0-1.

        Returns:
            ``(B, 3, H, W)`` the coarse HDR frame (Eq. 7), float32 when the candidates are.
        """
        logits = self._logits(torch.cat((candidates, codes), 1).flatten(1, 2))
        weights = torch.sigmoid(infinities_as_nan(logits)).to(candidates.dtype)
        shares = weights / (weights.sum(1, keepdim=True) + WEIGHT_EPSILON)
        return (shares.unsqueeze(2) * candidates).sum(1)

    def _logits(self, inputs: Tensor) -> Tensor:
        half_size = self.conv2(self.conv1(inputs))
        quarter_size = self.conv4(self.conv3(half_size))
        eighth_size = self.conv6(self.conv5(quarter_size))
        quarter_size = self.conv8(torch.cat((self.conv7(eighth_size), quarter_size), 1))
        half_size = self.conv10(torch.cat((self.conv9(quarter_size), half_size), 1))
        logits: Tensor = self.conv12(self.conv11(half_size))
        return logits
