"""What becomes of a method's light: it is held to the frames it was made from, by the mode of reference trust."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.color.response import GAMMA
from f2hdr_backend.engine.method.base import HdrFrame
from f2hdr_backend.engine.trust.aligned import AlignedNeighbor, align_neighbors, brightest, light_of
from f2hdr_backend.engine.trust.confirm import confirm

FloatArray = NDArray[np.float32]

LUMA = np.array((0.299, 0.587, 0.114), np.float32)
DARK, BRIGHT = 0.2, 0.8
"""Luma of the code values below and above which the published evaluation leaves the reference."""
HIGHLIGHT = 0.95
"""Code value at which soft trust in a channel has ended: nearer to the clip its light is no longer sure."""
DIM, WELL_LIT = 0.25, 0.5
"""Luma of the code values of a long reference over which soft trust rises: below, its noise counts more."""
CLIPPED = 0.985
"""Code value from which a channel counts as clipped."""
DOUBTED = 0.6
"""How far above a clipped reference's light, in shares of it, the result is still suspected to be just the clip."""
TOLERANCE = 0.15
"""By what share of that light noise may leave a neighbor below it."""
FILL_PX = 9
"""Side of the window that nearby light is taken from where no neighbor reaches the clip."""
FEATHER = 0.1
"""Width in code value over which soft trust falls from full to none."""


def layers_followed(mode: str) -> frozenset[str]:
    """The layers of a window that a mode of trust takes beside its light."""
    return frozenset({"flow"} if mode == "soft" else ())


def trust(codes: FloatArray, exposures: tuple[float, float, float], mode: str) -> FloatArray:
    """How much of the reference's own light goes into the result.

    ``soft`` trusts a long reference from where noise no longer matters up to its clip, on its brightest channel, and a
    short one from where the long neighbors clip: below that they know more. ``hard`` is the published evaluation's
    threshold on luma. ``off`` trusts nothing.

    Args:
        codes: ``(H, W, 3)`` the reference's gamma-2.2 codes 0-1.
        exposures: of previous, reference and next; 1 is the shortest.
        mode: ``soft``, ``hard`` or ``off``.

    Returns:
        ``(H, W, 1)`` weights 0-1.
    """
    luma = (codes @ LUMA)[..., None]
    own, longest = exposures[1], max(exposures)
    if mode == "off":
        return np.zeros_like(luma)
    if mode == "hard":
        return (luma >= DARK if own <= 1 else luma <= BRIGHT).astype(np.float32)
    if own < longest:
        neighbors_clip = np.float32((own / longest) ** (1 / GAMMA))
        return _ramp((luma - neighbors_clip) / FEATHER)
    return _ramp((HIGHLIGHT - brightest(codes)) / FEATHER) * _ramp((luma - DIM) / (WELL_LIT - DIM))


def use_reference(
    frame: HdrFrame, codes: Sequence[FloatArray], exposures: tuple[float, float, float], mode: str
) -> HdrFrame:
    """The frame with the reference's own light as far as :func:`trust` goes.

    ``soft`` also averages the result with the frames that agree with it (:mod:`~f2hdr_backend.engine.trust.confirm`)
    and limits it by a clipped reference (:func:`respect_clip`).

    Args:
        frame: what the window gave.
        codes: ``(H, W, 3)`` gamma-2.2 codes 0-1 each, of previous, reference and next.
        exposures: of previous, reference and next; 1 is the shortest.
        mode: ``soft``, ``hard`` or ``off``.
    """
    own, radiance, matched = light_of(codes[1], exposures[1]), frame.radiance, frame.matched
    if mode == "soft":
        neighbors = align_neighbors(own, codes, exposures, frame.flows)
        matched = (neighbors[0].matched, neighbors[1].matched)
        radiance = confirm(radiance, own, exposures[1], neighbors)
        radiance = respect_clip(radiance, codes[1], own, neighbors)
    radiance = radiance + trust(codes[1], exposures, mode) * (own - radiance)
    return replace(frame, radiance=radiance, matched=matched)


def respect_clip(
    radiance: FloatArray, reference: FloatArray, own: FloatArray, neighbors: Sequence[AlignedNeighbor]
) -> FloatArray:
    """Radiance that knows what a clipped reference says: there was at least so much light, and likely more.

    Something darker there came from a neighbor that shows another surface: a ghost. Just the clip is the reference
    itself: a flat patch in a highlight. Both are replaced by the mean of the aligned neighbors that reach the clip,
    where none does by such light from nearby, and by the clip if there is none; partly, where the result exceeds the
    clip by little.

    Args:
        radiance: ``(H, W, 3)`` the result so far.
        reference: ``(H, W, 3)`` the reference's gamma-2.2 codes 0-1.
        own: ``(H, W, 3)`` its light.
        neighbors: previous and next.

    Returns:
        ``(H, W, 3)``.
    """
    clip = np.where(reference >= CLIPPED, own, 0).astype(np.float32)
    wrong = _ramp((1 + DOUBTED - _reach(radiance, clip)) / DOUBTED)
    if not wrong.any():
        return radiance
    total, weight = np.zeros_like(clip), np.zeros_like(wrong)
    for neighbor in neighbors:
        fits = _ramp((_reach(neighbor.light, clip) - (1 - TOLERANCE)) / TOLERANCE)
        total, weight = total + fits * neighbor.light, weight + fits
    around = [cv2.blur(part, (FILL_PX, FILL_PX)).reshape(part.shape) for part in (total, weight)]
    total = total + around[0] * np.float32(0.01) + np.maximum(radiance, clip) * np.float32(1e-4)
    weight = weight + around[1] * np.float32(0.01) + np.float32(1e-4)
    return radiance + wrong * (total / weight - radiance)


def _reach(radiance: FloatArray, clip: FloatArray) -> FloatArray:
    """``(H, W, 1)`` the smallest share of its clip that a clipped channel reaches; infinite where none is clipped."""
    share = np.full_like(clip, np.inf)
    np.divide(radiance, clip, out=share, where=clip > 0)
    return np.minimum(np.minimum(share[..., :1], share[..., 1:2]), share[..., 2:])


def _ramp(position: FloatArray) -> FloatArray:
    """A smooth step from 0 at 0 to 1 at 1."""
    inside = np.clip(position, 0, 1)
    return inside * inside * (3 - 2 * inside)
