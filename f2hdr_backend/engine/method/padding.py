"""Replicated borders that pad a frame to a size that a network accepts."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from f2hdr_backend.flow.estimator import SizeRequirement


@dataclass(frozen=True)
class Padding:
    """Replicated borders of a frame, split evenly."""

    left: int
    right: int
    top: int
    bottom: int

    @classmethod
    def around(cls, size: tuple[int, int], requirements: tuple[SizeRequirement, ...]) -> Padding:
        """The padding of a (width, height) frame that satisfies all requirements."""
        wide, high = (_padded(side, requirements) - side for side in size)
        return cls(wide // 2, wide - wide // 2, high // 2, high - high // 2)

    def padded(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of a (width, height) frame with borders."""
        return size[1] + self.top + self.bottom, size[0] + self.left + self.right

    def pad(self, frame: Tensor) -> Tensor:
        """``(B, C, H, W)`` with borders."""
        return F.pad(frame, [self.left, self.right, self.top, self.bottom], mode="replicate")

    def crop(self, picture: Tensor) -> Tensor:
        """``(..., H, W)`` without the borders."""
        height, width = picture.shape[-2:]
        return picture[..., self.top : height - self.bottom, self.left : width - self.right]


def _padded(side: int, requirements: tuple[SizeRequirement, ...]) -> int:
    """The smallest length of at least ``side`` that satisfies all requirements."""
    while True:
        padded = max(requirement.padded(side) for requirement in requirements)
        if padded == side:
            return side
        side = padded
