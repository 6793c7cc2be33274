"""Triton kernels of :mod:`f2hdr_backend.kernels.triton_fused`, which documents their arguments."""

from __future__ import annotations

from typing import Any

import triton
import triton.language as tl


@triton.jit
def finish_convolution(
    values: tl.tensor,
    bias: tl.tensor,
    slopes: tl.tensor,
    added: tl.tensor,
    count: int,
    slope: float,
    CHANNELS: tl.constexpr,
    ACTIVATION: tl.constexpr,
    ADDED: tl.constexpr,
    ELEMENTS: tl.constexpr,
) -> None:
    """Replace ``values``, channels-last; each program has ELEMENTS adjacent ones."""
    first = tl.program_id(0).to(tl.int64) * ELEMENTS
    step = tl.arange(0, ELEMENTS)
    place = first + step
    inside = place < count
    channel = ((first % CHANNELS).to(tl.int32) + step) % CHANNELS
    value = tl.load(values + place, mask=inside, other=0.0).to(tl.float32)
    value += tl.load(bias + channel).to(tl.float32)
    if ADDED == "before":
        value += tl.load(added + place, mask=inside, other=0.0).to(tl.float32)
    if ACTIVATION == "silu":
        value = value / (1.0 + tl.exp(-value))
    elif ACTIVATION == "each":
        value = tl.where(value > 0, value, value * tl.load(slopes + channel).to(tl.float32))
    elif ACTIVATION == "slopes":
        value = tl.where(value > 0, value, value * slope)
    if ADDED == "after":
        value += tl.load(added + place, mask=inside, other=0.0).to(tl.float32)
    tl.store(values + place, value.to(values.dtype.element_ty), mask=inside)


@triton.jit
def corner(
    picture: tl.tensor,
    x: tl.tensor,
    y: tl.tensor,
    weight: tl.tensor,
    height: int,
    width: int,
    row_stride: int,
    column_stride: int,
    channels: tl.tensor,
    inside: tl.tensor,
) -> Any:
    """Return ``weight`` times the pixels at whole positions, zero outside; ``(pixels, channels)``."""
    seen = inside & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    place = y.to(tl.int64) * row_stride + x.to(tl.int64) * column_stride
    found = tl.load(
        picture + place[:, None] + channels[None, :], mask=seen[:, None] & (channels >= 0)[None, :], other=0.0
    )
    return tl.where(seen, weight, 0.0)[:, None] * found.to(tl.float32)


@triton.jit
def sample(
    picture: tl.tensor,
    places: tl.tensor,
    gate: tl.tensor,
    result: tl.tensor,
    height: int,
    width: int,
    count: int,
    columns: int,
    stretch_x: float,
    stretch_y: float,
    shift: float,
    batch_stride: int,
    channel_stride: int,
    row_stride: int,
    column_stride: int,
    result_channel_stride: int,
    result_pixel_stride: int,
    CHANNELS: tl.constexpr,
    CHANNEL_BLOCK: tl.constexpr,
    FROM_PIXEL: tl.constexpr,
    GATED: tl.constexpr,
    ADDED: tl.constexpr,
    PIXELS: tl.constexpr,
) -> None:
    """Write ``result``; each program has PIXELS adjacent pixels of one image with all their channels."""
    image = tl.program_id(1).to(tl.int64)
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    inside = pixel < count
    x = tl.load(places + image * 2 * count + pixel, mask=inside, other=0.0)
    y = tl.load(places + image * 2 * count + count + pixel, mask=inside, other=0.0)
    if FROM_PIXEL:
        x = ((pixel % columns).to(tl.float32) + x) * stretch_x - shift
        y = ((pixel // columns).to(tl.float32) + y) * stretch_y - shift
    near = (x > -1.0) & (x < width) & (y > -1.0) & (y < height)  # NaN is nowhere
    x = tl.where(near, x, -2.0)
    y = tl.where(near, y, -2.0)
    left = tl.floor(x)
    top = tl.floor(y)
    across = x - left
    down = y - top
    column = left.to(tl.int32)
    row = top.to(tl.int32)
    channel = tl.arange(0, CHANNEL_BLOCK)
    start = picture + image * batch_stride
    steps = tl.where(channel < CHANNELS, channel.to(tl.int64) * channel_stride, -1)
    total = corner(
        start, column, row, (1 - across) * (1 - down), height, width, row_stride, column_stride, steps, inside
    )
    total += corner(
        start, column + 1, row, across * (1 - down), height, width, row_stride, column_stride, steps, inside
    )
    total += corner(
        start, column, row + 1, (1 - across) * down, height, width, row_stride, column_stride, steps, inside
    )
    total += corner(start, column + 1, row + 1, across * down, height, width, row_stride, column_stride, steps, inside)
    if GATED:
        total *= tl.load(gate + image * count + pixel, mask=inside, other=0.0).to(tl.float32)[:, None]
    out = result + image * count * CHANNELS
    out += pixel.to(tl.int64)[:, None] * result_pixel_stride + channel.to(tl.int64)[None, :] * result_channel_stride
    written = inside[:, None] & (channel < CHANNELS)[None, :]
    if ADDED:
        total += tl.load(out, mask=written, other=0.0).to(tl.float32)
    tl.store(out, total.to(result.dtype.element_ty), mask=written)
