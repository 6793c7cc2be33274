"""The result averaged with the frames it was made from, where they confirm it.

A network's light is right but for small errors of its own; a frame's light has small errors too, its noise, and
elsewhere shows something else. Where the two are the same but for such errors, their mean is nearer to the truth than
either, as in any merge of exposures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.color.response import GAMMA
from f2hdr_backend.engine.trust.aligned import AlignedNeighbor, brightest

FloatArray = NDArray[np.float32]

AGREEMENT = 0.17
"""Difference, as a share of the sum, at which a frame no longer has a say; its say falls smoothly from 0 on."""
DARKEST = 1 / 2500
"""Light around which differences begin to count, in clips of the shortest exposure."""
ROWS_AT_ONCE = 32
"""Few enough that what is between stays in a processor's cache: half the time."""
CLIP_START, CLIP_END = 0.9**GAMMA, 0.98**GAMMA
"""Shares of its clip over which a pixel's say falls to nothing."""


def confirm(radiance: FloatArray, own: FloatArray, exposure: float, neighbors: Sequence[AlignedNeighbor]) -> FloatArray:
    """The mean of the result, with the say of the longest exposure, and every frame with the say of its own.

    Args:
        radiance: ``(H, W, 3)`` what the method gave; 1 is the clip of the shortest exposure.
        own: ``(H, W, 3)`` the reference's light.
        exposure: the reference's; 1 is the shortest.
        neighbors: previous and next.

    Returns:
        ``(H, W, 3)``.
    """
    frames = [(own, exposure), *((neighbor.light, neighbor.exposure) for neighbor in neighbors)]
    found = np.empty_like(radiance)
    for top in range(0, len(radiance), ROWS_AT_ONCE):
        rows = slice(top, top + ROWS_AT_ONCE)
        found[rows] = _mean(radiance[rows], [(light[rows], gain) for light, gain in frames])
    return found


def _mean(radiance: FloatArray, frames: Sequence[tuple[FloatArray, float]]) -> FloatArray:
    """The same for some rows; frames are light and exposure."""
    light = np.maximum(radiance, 0)
    longest = max(exposure for _, exposure in frames)
    total, weight = light.copy(), np.ones_like(light[..., :1])
    for other, exposure in frames:
        say = _unclipped(other, exposure) * _agreement(light, other) * np.float32(exposure / longest)
        total += say * other
        weight += say
    return np.asarray(radiance + (total / weight - light), np.float32)


def _unclipped(light: FloatArray, exposure: float) -> FloatArray:
    """``(H, W, 1)`` 1 well below the clip of a frame's brightest channel, 0 at it."""
    share = brightest(light) * np.float32(exposure)
    return np.clip((np.float32(CLIP_END) - share) / np.float32(CLIP_END - CLIP_START), 0, 1)


def _agreement(one: FloatArray, other: FloatArray) -> FloatArray:
    """``(H, W, 1)`` 1 where two frames show the same light in every channel, 0 from a difference of AGREEMENT on."""
    difference = np.abs(one - other)
    difference /= one + other + np.float32(DARKEST)
    inside = np.maximum(1 - (brightest(difference) / np.float32(AGREEMENT)) ** 2, 0)
    return np.asarray(inside * inside, np.float32)
