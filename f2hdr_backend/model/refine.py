"""Stage II: features of the three frames, gated by motion, correct the coarse HDR frame (Eq. 16-18)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from f2hdr_backend.model.adapter import FLOW_SCALE
from f2hdr_backend.model.bands import Over, whole
from f2hdr_backend.model.blocks import Layers, cell_mean, conv_prelu, from_cells, infinities_as_nan, to_cells
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.radiance import to_radiance
from f2hdr_backend.model.warp import sample, sampling_position


def _mix(inputs: int, outputs: int) -> Layers:
    return Layers(nn.Conv2d(inputs, outputs, 1), nn.PReLU(outputs))


class FrameEncoder(nn.Module):
    """E of section 3.2.1: radiance and code values of one frame to one feature map (Eq. 16)."""

    def __init__(self, channels: int, cell_px: int = 1) -> None:
        super().__init__()
        self._cell_px = cell_px
        inputs = 3 * cell_px**2
        self.hdr_enc = nn.Sequential(conv_prelu(inputs, channels), conv_prelu(channels, channels))
        self.ldr_enc = nn.Sequential(conv_prelu(inputs, channels), conv_prelu(channels, channels))
        self.fuse = _mix(2 * channels, channels)

    def forward(self, radiance: Tensor, ldr: Tensor) -> Tensor:
        """``(B, 3, H, W)`` radiance and code values, both 0-1, to ``(B, C, h, w)`` on the grid of cells."""
        light, codes = to_cells(radiance, self._cell_px), to_cells(ldr, self._cell_px)
        features: Tensor = self.fuse(torch.cat((self.hdr_enc(light), self.ldr_enc(codes)), 1))
        return features


class MotionGate(nn.Module):
    """G of Eq. 17: weight in 0-1 of a warped neighbor's features."""

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        self.net = Layers(
            *conv_prelu(3, channels), *conv_prelu(channels, channels), nn.Conv2d(channels, 1, 1), nn.Sigmoid()
        )

    def forward(self, magnitude: Tensor, mask: Tensor) -> Tensor:
        """``(B, 1, H, W)`` scaled magnitude of the flow and ``(B, 1, H, W)`` mask to ``(B, 1, H, W)``."""
        gate: Tensor = self.net(torch.cat((magnitude, mask, torch.ones_like(mask)), 1))
        return gate


class ChannelGate(nn.Module):
    """Squeeze and excitation: channels are scaled by a function of their means over the whole frame."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        middle = max(1, channels // reduction)
        self.fc = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, middle, 1),
            nn.PReLU(middle),
            nn.Conv2d(middle, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, features: Tensor) -> Tensor:
        """``(B, C, H, W)`` to the channels' factors, ``(B, C, 1, 1)`` in 0-1."""
        factors: Tensor = self.fc(features)
        return factors


class EnhancementBlock(nn.Module):
    """Section 3.2.2: three dilated branches and a depthwise one, merged, gated and added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 2
        self.b1 = conv_prelu(channels, inner)
        self.b2 = conv_prelu(channels, inner, dilation=2)
        self.b3 = conv_prelu(channels, inner, dilation=4)
        self.dw = Layers(
            nn.Conv2d(channels, channels, 5, padding=2, groups=channels), nn.PReLU(channels), *_mix(channels, inner)
        )
        self.merge = nn.Conv2d(4 * inner, channels, 1)
        self.se = ChannelGate(channels)
        self.out = conv_prelu(channels, channels)

    def forward(self, features: Tensor, over: Over = whole) -> Tensor:
        """``(B, C, H, W)`` to the same; the gate's means are over the whole frame."""
        merged = over(self._merged, 4, features)
        factors = self.se(merged)
        return over(lambda before, band: self.out(band * factors, after=before), 1, features, merged, into=features)

    def _merged(self, features: Tensor) -> Tensor:
        branches = (self.b1(features), self.b2(features), self.b3(features), self.dw(features))
        merged: Tensor = self.merge(torch.cat(branches, 1))
        return merged


