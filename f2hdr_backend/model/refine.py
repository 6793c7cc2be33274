"""Stage II: features of the three frames, gated by motion, mend the coarse HDR frame (Eq. 16-18)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from f2hdr_backend.model.adapter import FLOW_SCALE
from f2hdr_backend.model.layers import conv_prelu
from f2hdr_backend.model.warp import backward_warp


def _mix(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1), nn.PReLU(outputs))


class FrameEncoder(nn.Module):
    """E of section 3.2.1: radiance and code values of one frame to one feature map (Eq. 16)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.hdr_enc = nn.Sequential(conv_prelu(3, channels), conv_prelu(channels, channels))
        self.ldr_enc = nn.Sequential(conv_prelu(3, channels), conv_prelu(channels, channels))
        self.fuse = _mix(2 * channels, channels)

    def forward(self, radiance: Tensor, ldr: Tensor) -> Tensor:
        """``(B, 3, H, W)`` radiance and code values, both 0-1, to ``(B, C, H, W)``."""
        features: Tensor = self.fuse(torch.cat((self.hdr_enc(radiance), self.ldr_enc(ldr)), 1))
        return features


class MotionGate(nn.Module):
    """G of Eq. 17: how much of a warped neighbor's features to let through, in 0-1."""

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        self.net = nn.Sequential(
            *conv_prelu(3, channels), *conv_prelu(channels, channels), nn.Conv2d(channels, 1, 1), nn.Sigmoid()
        )

    def forward(self, flow: Tensor, mask: Tensor, scale: str) -> Tensor:
        """``(B, 2, H, W)`` flow in pixels and ``(B, 1, H, W)`` mask to ``(B, 1, H, W)``.

        ``scale`` is ``"fixed"`` (magnitude / 20 px) or ``"max"`` (magnitude / its maximum in the frame).
        """
        magnitude = flow.square().sum(1, keepdim=True).clamp_min(1e-12).sqrt()
        divisor = FLOW_SCALE if scale == "fixed" else magnitude.flatten(1).amax(1).view(-1, 1, 1, 1)
        gate: Tensor = self.net(torch.cat((magnitude / divisor, mask, torch.ones_like(mask)), 1))
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
        """``(B, C, H, W)`` to the same."""
        result: Tensor = features * self.fc(features)
        return result


class EnhancementBlock(nn.Module):
    """Section 3.2.2: three dilated branches and a depthwise one, merged, gated and added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 2
        self.b1 = conv_prelu(channels, inner)
        self.b2 = conv_prelu(channels, inner, dilation=2)
        self.b3 = conv_prelu(channels, inner, dilation=4)
        self.dw = nn.Sequential(
            nn.Conv2d(channels, channels, 5, padding=2, groups=channels), nn.PReLU(channels), *_mix(channels, inner)
        )
        self.merge = nn.Conv2d(4 * inner, channels, 1)
        self.se = ChannelGate(channels)
        self.out = conv_prelu(channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """``(B, C, H, W)`` to the same."""
        branches = (self.b1(features), self.b2(features), self.b3(features), self.dw(features))
        result: Tensor = features + self.out(self.se(self.merge(torch.cat(branches, 1))))
        return result


class RefineNet(nn.Module):
    """The refinement stage; neighbors come as encoded features so that windows can share them."""

    def __init__(self, channels: int = 48, blocks: int = 3) -> None:
        super().__init__()
        self.enc = FrameEncoder(channels)
        self.gate0 = MotionGate()
        self.gate2 = MotionGate()
        self.adapt_in = nn.Conv2d(3 * channels, channels, 1)
        self.msrf = nn.Sequential(*(EnhancementBlock(channels) for _ in range(blocks)))
        self.cond = nn.Sequential(
            conv_prelu(3, channels // 2), nn.Conv2d(channels // 2, channels, 3, padding=1), nn.PReLU(channels)
        )
        self.fuse_cond = _mix(2 * channels, channels)
        self.head = nn.Sequential(conv_prelu(channels, channels), nn.Conv2d(channels, 3, 3, padding=1))

    def modulate(self, neighbors: Tensor, flows: Tensor, masks: Tensor, *, warp: str, gate_scale: str) -> Tensor:
        """Align both neighbors' features and gate them by motion (Eq. 17 and 18), summed.

        Args:
            neighbors: ``(B, 2, C, H, W)`` encoded previous and next.
            flows: ``(B, 2, 2, H, W)`` refined flows in pixels.
            masks: ``(B, 2, 1, H, W)`` motion masks.
            warp: the descriptor's ``warp``.
            gate_scale: the descriptor's ``gate_scale``.

        Returns:
            ``(B, C, H, W)``.
        """
        gates = (
            self.gate0(flows[:, 0], masks[:, 0], gate_scale),
            self.gate2(flows[:, 1], masks[:, 1], gate_scale),
        )
        warped = [backward_warp(neighbors[:, side], flows[:, side], warp) for side in (0, 1)]
        return gates[0].to(warped[0].dtype) * warped[0] + gates[1].to(warped[1].dtype) * warped[1]

    def forward(self, reference: Tensor, aligned: Tensor, coarse: Tensor) -> Tensor:
        """Enhance, fuse with the coarse frame's features and decode.

        Args:
            reference: ``(B, C, H, W)`` encoded reference frame.
            aligned: ``(B, C, H, W)`` the gated neighbors of :meth:`modulate`.
            coarse: ``(B, 3, H, W)`` the coarse HDR frame, 0-1.

        Returns:
            ``(B, 3, H, W)`` the final HDR frame, clamped to 0-1, in the type of ``coarse``.
        """
        features = self.adapt_in(torch.cat((aligned, reference, aligned - reference), 1))
        features = self.fuse_cond(torch.cat((self.msrf(features), self.cond(coarse)), 1))
        return (coarse + self.head(features).to(coarse.dtype)).clamp(0, 1)
