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
    return sample(neighbor, sampling_position(flow, reading))


def sampling_position(flow: Tensor, reading: str) -> Tensor:
    """``(B, 2, H, W)`` x and y, in pixels, at which a neighbor is read; arguments as in :func:`backward_warp`."""
    position = pixel_grid(flow) + flow
    if reading == "exact":
        return position
    height, width = flow.shape[-2:]
    side = _vector(width, height, flow).view(1, 2, 1, 1)
    return position * (side / (side - 1).clamp_min(1)) - 0.5


def sample(neighbor: Tensor, position: Tensor) -> Tensor:
    """Read ``neighbor`` bilinearly at positions, zero outside.

    Args:
        neighbor: ``(B, C, H, W)`` of any float type.
        position: ``(B, 2, h, W)`` float32 pixels of the neighbor; with fewer rows than it (``h < H``), only the
            neighbor's rows that they lead to are read.

    Returns:
        ``(B, C, h, W)`` in the type of ``neighbor``.
    """
    if position.shape[-2] < neighbor.shape[-2]:
        neighbor, position = _rows_needed(neighbor, position)
    height, width = neighbor.shape[-2:]
    last = _vector(max(width - 1, 1), max(height - 1, 1), position)
    grid = position.permute(0, 2, 3, 1) * (2 / last) - 1
    read = F.grid_sample(neighbor.float(), grid, padding_mode="zeros", align_corners=True)
    return read.to(neighbor.dtype)


def _rows_needed(neighbor: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
    """The neighbor's rows that the positions lead to, and the positions counted from the first of them."""
    height = neighbor.shape[-2]
    lowest = position[:, 1].amin().floor().nan_to_num(0).clamp(0, height - 2)
    highest = position[:, 1].amax().floor().nan_to_num(height).clamp(max=height - 2).maximum(lowest)
    top, bottom = (int(row) for row in torch.stack((lowest, highest)).tolist())  # waits for the GPU, once a band
    shift = _vector(0, top, position).view(1, 2, 1, 1)
    return neighbor[..., top : bottom + 2, :], position - shift


def _vector(x: float, y: float, like: Tensor) -> Tensor:
    """``(2,)`` in the type of ``like``, created on its device: a copy from the host would synchronize the device."""
    vector = like.new_empty(2)
    vector[0], vector[1] = x, y
    return vector
