"""Local correlation in plain torch: the reference for the other implementations, and the fallback."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

_TILE = 16
"""Side of the square tiles of pixels that are processed together; they access almost the same part of the image."""


def look_up(reference: Tensor, pyramid: tuple[Tensor, ...], coords: Tensor, radius: int) -> Tensor:
    """See `local_correlation`.

    Only the part of the volume that one tile needs is in memory at a time; it is recomputed for gradients.
    """
    pictures = [
        _look_up_one(
            reference[i : i + 1], tuple(level[i : i + 1] for level in pyramid), coords[i : i + 1].float(), radius
        )
        for i in range(len(reference))
    ]
    return torch.cat(pictures)


def _look_up_one(reference: Tensor, pyramid: tuple[Tensor, ...], coords: Tensor, radius: int) -> Tensor:
    differentiated = torch.is_grad_enabled() and any(one.requires_grad for one in (reference, *pyramid))
    correlate = _recomputed if differentiated else _correlate
    height, width = coords.shape[-2:]
    rows = []
    with torch.autocast(reference.device.type, enabled=False):
        for top in range(0, height, _TILE):
            areas = [(..., slice(top, top + _TILE), slice(left, left + _TILE)) for left in range(0, width, _TILE)]
            tiles = [correlate(reference[area], pyramid, coords[area], radius) for area in areas]
            rows.append(torch.cat(tiles, dim=-1))
    return torch.cat(rows, dim=-2)


def _recomputed(reference: Tensor, pyramid: tuple[Tensor, ...], coords: Tensor, radius: int) -> Tensor:
    """`_correlate`, which only stores its inputs for the backward pass."""
    found: Tensor = checkpoint(
        _correlate, reference, pyramid, coords, radius, use_reentrant=False, preserve_rng_state=False
    )
    return found


def _correlate(reference: Tensor, pyramid: tuple[Tensor, ...], coords: Tensor, radius: int) -> Tensor:
    levels = [_read(reference, features, coords / 2**level, radius) for level, features in enumerate(pyramid)]
    return torch.cat(levels, dim=1)


def _read(reference: Tensor, features: Tensor, points: Tensor, radius: int) -> Tensor:
    """Read the windows of one tile ``(B, C, h, w)`` at one level, around ``(B, 2, h, w)`` positions of that level."""
    batch, channels, height, width = reference.shape
    side = 2 * radius + 1
    size = points.new_tensor(features.shape[:1:-1]).view(1, 2, 1, 1)
    visible = ((points > -1 - radius) & (points < size + radius)).all(1, keepdim=True)
    seen = points.movedim(1, -1)[visible.squeeze(1)]
    if not len(seen):
        return points.new_zeros(batch, side**2, height, width)
    low, high = seen.amin(0).floor(), seen.amax(0).floor()
    points = points.where(visible, low.view(1, 2, 1, 1))
    start, end = (low.long() - radius).tolist(), (high.long() + radius + 2).tolist()
    box = _box(features, start, end)
    volume = reference.flatten(2).transpose(1, 2).float() @ box.flatten(2).float() / channels**0.5
    x, y = (points.floor() - low.view(1, 2, 1, 1)).long().flatten(2).unbind(1)
    steps = torch.arange(side + 1, device=points.device)
    index = (y[..., None, None] + steps[:, None]) * box.shape[-1] + x[..., None, None] + steps
    dots = volume.gather(2, index.flatten(2)).view(index.shape)
    windows = _blend(dots, *(points - points.floor()).flatten(2).unbind(1))
    return windows.transpose(1, 2).unflatten(2, (height, width)).where(visible, 0.0)


def _box(features: Tensor, start: list[int], end: list[int]) -> Tensor:
    """Return the features at columns and rows ``start`` (x, y) up to ``end``, zero outside the image."""
    height, width = features.shape[-2:]
    inner = features[..., max(start[1], 0) : max(end[1], 0), max(start[0], 0) : max(end[0], 0)]
    left, top = (max(-one, 0) for one in start)
    return F.pad(inner, (left, max(end[0] - width, 0), top, max(end[1] - height, 0)))


def _blend(dots: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Blend ``(B, N, 2r + 2, 2r + 2)`` rows, columns with ``(B, N)`` fractions to ``(B, N, window)``, x before y."""
    x, y = x[..., None, None], y[..., None, None]
    across = dots[..., :-1] * (1 - x) + dots[..., 1:] * x
    blended = across[..., :-1, :] * (1 - y) + across[..., 1:, :] * y
    return blended.transpose(2, 3).flatten(2)
