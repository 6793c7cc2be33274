"""A result where the reference is clipped: at least as bright as the clip, and filled from neighbors that reach it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.cancellation import check_stop
from f2hdr_backend.trust.aligned import AlignedNeighbor, brightest, ramp

CLIPPED = 0.985
"""Code value from which a channel counts as clipped."""
DOUBTED = 0.6
"""A result that exceeds the clip level by less than this share may still be the clipped value itself."""
LOWEST = 0.9
"""Minimum result in a clipped channel, as a share of the clip level. It is below 1 because noise can clip the
reference.
"""
FILL_PX = 9
"""Side of the window of clipped pixels whose fill is used where no neighbor reaches the clip."""


def respect_clip(
    radiance: FloatArray, reference: FloatArray, own: FloatArray, neighbors: Sequence[AlignedNeighbor]
) -> FloatArray:
    """Correct the result where the reference is clipped, so that the radiance was at least the clip's.

    A darker result came from a neighbor that shows another surface: a ghost. A result equal to the clip is the
    reference itself: a flat patch in a highlight. Both are replaced by the mean of the aligned neighbors that reach
    the clip; where none does, by that mean at nearby clipped pixels, and by the clip if there is none. A result just
    above the clip is replaced partly.

    Args:
        radiance: ``(H, W, 3)`` the result so far.
        reference: ``(H, W, 3)`` the reference's gamma-2.2 codes 0-1.
        own: ``(H, W, 3)`` its radiance.
        neighbors: previous and next.

    Returns:
        ``(H, W, 3)``, in each clipped channel at least :data:`LOWEST` of its clip.
    """
    clip = np.where(reference >= CLIPPED, own, 0).astype(np.float32)
    clipped = brightest(clip) > 0
    wrong = ramp((1 + DOUBTED - _reach(radiance, clip)) / DOUBTED) * clipped
    if not wrong.any():
        return radiance
    total, weight = np.zeros_like(clip), np.zeros_like(wrong)
    for neighbor in neighbors:
        check_stop()
        fits = ramp((_reach(neighbor.light, clip) - LOWEST) / (1 - LOWEST)) * clipped
        total, weight = total + fits * neighbor.light, weight + fits
    around = [cv2.blur(part, (FILL_PX, FILL_PX)).reshape(part.shape) for part in (total, weight)]
    total = total + around[0] * np.float32(0.01) + np.maximum(radiance, clip) * np.float32(1e-4)
    weight = weight + around[1] * np.float32(0.01) + np.float32(1e-4)
    filled = radiance + wrong * (total / weight - radiance)
    return np.asarray(np.maximum(filled, clip * np.float32(LOWEST)), np.float32)


def _reach(radiance: FloatArray, clip: FloatArray) -> FloatArray:
    """``(H, W, 1)`` the smallest share of its clip that a clipped channel reaches; infinite where none is clipped."""
    share = np.full_like(clip, np.inf)
    np.divide(radiance, clip, out=share, where=clip > 0)
    return np.minimum(np.minimum(share[..., :1], share[..., 1:2]), share[..., 2:])
