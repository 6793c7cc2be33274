"""The published rule that selects reference pixels to replace the result before scoring (``hard``)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray, luma_of
from f2hdr_backend.shot.equations import BRIGHT, DARK
from f2hdr_backend.shot.errors import ExposureError

MIDDLE_EXPOSURE = 4.0
"""The middle exposure of the published three-exposure sequences (1, 4, 16)."""


def well_exposed(codes: FloatArray) -> NDArray[np.bool_]:
    """``(H, W)``: True where the luma of gamma-2.2 codes ``(H, W, 3)`` is from 0.2 to 0.8."""
    luma = luma_of(codes)
    return np.asarray((luma >= DARK) & (luma <= BRIGHT))


def trusted(codes: FloatArray, exposure: float, cycle: int = 2) -> NDArray[np.bool_]:
    """Where the published programs use the reference frame in place of the result.

    Args:
        codes: ``(H, W, 3)`` the reference's gamma-2.2 codes 0-1.
        exposure: the reference's gain over the lowest exposure, which is 1.
        cycle: number of exposures, 2 or 3. Of two, the low exposure is not used where dark, the high one where bright.
            Of three (HDRFlow): 1 not where dark, 4 not where dark or bright, others not where bright.

    Returns:
        ``(H, W)``, True where the reference is used.

    Raises:
        ExposureError: the cycle is neither 2 nor 3 long, or the exposure is not positive.
    """
    if cycle not in (2, 3) or exposure <= 0.0:
        raise ExposureError(
            f"There is no published composite for {cycle} exposures with a reference exposure of {exposure:g}.",
            hint="Score without the composite, or give 2 or 3 exposures and a gain of at least 1.",
        )
    if cycle == 3 and exposure == MIDDLE_EXPOSURE:
        return well_exposed(codes)
    short = exposure <= 1.0 if cycle == 2 else exposure == 1.0
    return np.asarray(used_by_luma(luma_of(codes), short))


def used_by_luma(luma: Any, short: bool) -> Any:
    """Where a ``short`` or a long reference is used: booleans, as an array or a tensor, which ``luma`` is."""
    return luma >= DARK if short else luma <= BRIGHT
