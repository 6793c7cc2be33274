"""The spatial-domain steerable pyramid ``sp3`` (Simoncelli and Freeman 1995): four orientations, any frame size.

Convention: plain correlation, edges reflected about the edge pixel without repeating it, decimation keeps samples
0, 2, 4 ..., so that a level of n samples is followed by one of ceil(n / 2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from f2hdr_backend.evaluate.hdrvdp import sp3_taps

ORIENTATIONS = 4
SMALLEST = 17
"""A level is built while the shorter side, halved and rounded down each time, is at least this many pixels."""


@dataclass(frozen=True)
class Filters:
    """The complete taps in float64: high-pass 15 x 15, low-passes 9 x 9 and 17 x 17, four bands 9 x 9."""

    high: Tensor
    first_low: Tensor
    low: Tensor
    bands: tuple[Tensor, ...]


def level_count(height: int, width: int) -> int:
    """Return the number of oriented levels of a frame of this size in pixels; 0 below 17 px."""
    side, count = min(height, width), 0
    while side >= SMALLEST:
        side, count = side // 2, count + 1
    return count


def filters() -> Filters:
    """Return the taps expanded by their symmetries (see `sp3_taps`)."""
    straight = torch.zeros(9, 9, dtype=torch.float64)
    for row, taps in enumerate(sp3_taps.BAND_STRAIGHT):
        right = torch.tensor(taps, dtype=torch.float64)
        straight[row] = torch.cat([right.flip(0), right[1:]])
        straight[8 - row] = -straight[row]
    above = torch.zeros(9, 9, dtype=torch.float64)
    for row, wedge in enumerate(sp3_taps.BAND_DIAGONAL):
        for column, tap in enumerate(wedge, row + 1):
            above[row, column] = above[8 - column, 8 - row] = tap
    diagonal = above - above.T
    # The order matters: a level next to a band of one orientation is masked with its first, that of vertical structure.
    bands = (-straight.T, diagonal, straight, diagonal.flip(0))
    symmetric = _octant(sp3_taps.HIGH_PASS), _octant(sp3_taps.INITIAL_LOW_PASS), _octant(sp3_taps.LOW_PASS)
    return Filters(*symmetric, bands)


def build(pictures: Tensor) -> list[Tensor]:
    """Decompose ``(N, H, W)`` pictures of at least 17 px a side.

    Returns:
        The bands from fine to coarse, ``(N, O, h, w)`` each: the high-pass residual (O = 1, full size), the oriented
        levels (O = 4; the first at full size), and the low-pass base (O = 1).
    """
    taps = filters()
    level = (*taps.bands, taps.low)
    # The initial low-pass is even in both axes, so it commutes with reflection and can be merged into the first level.
    filtered = _correlate(pictures, (taps.high, *(_compose(taps.first_low, kernel) for kernel in level)))
    levels, filtered = [filtered[:, :1]], filtered[:, 1:]
    for remaining in range(level_count(*pictures.shape[-2:]), 0, -1):
        levels.append(filtered[:, :ORIENTATIONS])
        low = filtered[:, ORIENTATIONS, ::2, ::2].contiguous()
        if remaining > 1:
            filtered = _correlate(low, level)
    return [*levels, low.unsqueeze(1)]


def _correlate(pictures: Tensor, kernels: tuple[Tensor, ...]) -> Tensor:
    """``(N, K, H, W)``: each picture correlated with each square kernel, by FFT of the reflected picture."""
    height, width = pictures.shape[-2:]
    margin = max(kernel.shape[0] // 2 for kernel in kernels)
    padded = F.pad(pictures.unsqueeze(1), (margin,) * 4, mode="reflect")[:, 0]
    size = _fast_length(height + 2 * margin), _fast_length(width + 2 * margin)
    spectrum = torch.fft.rfft2(padded, s=size)
    result = pictures.new_empty(len(pictures), len(kernels), height, width)
    for index, kernel in enumerate(kernels):
        filtered = torch.fft.irfft2(spectrum * _transfer(kernel, size, spectrum), s=size)
        result[:, index] = filtered[:, margin : margin + height, margin : margin + width]
    return result


def _transfer(kernel: Tensor, size: tuple[int, int], like: Tensor) -> Tensor:
    """The factors of a real DFT of ``size`` that correlate with ``kernel``, computed as a small matrix product."""
    offsets = torch.arange(kernel.shape[0], dtype=torch.float64) - kernel.shape[0] // 2
    rows, columns = (
        torch.exp(2j * math.pi * torch.outer(frequencies, offsets)).to(like)
        for frequencies in (
            torch.fft.fftfreq(size[0], dtype=torch.float64),
            torch.fft.rfftfreq(size[1], dtype=torch.float64),
        )
    )
    return rows @ kernel.to(like) @ columns.T


def _compose(first: Tensor, second: Tensor) -> Tensor:
    """Return the single kernel that is equivalent to ``first`` followed by ``second``."""
    margin = second.shape[0] - 1
    return F.conv2d(F.pad(first, (margin,) * 4)[None, None], second.flip(0, 1)[None, None])[0, 0]


def _octant(rows: tuple[tuple[float, ...], ...]) -> Tensor:
    radius = len(rows) - 1
    quarter = torch.zeros(radius + 1, radius + 1, dtype=torch.float64)
    for row, taps in enumerate(rows):
        quarter[row, row:] = quarter[row:, row] = torch.tensor(taps, dtype=torch.float64)
    half = torch.cat([quarter[:, 1:].flip(1), quarter], dim=1)
    return torch.cat([half[1:].flip(0), half])


def _fast_length(length: int) -> int:
    """Return the smallest length of at least ``length`` that has no prime factor above 5."""
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 1
