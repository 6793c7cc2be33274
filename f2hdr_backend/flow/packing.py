"""Flows as small integers: rounded to a 256th of a pixel, and packed without further loss.

Halves (float16) would round a motion of 40 pixels to a 64th of a pixel and take twice the room; ``docs/cache.md``
has the measurements.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import blosc2
import numpy as np
import torch
from torch import Tensor

FINEST_BITS = 8
"""Steps of 1/256 px: as fine as float16 between 4 and 8 px, and finer beyond."""
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
    """A flow in whole steps of ``2 ** -bits`` pixels."""

    steps: Tensor
    """``(2, H, W)`` int16."""
    bits: int
    """8, or fewer where motions of 128 px and more need a coarser step."""

    @classmethod
    def of(cls, flow: Tensor) -> RoundedFlow | None:
        """Round ``(2, H, W)`` pixels to the nearest step; None if a value is not finite."""
        peak = float(flow.abs().max())
        if not np.isfinite(peak):
            return None
        bits = FINEST_BITS
        while peak * 2.0**bits > LARGEST:
            bits -= 1
        return cls((flow.float() * 2.0**bits).round_().to(torch.int16), bits)

    def pixels(self) -> Tensor:
        """``(2, H, W)`` float32 pixels, exactly: every device gives the same."""
        return self.steps.float() * 2.0**-self.bits


def pack(flow: RoundedFlow) -> bytes:
    """Bytes that :func:`unpack` turns into the same flow: each step less what its three neighbors foretell."""
    steps = flow.steps.cpu()
    across = steps.clone()
    across[..., 1:] -= steps[..., :-1]
    down = across.clone()
    down[:, 1:] -= across[:, :-1]
    _, height, width = steps.shape
    packed: bytes = blosc2.compress2(down.numpy(), **_CODEC)
    return _HEADER.pack(flow.bits, height, width) + packed


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
    return RoundedFlow(torch.from_numpy(steps).cumsum(2, dtype=torch.int16), _HEADER.unpack_from(content)[0])
