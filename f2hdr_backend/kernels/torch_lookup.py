"""Local correlation in plain torch: the reference the other makers are held to, and what runs without them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

_BAND_ELEMENTS = 1 << 22
"""Features gathered at a time: 16 MiB of float32, whatever the frame size."""


class _Level(NamedTuple):
    features: Tensor
    """``(B * H * W, C)``."""
    height: int
    width: int


def look_up(reference: Tensor, pyramid: tuple[Tensor, ...], coords: Tensor, radius: int) -> Tensor:
    """See `local_correlation`. Bands of pixels are recomputed when differentiated, so memory stays bounded."""
    batch, channels, height, width = reference.shape
    pixels = reference.permute(0, 2, 3, 1).reshape(batch, -1, channels)
    positions = coords.permute(0, 2, 3, 1).reshape(batch, -1, 2).float()
    band = max(1, _BAND_ELEMENTS // (batch * channels * (2 * radius + 2) ** 2))
    found = []
    with torch.autocast(reference.device.type, enabled=False):
        for index, features in enumerate(pyramid):
            level = _Level(features.permute(0, 2, 3, 1).reshape(-1, channels), *features.shape[-2:])
            bands = [
                checkpoint(
                    _correlate, seen, level, points, radius, use_reentrant=False, preserve_rng_state=False
                )
                for seen, points in zip(
                    pixels.split(band, dim=1), (positions / 2**index).split(band, dim=1), strict=True
                )
            ]
            found.append(torch.cat(bands, dim=1))
    return torch.cat(found, dim=-1).reshape(batch, height, width, -1).permute(0, 3, 1, 2)


def _correlate(reference: Tensor, level: _Level, points: Tensor, radius: int) -> Tensor:
    """``(B, N, C)`` reference pixels and ``(B, N, 2)`` positions at this level to ``(B, N, window)``."""
    size = points.new_tensor([level.width, level.height])
    visible = ((points > -1 - radius) & (points < size + radius)).all(-1, keepdim=True)
    points = points.where(visible, -2.0 - 2 * radius)  # NaN, infinite or far: a place all of whose window is outside
    corner = points.floor()
    dots = _dots(reference, level, corner.long(), radius)
    x, y = (points - corner)[..., None, None].unbind(2)
    blended = dots[..., :-1] * (1 - x) + dots[..., 1:] * x
    blended = blended[..., :-1, :] * (1 - y) + blended[..., 1:, :] * y
    return blended.transpose(2, 3).flatten(2) / reference.shape[-1] ** 0.5


def _dots(reference: Tensor, level: _Level, corner: Tensor, radius: int) -> Tensor:
    """``(B, N, 2r + 2, 2r + 2)`` dot products, rows then columns, around ``(B, N, 2)`` whole positions."""
    batch, count, channels = reference.shape
    offsets = torch.arange(-radius, radius + 2, device=corner.device)
    x, y = (corner[..., None] + offsets).unbind(2)
    inside = ((y >= 0) & (y < level.height))[..., :, None] & ((x >= 0) & (x < level.width))[..., None, :]
    rows, columns = y.clamp(0, level.height - 1), x.clamp(0, level.width - 1)
    picture = torch.arange(batch, device=corner.device)[:, None, None, None] * (level.height * level.width)
    index = picture + rows[..., :, None] * level.width + columns[..., None, :]
    neighbors = level.features.index_select(0, index.flatten()).view(batch * count, -1, channels)
    dots = neighbors.float() @ reference.reshape(batch * count, channels, 1).float()
    return dots.view(inside.shape).where(inside, 0.0)
