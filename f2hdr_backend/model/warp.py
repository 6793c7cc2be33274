"""Backward warping along a flow.

Convention: flow ``(B, 2, H, W)`` in pixels, channel 0 = x to the right, channel 1 = y down, from the reference
to the neighbor; the warped neighbor at pixel p is the neighbor at p + flow(p), bilinear, zero outside.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def pixel_grid(flow: Tensor) -> Tensor:
    """``(1, 2, H, W)`` x and y of every pixel center, in the type and on the device of ``flow``."""
    height, width = flow.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=flow.device, dtype=flow.dtype),
        torch.arange(width, device=flow.device, dtype=flow.dtype),
        indexing="ij",
    )
    return torch.stack((x, y)).unsqueeze(0)


def backward_warp(neighbor: Tensor, flow: Tensor, reading: str = "exact") -> Tensor:
    """Bring ``neighbor`` onto the reference along ``flow``.

    Args:
        neighbor: ``(B, C, H, W)`` of any float type.
        flow: ``(B, 2, H, W)`` float32 pixels, reference to neighbor.
        reading: ``"exact"`` samples at the position itself; ``"released"`` as the published weights expect, where
            position ``q`` of a line of W pixels is read at ``q W / (W - 1) - 1/2``.

    Returns:
        ``(B, C, H, W)`` in the type of ``neighbor``.
    """
    height, width = flow.shape[-2:]
    scale = torch.tensor([max(width - 1, 1), max(height - 1, 1)], device=flow.device, dtype=flow.dtype)
    position = (pixel_grid(flow) + flow).permute(0, 2, 3, 1)
    grid = position * (2 / scale) - 1
    warped = F.grid_sample(neighbor.float(), grid, padding_mode="zeros", align_corners=reading == "exact")
    return warped.to(neighbor.dtype)
