"""Flows as small integers: rounded to a 256th of a pixel, and packed without further loss.

Halves (float16) would round a motion of 40 pixels to a 64th of a pixel and take twice the room; ``docs/cache.md``
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
"""Steps in pixels. The finest is as fine as float16 between 4 and 8 px, and finer beyond; the last fits any float."""
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
    """A flow in whole steps of a power of two of pixels."""

    steps: Tensor
    """``(2, H, W)`` int16."""
    unit: Tensor
    """``()`` float32 pixels a step: 1/256, or more where motions of 128 px and more need it. NaN for a flow with a
    value that is not finite, which has no steps."""

    @classmethod
    def of(cls, flow: Tensor) -> RoundedFlow:
        """Round ``(2, H, W)`` pixels to the nearest step. On a GPU nothing is waited for."""
        flow = flow.float()
        units = _units(flow.device)
        peak = flow.abs().max()
        unit = units.take((peak > LARGEST * units).sum().clamp(max=len(UNITS_PX) - 1))
        steps = (flow * (1 / unit)).round_().to(torch.int16)
        return cls(steps, torch.where(peak.isfinite(), unit, torch.nan))

    def pixels(self) -> Tensor:
        """``(2, H, W)`` float32 pixels, exactly: every device gives the same."""
        return self.steps.float() * self.unit


@cache
def _units(device: torch.device) -> Tensor:
    return upload(torch.tensor(UNITS_PX), device)


def pack(flow: RoundedFlow) -> bytes:
    """Bytes that :func:`unpack` turns into the same flow: the residual of a three-neighbor predictor.

    Takes a flow on the CPU whose unit is a number.
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
    """Undo :func:`pack`, on the CPU.

    Args:
        content: what :func:`pack` gave, bit for bit.
        size: the (height, width) that the flow must have.

    Raises:
        ValueError: this is no packed flow of that size.
    """
    height, width = size
    packed = content[_HEADER.size :]
    if len(content) < _HEADER.size or _HEADER.unpack_from(content)[1:] != size:
        raise ValueError(f"no flow of {width} x {height} pixels")
    steps = np.empty((2, height, width), np.int16)
    try:
        if blosc2.get_cbuffer_sizes(packed)[0] != steps.nbytes:
            raise ValueError(f"no {steps.nbytes} bytes of steps")
        blosc2.decompress2(packed, dst=steps)
    except RuntimeError as error:
        raise ValueError(f"not packed by blosc2: {error}") from error
    for row in range(1, height):  # five times as fast as a cumulative sum along this axis
        steps[:, row] += steps[:, row - 1]
    bits = _HEADER.unpack_from(content)[0]
    return RoundedFlow(torch.from_numpy(steps).cumsum(2, dtype=torch.int16), torch.tensor(2.0**-bits))
