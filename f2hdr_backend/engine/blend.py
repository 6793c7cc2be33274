"""Use of the reference frame's own well-exposed pixels in place of the network's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.engine.reconstruct import HdrFrame
from f2hdr_backend.image.response import GAMMA

FloatArray = NDArray[np.float32]

LUMA = np.array((0.299, 0.587, 0.114), np.float32)
DARK, BRIGHT = 0.2, 0.8
"""Luma of the code values below and above which the published evaluation leaves the reference."""
HIGHLIGHT = 0.95
"""Code value at which soft trust in a channel has ended: nearer to the clip its light is no longer sure."""
FEATHER = 0.1
"""Width in code value over which soft trust falls from full to none."""


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
    return _ramp((HIGHLIGHT - codes.max(-1, keepdims=True)) / FEATHER)


def use_reference(frame: HdrFrame, codes: FloatArray, exposures: tuple[float, float, float], mode: str) -> HdrFrame:
    """The frame with the reference's own light as far as :func:`trust` goes; arguments as there."""
    own = codes ** np.float32(GAMMA) / np.float32(exposures[1])
    return replace(frame, radiance=frame.radiance + trust(codes, exposures, mode) * (own - frame.radiance))


def _ramp(position: FloatArray) -> FloatArray:
    """A smooth step from 0 at 0 to 1 at 1."""
    inside = np.clip(position, 0, 1)
    return inside * inside * (3 - 2 * inside)
