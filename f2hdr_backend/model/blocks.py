"""Building blocks of adapter, mask and refinement: a convolution, and a coarser grid to run it on."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def conv_prelu(inputs: int, outputs: int, *, dilation: int = 1) -> nn.Sequential:
    """A 3 x 3 convolution that keeps the size, and a PReLU with one slope a channel."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation),
        nn.PReLU(outputs),
    )


def infinities_as_nan(values: Tensor) -> Tensor:
    """Replace infinities by NaN: a clamp or a sigmoid would hide an overflow of half precision, NaN passes through."""
    nan = float("nan")
    return torch.nan_to_num(values, nan=nan, posinf=nan, neginf=nan)


def to_cells(picture: Tensor, cell_px: int) -> Tensor:
    """``(B, C, H, W)`` with every square of ``cell_px`` pixels as the channels of one cell: ``(B, C n, H/., W/.)``."""
    return picture if cell_px == 1 else F.pixel_unshuffle(picture, cell_px)


def from_cells(cells: Tensor, cell_px: int) -> Tensor:
    """Undo :func:`to_cells`."""
    return cells if cell_px == 1 else F.pixel_shuffle(cells, cell_px)


def cell_mean(field: Tensor, cell_px: int) -> Tensor:
    """``(B, C, H, W)`` averaged over each cell: what a smooth field is on the cells' grid."""
    return field if cell_px == 1 else F.avg_pool2d(field, cell_px)


def between_cells(field: Tensor, cell_px: int) -> Tensor:
    """``(B, C, h, w)`` on the cells' grid, bilinear on the pixels': the way back from :func:`cell_mean`."""
    return field if cell_px == 1 else F.interpolate(field, scale_factor=cell_px, mode="bilinear")
