"""Backward warping along a flow.

Convention: flow ``(B, 2, H, W)`` in pixels, channel 0 = x to the right, channel 1 = y down, from the reference
to the neighbor; the warped neighbor at pixel p is the neighbor at p + flow(p), bilinear, zero outside.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from f2hdr_backend.kernels.fused import kernels_for
from f2hdr_backend.shot.cancellation import check_stop

BILINEAR, ZEROS, ALIGN_CORNERS = 0, 0, True
"""Arguments of torch's sampler: interpolation, padding, and pixel centers at -1 and 1."""


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
    kernels = kernels_for(neighbor)
    if kernels is None:
        return sample(neighbor, sampling_position(flow, reading))
    check_stop()
    sides = neighbor.shape[:1:-1]
    stretch = (1.0, 1.0) if reading == "exact" else tuple(side / max(side - 1, 1) for side in sides)
    shift = 0.0 if reading == "exact" else 0.5
    found: Tensor = kernels.sample(neighbor, flow, from_pixel=True, stretch=stretch, shift=shift)
    return found


def sampling_position(flow: Tensor, reading: str) -> Tensor:
    """``(B, 2, H, W)`` x and y, in pixels, at which a neighbor is read; arguments as in :func:`backward_warp`."""
    position = pixel_grid(flow) + flow
    if reading == "exact":
        return position
    height, width = flow.shape[-2:]
    return position * _stretch(width, height, flow.dtype, flow.device) - 0.5


def sample(neighbor: Tensor, position: Tensor, *, gate: Tensor | None = None, added: Tensor | None = None) -> Tensor:
    """Read ``neighbor`` bilinearly at positions, zero outside; times ``gate``, plus ``added``.

    Args:
        neighbor: ``(B, C, H, W)`` of any float type.
        position: ``(B, 2, h, W)`` float32 pixels of the neighbor; with fewer rows than it (``h < H``), only the
            neighbor's rows that they lead to are read.
        gate: ``(B, 1, h, W)``.
        added: ``(B, C, h, W)``; the result may be written into it.

    Returns:
        ``(B, C, h, W)`` in the type of ``neighbor``.
    """
    check_stop()
    kernels = kernels_for(neighbor)
    if kernels is not None:
        fused: Tensor = kernels.sample(neighbor, position, gate=gate, added=added)
        return fused
    found = _sample(neighbor, position)
    found = found if gate is None else gate.to(found.dtype) * found
    return found if added is None else added + found


def _sample(neighbor: Tensor, position: Tensor) -> Tensor:
    if position.shape[-2] < neighbor.shape[-2]:
        neighbor, position = _rows_needed(neighbor, position)
    height, width = neighbor.shape[-2:]
    grid = position.permute(0, 2, 3, 1) * _steps(width, height, position.dtype, position.device) - 1
    # F.grid_sample would use cuDNN's sampler, which does not support channels-last pictures and NaN positions.
    return torch.grid_sampler_2d(neighbor.float(), grid, BILINEAR, ZEROS, ALIGN_CORNERS).to(neighbor.dtype)


def _rows_needed(neighbor: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
    """The neighbor's rows that the positions lead to, and the positions counted from the first of them."""
    height = neighbor.shape[-2]
    lowest = position[:, 1].amin().floor().nan_to_num(0).clamp(0, height - 2)
    highest = position[:, 1].amax().floor().nan_to_num(height).clamp(max=height - 2).maximum(lowest)
    top, bottom = (int(row) for row in torch.stack((lowest, highest)).tolist())  # waits for the GPU, once a band
    shift = _vector(0, top, position.dtype, position.device).view(1, 2, 1, 1)
    return neighbor[..., top : bottom + 2, :], position - shift


@lru_cache(maxsize=64)
def _stretch(width: int, height: int, kind: torch.dtype, device: torch.device) -> Tensor:
    """``(1, 2, 1, 1)`` W / (W - 1) and H / (H - 1): see :func:`backward_warp`."""
    with torch.inference_mode(False):
        side = _vector(width, height, kind, device).view(1, 2, 1, 1)
        return side / (side - 1).clamp_min(1)


@lru_cache(maxsize=64)
def _steps(width: int, height: int, kind: torch.dtype, device: torch.device) -> Tensor:
    """``(2,)`` size of a pixel in the sampler's unit, in which the pixel centers of a line are from -1 to 1."""
    with torch.inference_mode(False):
        return 2 / _vector(max(width - 1, 1), max(height - 1, 1), kind, device)


def _vector(x: float, y: float, kind: torch.dtype, device: torch.device) -> Tensor:
    """``(2,)`` filled on the device: a copy from the host, also of a single element, would synchronize the device."""
    vector = torch.empty(2, dtype=kind, device=device)
    vector[:1].fill_(x)
    vector[1:].fill_(y)
    return vector
