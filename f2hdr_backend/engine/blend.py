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
FEATHER = 0.1
"""Width in code value over which soft trust falls from full to none, inside the well-exposed range."""


def trust(codes: FloatArray, *, shortest: bool, mode: str) -> FloatArray:
    """How much of the reference's own light goes into the result.

    Args:
        codes: ``(H, W, 3)`` the reference's gamma-2.2 codes 0-1.
        shortest: whether the reference has the shortest exposure: then its darks are in doubt, else its highlights.
        mode: ``hard`` is the published evaluation's threshold on luma; ``soft`` feathers it, on the brightest
            channel where highlights are in doubt; ``off`` trusts nothing.

    Returns:
        ``(H, W, 1)`` weights 0-1.
    """
    luma = (codes @ LUMA)[..., None]
    if mode == "off":
        return np.zeros_like(luma)
    if mode == "hard":
        return (luma >= DARK if shortest else luma <= BRIGHT).astype(np.float32)
    if shortest:
        return _ramp((luma - DARK) / FEATHER)
    return _ramp((BRIGHT - codes.max(-1, keepdims=True)) / FEATHER)


def use_reference(frame: HdrFrame, codes: FloatArray, exposure: float, mode: str) -> HdrFrame:
    """The frame with the reference's own light wherever :func:`trust` says so.

    Args:
        frame: what the window gave.
        codes: ``(H, W, 3)`` the reference's gamma-2.2 codes 0-1.
        exposure: the reference's exposure relative to the shot's shortest.
        mode: ``soft``, ``hard`` or ``off``.
    """
    own = codes ** np.float32(GAMMA) / np.float32(exposure)
    weight = trust(codes, shortest=exposure <= 1, mode=mode)
    return replace(frame, radiance=frame.radiance + weight * (own - frame.radiance))


def _ramp(position: FloatArray) -> FloatArray:
    """A smooth step from 0 at 0 to 1 at 1."""
    inside = np.clip(position, 0, 1)
    return inside * inside * (3 - 2 * inside)