class RefineNet(nn.Module):
    """The refinement stage. Its inputs are encoded features, which windows share.

    Features are on the grid of cells, ``h = H / cell_px``; frames, flows and masks on that of pixels.
    """

    def __init__(self, channels: int = 48, blocks: int = 3, cell_px: int = 1) -> None:
        super().__init__()
        self._cell_px = cell_px
        values = 3 * cell_px**2
        self.enc = FrameEncoder(channels, cell_px)
        self.gate0 = MotionGate()
        self.gate2 = MotionGate()
        self.adapt_in = nn.Conv2d(3 * channels, channels, 1)
        self.msrf = nn.Sequential(*(EnhancementBlock(channels) for _ in range(blocks)))
        self.cond = Layers(
            conv_prelu(values, channels // 2), nn.Conv2d(channels // 2, channels, 3, padding=1), nn.PReLU(channels)
        )
        self.fuse_cond = _mix(2 * channels, channels)
        self.head = nn.Sequential(conv_prelu(channels, channels), nn.Conv2d(channels, values, 3, padding=1))

    def encode(self, frame: Tensor, exposure: Tensor, over: Over = whole) -> Tensor:
        """Encode one frame (Eq. 16), for every window that it belongs to.

        Args:
            frame: ``(B, 3, H, W)`` gamma-2.2 codes 0-1.
            exposure: ``(B,)`` relative exposures.
            over: how layers run over the frame.

        Returns:
            ``(B, C, h, w)``.
        """
        return over(lambda band: self.enc(to_radiance(band, exposure), band), 2 * self._cell_px, frame)

    def forward(
        self,
        encoded: list[Tensor],
        flows: Tensor,
        masks: Tensor,
        coarse: Tensor,
        reading: Descriptor,
        over: Over = whole,
    ) -> Tensor:
        """Align and gate the neighbors' features, enhance, fuse with the coarse frame's features and decode.

        Args:
            encoded: previous, reference and next, ``(B, C, h, w)`` each; the list is emptied to free memory.
            flows: ``(B, 2, 2, H, W)`` refined flows in pixels.
            masks: ``(B, 2, 1, H, W)`` motion masks.
            coarse: ``(B, 3, H, W)`` the coarse HDR frame, 0-1.
            reading: how the weights were trained to warp and to gate.
            over: how layers run over the frame.

        Returns:
            ``(B, 3, H, W)`` the final HDR frame, clamped to 0-1, in the type of ``coarse``.
        """
        features = self._aligned(encoded, flows, masks, reading, over)
        encoded.clear()
        for block in self.msrf:
            features = block(features, over)
        return over(self._decoded, 4, features, coarse)

    def _aligned(
        self, encoded: Sequence[Tensor], flows: Tensor, masks: Tensor, reading: Descriptor, over: Over
    ) -> Tensor:
        """The reference with its neighbors, aligned and gated by motion (Eq. 17 and 18)."""
        flows = cell_mean(flows.flatten(1, 2), self._cell_px).unflatten(1, (2, 2)) / self._cell_px
        masks = cell_mean(masks.flatten(1, 2), self._cell_px).unflatten(1, (2, 1))
        positions = torch.stack([sampling_position(flows[:, side], reading.warp) for side in (0, 1)], 1)
        magnitudes = flows.square().sum(2, keepdim=True).clamp_min(1e-12).sqrt()
        if reading.gate_scale == "fixed":
            magnitudes = magnitudes / FLOW_SCALE
        else:
            magnitudes = magnitudes / magnitudes.amax((3, 4), keepdim=True)

        def layer(reference: Tensor, magnitudes: Tensor, masks: Tensor, positions: Tensor) -> Tensor:
            aligned: Tensor | None = None
            for side, (gate, neighbor) in enumerate(((self.gate0, encoded[0]), (self.gate2, encoded[2]))):
                factor = gate(magnitudes[:, side], masks[:, side])
                aligned = sample(neighbor, positions[:, side], gate=factor, added=aligned)
            assert aligned is not None
            mixed: Tensor = self.adapt_in(torch.cat((aligned, reference, aligned - reference), 1))
            return mixed

        return over(layer, 2, encoded[1], magnitudes, masks, positions)

    def _decoded(self, features: Tensor, coarse: Tensor) -> Tensor:
        features = self.fuse_cond(torch.cat((features, self.cond(to_cells(coarse, self._cell_px))), 1))
        correction = from_cells(infinities_as_nan(self.head(features)).to(coarse.dtype), self._cell_px)
        return (coarse + correction).clamp(0, 1)
