"""The convolution that adapter, mask and refinement are made of."""

from __future__ import annotations

from torch import nn


def conv_prelu(inputs: int, outputs: int, *, dilation: int = 1) -> nn.Sequential:
    """A 3 x 3 convolution that keeps the size, and a PReLU with one slope a channel."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation),
        nn.PReLU(outputs),
    )
