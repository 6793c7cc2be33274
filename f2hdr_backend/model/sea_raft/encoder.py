"""The residual encoder: the first three stages of a ResNet-34, to an eighth of the frame's size."""

from __future__ import annotations

from torch import Tensor, nn

STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2))
"""Channels, blocks and stride of each stage."""


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with batch norms, and a 1 x 1 shortcut where size or width changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or inputs != outputs:
            self.bn3 = nn.BatchNorm2d(outputs)
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride), self.bn3)

    def forward(self, features: Tensor) -> Tensor:
        """``(B, inputs, H, W)`` to ``(B, outputs, H / stride, W / stride)``."""
        shortcut = features if self.downsample is None else self.downsample(features)
        features = self.relu(self.bn1(self.conv1(features)))
        features = self.relu(self.bn2(self.conv2(features)))
        result: Tensor = self.relu(shortcut + features)
        return result


class Encoder(nn.Module):
    """``(B, inputs, H, W)`` to ``(B, outputs, H / 8, W / 8)``."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, 64, 7, stride=2, padding=3)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        width, stages = 64, []
        for channels, blocks, stride in STAGES:
            first = ResidualBlock(width, channels, stride)
            stages.append(nn.Sequential(first, *(ResidualBlock(channels, channels, 1) for _ in range(blocks - 1))))
            width = channels
        self.layer1, self.layer2, self.layer3 = stages
        self.final_conv = nn.Conv2d(width, outputs, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Encode frames scaled to -1..1."""
        features = self.relu(self.bn1(self.conv1(frames)))
        result: Tensor = self.final_conv(self.layer3(self.layer2(self.layer1(features))))
        return result
