"""Flows as small integers: rounded to 1/256 pixel, then compressed losslessly.

Half floats (float16) would round a motion of 40 pixels to 1/64 pixel and need twice the space; ``docs/cache.md``
has the measurements.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import cache

import blosc2
import numpy as np
import torch
from torch import Tensor

from f2hdr_backend.model.transfer import upload

UNITS_PX = [2.0**power for power in range(-8, 115)]
"""Steps in pixels. The finest is that of float16 between 4 and 8 px, and finer than float16 above; the last fits any
float.
"""
LARGEST = 32767

_HEADER = struct.Struct("<bII")
_CODEC = {
    "codec": blosc2.Codec.ZSTD,
    "clevel": 1,
    "filters": [blosc2.Filter.BITSHUFFLE],
    "typesize": 2,
    "nthreads": 1,
}


@dataclass(frozen=True)
class RoundedFlow:
    """A flow as multiples of a step that is a power of two, in pixels."""

    steps: Tensor
    """``(2, H, W)`` int16."""
    unit: Tensor
    """``()`` float32, the step in pixels: 1/256, or more for motions of 128 px and more. NaN if the flow has a value
    that is not finite; ``steps`` is then invalid.
    """

    @classmethod
    def of(cls, flow: Tensor) -> RoundedFlow:
        """Round ``(2, H, W)`` pixels to the nearest step. Does not synchronize with a GPU."""
        flow = flow.float()
        units = _units(flow.device)
        peak = flow.abs().max()
        unit = units.take((peak > LARGEST * units).sum().clamp(max=len(UNITS_PX) - 1))
        steps = (flow * (1 / unit)).round_().to(torch.int16)
        return cls(steps, torch.where(peak.isfinite(), unit, torch.nan))

    def pixels(self) -> Tensor:
        """Return ``(2, H, W)`` float32 pixels; the same on every device."""
        return self.steps.float() * self.unit


@cache
def _units(device: torch.device) -> Tensor:
    return upload(torch.tensor(UNITS_PX), device)


def pack(flow: RoundedFlow) -> bytes:
    """Return bytes from which :func:`unpack` restores the flow: the residual of a three-neighbor predictor, compressed.

    ``flow`` must be on the CPU, and its unit must not be NaN.
    """
    steps = flow.steps
    across = steps.clone()
    across[..., 1:] -= steps[..., :-1]
    down = across.clone()
    down[:, 1:] -= across[:, :-1]
    _, height, width = steps.shape
    packed: bytes = blosc2.compress2(down.numpy(), **_CODEC)
    return _HEADER.pack(-round(math.log2(flow.unit)), height, width) + packed


def unpack(content: bytes, size: tuple[int, int]) -> RoundedFlow:
    """Return the flow from the bytes of :func:`pack`, on the CPU.

    Args:
        content: the unchanged result of :func:`pack`.
        size: expected (height, width) of the flow.

    Raises:
        ValueError: ``content`` is not a packed flow of that size.
    """
    height, width = size
    packed = content[_HEADER.size :]
    if len(content) < _HEADER.size or _HEADER.unpack_from(content)[1:] != size:
        raise ValueError(f"not a flow of {width} x {height} pixels")
    steps = np.empty((2, height, width), np.int16)
    try:
        if blosc2.get_cbuffer_sizes(packed)[0] != steps.nbytes:
            raise ValueError(f"not {steps.nbytes} bytes of steps")
        blosc2.decompress2(packed, dst=steps)
    except RuntimeError as error:
        raise ValueError(f"not packed by blosc2: {error}") from error
    for row in range(1, height):  # five times as fast as a cumulative sum along this axis
        steps[:, row] += steps[:, row - 1]
    bits = _HEADER.unpack_from(content)[0]
    return RoundedFlow(torch.from_numpy(steps).cumsum(2, dtype=torch.int16), torch.tensor(2.0**-bits))
