"""The mean of a result and the frames it was computed from, where they agree.

A network's result has small errors of its own; a frame has noise, and in other places it shows another surface. Where
the two differ by no more than such errors, their mean is closer to the truth than either, as in any merge of exposures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.cancellation import check_stop
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.trust.aligned import AlignedNeighbor, brightest

AGREEMENT = 0.17
"""Difference, as a share of the sum, at which a frame's weight has fallen smoothly to 0."""
DARKEST = 1 / 2500
"""Radiance, in clips of the shortest exposure, above which differences begin to count."""
ROWS_AT_ONCE = 32
"""Rows per block; the intermediate images then fit a processor's cache, which halves the time."""
CLIP_START, CLIP_END = 0.9**GAMMA, 0.98**GAMMA
"""Shares of a frame's clip over which the weight of a pixel falls to 0."""


def average_agreeing(
    radiance: FloatArray, own: FloatArray, exposure: float, neighbors: Sequence[AlignedNeighbor]
) -> FloatArray:
    """The mean of the result, weighted as the longest exposure, and of every frame, weighted by its own exposure.

    Args:
        radiance: ``(H, W, 3)`` the method's result; 1 is the clip of the shortest exposure.
        own: ``(H, W, 3)`` the reference's radiance.
        exposure: the reference's; 1 is the shortest.
        neighbors: previous and next.

    Returns:
        ``(H, W, 3)``.
    """
    frames = [(own, exposure), *((neighbor.light, neighbor.exposure) for neighbor in neighbors)]
    found = np.empty_like(radiance)
    for top in range(0, len(radiance), ROWS_AT_ONCE):
        check_stop()
        rows = slice(top, top + ROWS_AT_ONCE)
        found[rows] = _mean(radiance[rows], [(light[rows], gain) for light, gain in frames])
    return found


def _mean(radiance: FloatArray, frames: Sequence[tuple[FloatArray, float]]) -> FloatArray:
    """The same for a block of rows; ``frames`` are pairs of radiance and exposure."""
    light = np.maximum(radiance, 0)
    longest = max(exposure for _, exposure in frames)
    total, weights = light.copy(), np.ones_like(light[..., :1])
    for other, exposure in frames:
        weight = unclipped(other, exposure) * _agreement(light, other) * np.float32(exposure / longest)
        total += weight * other
        weights += weight
    return np.asarray(radiance + (total / weights - light), np.float32)


def unclipped(light: FloatArray, exposure: float) -> FloatArray:
    """``(H, W, 1)`` 1 well below the clip of a frame's brightest channel, 0 at it."""
    share = brightest(light) * np.float32(exposure)
    return np.clip((np.float32(CLIP_END) - share) / np.float32(CLIP_END - CLIP_START), 0, 1)


def _agreement(one: FloatArray, other: FloatArray) -> FloatArray:
    """``(H, W, 1)`` 1 where two frames have the same radiance in every channel, 0 from a difference of AGREEMENT."""
    difference = np.abs(one - other)
    difference /= one + other + np.float32(DARKEST)
    inside = np.maximum(1 - (brightest(difference) / np.float32(AGREEMENT)) ** 2, 0)
    return np.asarray(inside * inside, np.float32)
