"""Use of the reference frame's own well-exposed pixels in place of the network's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.engine.method import HdrFrame
from f2hdr_backend.image.response import GAMMA

FloatArray = NDArray[np.float32]

LUMA = np.array((0.299, 0.587, 0.114), np.float32)
DARK, BRIGHT = 0.2, 0.8
"""Luma of the code values below and above which the published evaluation leaves the reference."""
HIGHLIGHT = 0.95
"""Code value at which soft trust in a channel has ended: nearer to the clip its light is no longer sure."""
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

    ``soft`` trusts a long reference up to its clip, on its brightest channel, and a short one from where the long
    neighbors clip: below that they know more. ``hard`` is the published evaluation's threshold on luma. ``off``
    trusts nothing.

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
    return _ramp((HIGHLIGHT - _over_channels(np.maximum, codes)) / FEATHER)


def use_reference(
    frame: HdrFrame, codes: Sequence[FloatArray], exposures: tuple[float, float, float], mode: str
) -> HdrFrame:
    """The frame with the reference's own light as far as :func:`trust` goes.

    ``soft`` also holds the result to what a clipped reference says: see :func:`respect_clip`.

    Args:
        frame: what the window gave.
        codes: ``(H, W, 3)`` gamma-2.2 codes 0-1 each, of previous, reference and next.
        exposures: of previous, reference and next; 1 is the shortest.
        mode: ``soft``, ``hard`` or ``off``.
    """
    radiance = respect_clip(frame, codes, exposures) if mode == "soft" else frame.radiance
    own = _light(codes[1], exposures[1])
    return replace(frame, radiance=radiance + trust(codes[1], exposures, mode) * (own - radiance))


def respect_clip(frame: HdrFrame, codes: Sequence[FloatArray], exposures: tuple[float, float, float]) -> FloatArray:
    """Radiance that knows what a clipped reference says: there was at least so much light, and likely more.

    Something darker there came from a neighbor that shows another surface: a ghost. Just the clip is the reference
    itself: a flat patch in a highlight. Both are replaced by the mean of the aligned neighbors that reach the clip,
    where none does by such light from nearby, and by the clip if there is none; partly, where the result exceeds the
    clip by little.

    Arguments as in :func:`use_reference`. Returns ``(H, W, 3)``.
    """
    reference = codes[1]
    clip = np.where(reference >= CLIPPED, _light(reference, exposures[1]), 0).astype(np.float32)
    wrong = _ramp((1 + DOUBTED - _reach(frame.radiance, clip)) / DOUBTED)
    if not wrong.any():
        return frame.radiance
    total, weight = np.zeros_like(clip), np.zeros_like(wrong)
    for side, index in ((0, 0), (1, 2)):
        candidate = _follow(_light(codes[index], exposures[index]), frame.flows[side])
        fits = _ramp((_reach(candidate, clip) - (1 - TOLERANCE)) / TOLERANCE)
        total, weight = total + fits * candidate, weight + fits
    around = [cv2.blur(part, (FILL_PX, FILL_PX)).reshape(part.shape) for part in (total, weight)]
    total = total + around[0] * np.float32(0.01) + np.maximum(frame.radiance, clip) * np.float32(1e-4)
    weight = weight + around[1] * np.float32(0.01) + np.float32(1e-4)
    return frame.radiance + wrong * (total / weight - frame.radiance)


def _reach(radiance: FloatArray, clip: FloatArray) -> FloatArray:
    """``(H, W, 1)`` the smallest share of its clip that a clipped channel reaches; infinite where none is clipped."""
    share = np.full_like(clip, np.inf)
    np.divide(radiance, clip, out=share, where=clip > 0)
    return _over_channels(np.minimum, share)


def _over_channels(extreme: np.ufunc, picture: FloatArray) -> FloatArray:
    """``(H, W, 1)`` the least or the greatest of three channels; numpy's own reduction takes ten times as long."""
    found: FloatArray = extreme(extreme(picture[..., :1], picture[..., 1:2]), picture[..., 2:])
    return found


def _follow(picture: FloatArray, flow: FloatArray) -> FloatArray:
    """``(H, W, 3)`` a neighbor brought onto the reference along ``(H, W, 2)`` flow; 0 outside."""
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR), np.float32)


def _light(codes: FloatArray, exposure: float) -> FloatArray:
    """Radiance of codes, 1 being the clip of the shortest exposure (Eq. 1)."""
    return np.asarray(codes ** np.float32(GAMMA) / np.float32(exposure), np.float32)


def _ramp(position: FloatArray) -> FloatArray:
    """A smooth step from 0 at 0 to 1 at 1."""
    inside = np.clip(position, 0, 1)
    return inside * inside * (3 - 2 * inside)
