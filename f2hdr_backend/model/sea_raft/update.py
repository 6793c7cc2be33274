"""The recurrent update: correlation and flow to motion features, then two ConvNeXt blocks on the hidden state."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MotionEncoder(nn.Module):
    """Looked-up correlation and the present flow to ``dim`` motion features, the last two being the flow itself."""

    def __init__(self, correlations: int, dim: int) -> None:
        super().__init__()
        self.convc1 = nn.Conv2d(correlations, 2 * dim, 1)
        self.convc2 = nn.Conv2d(2 * dim, dim + dim // 2, 3, padding=1)
        self.convf1 = nn.Conv2d(2, dim, 7, padding=3)
        self.convf2 = nn.Conv2d(dim, dim // 2, 3, padding=1)
        self.conv = nn.Conv2d(2 * dim, dim - 2, 3, padding=1)

    def forward(self, flow: Tensor, correlation: Tensor) -> Tensor:
        """``(B, 2, h, w)`` and ``(B, correlations, h, w)`` to ``(B, dim, h, w)``."""
        matched = F.relu(self.convc2(F.relu(self.convc1(correlation))))
        moved = F.relu(self.convf2(F.relu(self.convf1(flow))))
        return torch.cat((F.relu(self.conv(torch.cat((matched, moved), 1))), flow), 1)


class ConvNextBlock(nn.Module):
    """Depthwise 7 x 7, layer norm, a pointwise bottleneck with GELU, a scaled residual and a 1 x 1 projection."""

    def __init__(self, dim: int, outputs: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.pwconv1 = nn.Linear(dim, 4 * outputs)
        self.pwconv2 = nn.Linear(4 * outputs, dim)
        self.gamma = nn.Parameter(torch.full((dim,), 1e-6))
        self.final = nn.Conv2d(dim, outputs, 1)

    def forward(self, features: Tensor) -> Tensor:
        """``(B, dim, h, w)`` to ``(B, outputs, h, w)``."""
        mixed = self.norm(self.dwconv(features).permute(0, 2, 3, 1))
        mixed = self.gamma * self.pwconv2(F.gelu(self.pwconv1(mixed)))
        result: Tensor = self.final(features + mixed.permute(0, 3, 1, 2))
        return result


class Update(nn.Module):
    """One step of the hidden state."""

    def __init__(self, correlations: int, dim: int, blocks: int = 2) -> None:
        super().__init__()
        self.encoder = MotionEncoder(correlations, dim)
        self.refine = nn.ModuleList(ConvNextBlock(3 * dim, dim) for _ in range(blocks))

    def forward(self, state: Tensor, context: Tensor, correlation: Tensor, flow: Tensor) -> Tensor:
        """``(B, dim, h, w)`` hidden state to the next one."""
        inputs = torch.cat((context, self.encoder(flow, correlation)), 1)
        for block in self.refine:
            state = block(torch.cat((state, inputs), 1))
        return state
