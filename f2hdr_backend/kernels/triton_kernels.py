"""Triton kernels of local correlation; one launch per pyramid level.

Images are channels-last and contiguous. A program processes a run of adjacent pixels, whose windows overlap, so that
most features are read from the L1 cache.
"""

from __future__ import annotations

from typing import Any

import triton
import triton.language as tl


@triton.jit
def window_at(
    positions: tl.tensor, pixel: tl.tensor, level_height: int, level_width: int, scale: float, RADIUS: tl.constexpr
) -> Any:
    """Return left and top of the window in whole pixels, then the fractions in x and y for all its samples."""
    x = tl.load(positions + 2 * pixel) * scale
    y = tl.load(positions + 2 * pixel + 1) * scale
    # NaN fails every comparison; other values are close to the image, so the conversions cannot overflow.
    seen = (x > -1.0 - RADIUS) & (x < level_width + RADIUS) & (y > -1.0 - RADIUS) & (y < level_height + RADIUS)
    x = tl.where(seen, x, -2.0 - 2 * RADIUS)  # a position whose whole window is outside the image
    y = tl.where(seen, y, 0.0)
    left = tl.floor(x)
    top = tl.floor(y)
    return left.to(tl.int32) - RADIUS, top.to(tl.int32) - RADIUS, x - left, y - top


@triton.jit
def blend_weights(fraction: tl.tensor, SIDE: tl.constexpr) -> Any:
    """``(SIDE, SIDE)``: the weight of dot product i (column) in window sample a (row), along one axis."""
    sample = tl.arange(0, SIDE)[:, None]
    dot = tl.arange(0, SIDE)[None, :]
    return tl.where(dot == sample, 1.0 - fraction, tl.where(dot == sample + 1, fraction, 0.0))


@triton.jit
def correlate(
    reference: tl.tensor,
    features: tl.tensor,
    positions: tl.tensor,
    correlation: tl.tensor,
    pixels: int,
    level_height: int,
    level_width: int,
    scale: float,
    norm: float,
    offset: int,
    stride: int,
    CHANNELS: tl.constexpr,
    CHANNEL_BLOCK: tl.constexpr,
    RADIUS: tl.constexpr,
    SAMPLES: tl.constexpr,
    SIDE: tl.constexpr,
    RUN: tl.constexpr,
) -> None:
    """Write the correlation of one level: ``stride`` values per pixel, those of this level start at ``offset``."""
    picture = tl.program_id(1).to(tl.int64)
    channel = tl.arange(0, CHANNEL_BLOCK)
    step = tl.arange(0, SIDE)
    for place in range(RUN):
        index = tl.program_id(0) * RUN + place
        if index < pixels:
            pixel = picture * pixels + index
            left, top, x, y = window_at(positions, pixel, level_height, level_width, scale, RADIUS)
            weights = blend_weights(x, SIDE)
            vector = tl.load(reference + pixel * CHANNELS + channel, mask=channel < CHANNELS, other=0.0).to(tl.float32)
            column = left + step
            first_row = top + tl.zeros((SIDE,), tl.int32)
            in_columns = (column >= 0) & (column < level_width) & (step <= SAMPLES)
            out = correlation + pixel * stride + offset + step * SAMPLES
            above = tl.zeros((SIDE,), tl.float32)
            for j in range(SAMPLES + 1):
                row = first_row + j
                inside = in_columns & (row >= 0) & (row < level_height)
                neighbor = ((picture * level_height + row) * level_width + column) * CHANNELS
                values = tl.load(
                    features + neighbor[:, None] + channel[None, :],
                    mask=inside[:, None] & (channel < CHANNELS)[None, :],
                    other=0.0,
                ).to(tl.float32)
                dots = tl.sum(values * vector[None, :], axis=1)
                below = tl.sum(weights * dots[None, :], axis=1)
                blended = norm * ((1.0 - y) * above + y * below)
                tl.store(out + j - 1, blended, mask=(step < SAMPLES) & (j > 0))
                above = below


@triton.jit
def backpropagate(
    reference: tl.tensor,
    features: tl.tensor,
    positions: tl.tensor,
    gradient: tl.tensor,
    reference_gradient: tl.tensor,
    feature_gradient: tl.tensor,
    pixels: int,
    level_height: int,
    level_width: int,
    scale: float,
    norm: float,
    offset: int,
    stride: int,
    CHANNELS: tl.constexpr,
    CHANNEL_BLOCK: tl.constexpr,
    RADIUS: tl.constexpr,
    SAMPLES: tl.constexpr,
    SIDE: tl.constexpr,
    RUN: tl.constexpr,
) -> None:
    """Add one level's contribution to both gradients (float32). Sums for the features are atomic, in undefined
    order.
    """
    picture = tl.program_id(1).to(tl.int64)
    channel = tl.arange(0, CHANNEL_BLOCK)
    step = tl.arange(0, SIDE)
    for place in range(RUN):
        index = tl.program_id(0) * RUN + place
        if index < pixels:
            pixel = picture * pixels + index
            left, top, x, y = window_at(positions, pixel, level_height, level_width, scale, RADIUS)
            weights = blend_weights(x, SIDE)
            vector = tl.load(reference + pixel * CHANNELS + channel, mask=channel < CHANNELS, other=0.0).to(tl.float32)
            column = left + step
            first_row = top + tl.zeros((SIDE,), tl.int32)
            in_columns = (column >= 0) & (column < level_width) & (step <= SAMPLES)
            received = gradient + pixel * stride + offset + step * SAMPLES
            total = tl.zeros((CHANNEL_BLOCK,), tl.float32)
            for j in range(SAMPLES + 1):
                row = first_row + j
                here = tl.load(received + j, mask=(step < SAMPLES) & (j < SAMPLES), other=0.0)
                above = tl.load(received + j - 1, mask=(step < SAMPLES) & (j > 0), other=0.0)
                blended = (1.0 - y) * here + y * above
                dots = norm * tl.sum(weights * blended[:, None], axis=0)
                inside = in_columns & (row >= 0) & (row < level_height)
                mask = inside[:, None] & (channel < CHANNELS)[None, :]
                neighbor = ((picture * level_height + row) * level_width + column) * CHANNELS
                address = neighbor[:, None] + channel[None, :]
                values = tl.load(features + address, mask=mask, other=0.0).to(tl.float32)
                total += tl.sum(dots[:, None] * values, axis=0)
                tl.atomic_add(feature_gradient + address, dots[:, None] * vector[None, :], mask=mask, sem="relaxed")
            own = reference_gradient + pixel * CHANNELS + channel
            known = tl.load(own, mask=channel < CHANNELS, other=0.0)
            tl.store(own, known + total, mask=channel < CHANNELS)
