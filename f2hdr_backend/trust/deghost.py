"""Replace the result by the reference's view where it shows a different surface; removes ghosts of fast motion.

Averaged over a small area, a result must equal the reference up to noise, wherever the reference is not clipped. Where
it does not, the result was computed from frames that show a different surface there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.cancellation import check_stop
from f2hdr_backend.trust.agreement import unclipped
from f2hdr_backend.trust.aligned import CELL_PX, AlignedNeighbor, below_highlights, brightest, cell_means, ramp

AREA_CELLS = (1, 3)
"""Sides of the areas that differences are averaged over, in cells of 4 pixels: small for edges, large for noise."""
TOLERANCE = 0.12
"""Relative difference of the means from which a result counts as a different surface; the weight is 1 at twice this."""
BLACK = 2e-4
"""Difference of the means that an inexact black level may cause, in clips of the reference's exposure."""
STANDARD_ERRORS = 5.0
"""Difference of the means that noise may cause, in standard errors of the mean. It is this high because noise clipped
at black alone shifts a mean by 0.4 standard deviations, which is about 5 standard errors of the large area."""
FEWEST = 0.25
"""Share of an area that has to be unclipped in both pictures for a comparison."""


def keep_surface(
    radiance: FloatArray,
    reference: FloatArray,
    own: FloatArray,
    exposure: float,
    neighbors: Sequence[AlignedNeighbor],
) -> FloatArray:
    """Replace the result where it shows a different surface than the reference.

    The replacement is the exposure-weighted mean of the reference and of the neighbors that show its surface, or the
    reference alone, with its noise, if no neighbor does.

    Args:
        radiance: ``(H, W, 3)`` the result so far; 1 is the clip of the shortest exposure.
        reference: ``(H, W, 3)`` the reference's gamma-2.2 codes 0-1.
        own: ``(H, W, 3)`` its radiance.
        exposure: the reference's; 1 is the shortest.
        neighbors: previous and next.

    Returns:
        ``(H, W, 3)``.
    """
    usable = below_highlights(reference)
    wrong = _full_size(_differs(radiance, own, usable, BLACK / exposure), own.shape) * usable
    if not wrong.any():
        return radiance
    box = _box(wrong[..., 0])
    found = radiance.copy()
    seen_by = [replace(each, light=each.light[box]) for each in neighbors]
    surface = _surface(own[box], usable[box], exposure, seen_by)
    found[box] += wrong[box] * (surface - radiance[box])
    return found


def _surface(own: FloatArray, usable: FloatArray, exposure: float, neighbors: Sequence[AlignedNeighbor]) -> FloatArray:
    """``(H, W, 3)`` the mean of the reference and of the neighbors that show its surface."""
    total, weight = own * np.float32(exposure), np.full_like(usable, exposure)
    for neighbor in neighbors:
        check_stop()
        seen = unclipped(neighbor.light / np.float32(neighbor.matched), neighbor.exposure)
        same = 1 - _full_size(_differs(neighbor.light, own, usable * seen, BLACK / exposure), own.shape)
        share = seen * same * np.float32(neighbor.exposure)
        total, weight = total + share * neighbor.light, weight + share
    return np.asarray(total / weight, np.float32)


def _box(wrong: FloatArray) -> tuple[slice, slice]:
    """Return the smallest rows and columns that contain all nonzero weights, with a margin for the means over areas."""
    margin = AREA_CELLS[-1] * CELL_PX
    spans = [np.flatnonzero(wrong.any(axis)) for axis in (1, 0)]
    rows, columns = (slice(max(int(span[0]) - margin, 0), int(span[-1]) + 1 + margin) for span in spans)
    return rows, columns


def _differs(radiance: FloatArray, own: FloatArray, usable: FloatArray, black: float) -> FloatArray:
    """``(h, w)`` 0-1 per cell: whether it or an adjacent cell shows a different surface than the reference."""
    difference = (radiance - own) * usable
    covered = cell_means(usable)[..., None]
    sums = [covered, *(cell_means(each) for each in (difference, difference**2, own * usable))]
    share = np.maximum(covered, 1e-6)
    variance = np.maximum(sums[2] / share - (sums[1] / share) ** 2, 0)
    variance = cv2.medianBlur(np.asarray(variance, np.float32), 3)  # of the noise, without the variance at edges
    found = np.zeros(covered.shape[:2], np.float32)
    for side in AREA_CELLS:
        covered, mean, _, level = (_blurred(each, side) for each in sums)
        count = np.maximum(covered, 1e-6) * (side * CELL_PX) ** 2
        allowed = black + TOLERANCE * level + STANDARD_ERRORS * np.sqrt(variance / count)
        found = np.maximum(found, ramp(brightest(np.abs(mean) / allowed)[..., 0] - 1) * (covered[..., 0] > FEWEST))
    return np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8)), np.float32)


def _blurred(cells: FloatArray, side: int) -> FloatArray:
    """``(h, w, C)`` means over ``side`` x ``side`` cells."""
    return np.asarray(cv2.blur(cells, (side, side), borderType=cv2.BORDER_REPLICATE), np.float32).reshape(cells.shape)


def _full_size(cells: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """``(H, W, 1)`` values of cells, interpolated."""
    return np.asarray(cv2.resize(cells, shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)[..., None]
