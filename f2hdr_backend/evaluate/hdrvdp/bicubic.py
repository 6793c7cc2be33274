"""Bicubic resize with MATLAB's convention, which differs at the edges from the resizes of torch and OpenCV.

Convention: cubic kernel with a = -0.5, pixel centers aligned, kernel widened by 1 / scale when shrinking, weights
normalized to 1, edges extended symmetrically (the edge pixel repeats), rows and columns separately.
"""

from __future__ import annotations

import torch
from torch import Tensor

A = -0.5
SUPPORT = 2.0


def resize(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize ``(..., H, W)`` to ``size`` = (height, width); an image of that size is returned unchanged."""
    axes = ((-2, size[0]), (-1, size[1]))
    # Shrinking rows first and enlarging them last needs the fewest operations; the order does not change the result.
    for axis, target in axes if size[0] < picture.shape[-2] else axes[::-1]:
        if picture.shape[axis] != target:
            weights = resize_weights(picture.shape[axis], target).to(picture)
            picture = weights @ picture if axis == -2 else picture @ weights.T
    return picture


def resize_weights(source: int, target: int) -> Tensor:
    """Return the ``(target, source)`` float64 weights of one axis; each row sums to 1."""
    scale = target / source
    stretch = min(scale, 1.0)
    radius = SUPPORT / stretch
    centers = (torch.arange(target, dtype=torch.float64) + 0.5) / scale - 0.5
    taps = torch.arange(int(2 * radius) + 3, dtype=torch.float64)
    positions = (centers - radius).floor()[:, None] + taps[None, :]
    values = cubic((positions - centers[:, None]) * stretch)
    values /= values.sum(dim=1, keepdim=True)
    period = 2 * source
    folded = positions.long() % period
    folded = torch.where(folded < source, folded, period - 1 - folded)
    return torch.zeros(target, source, dtype=torch.float64).scatter_add_(1, folded, values)


def cubic(distance: Tensor) -> Tensor:
    """The cubic convolution kernel at ``distance`` in samples; 0 for distances of 2 and more."""
    x = distance.abs()
    near = ((A + 2) * x - (A + 3)) * x * x + 1
    far = ((x - 5) * x + 8) * x * A - 4 * A
    return torch.where(x <= 1, near, torch.where(x < SUPPORT, far, torch.zeros_like(x)))
