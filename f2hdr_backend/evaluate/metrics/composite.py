"""The compositing step that the published programs apply before scoring.

Well-exposed pixels of the reference LDR frame replace the prediction, so that they never test the network.
The arithmetic is float32, as published; scores of the result are taken in float64.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from f2hdr_backend.model.radiance import GAMMA
from f2hdr_backend.shot.errors import ExposureError, ImageError

DARK = 0.2
"""Code value of the luma below which a pixel is too dark to be trusted."""
BRIGHT = 0.8
"""Code value of the luma above which a pixel is too bright to be trusted."""
MIDDLE_EXPOSURE = 4.0
"""The middle exposure of the published three-exposure sequences (1, 4, 16)."""


def luma(ldr: ArrayLike) -> NDArray[np.float32]:
    """``(H, W)`` luma 0.299 R + 0.587 G + 0.114 B of gamma-2.2 code values ``(H, W, 3)``, in float32."""
    red, green, blue = np.moveaxis(np.asarray(ldr, dtype=np.float32), -1, 0)
    weighted: NDArray[np.float32] = 0.299 * red + 0.587 * green + 0.114 * blue
    return weighted


def well_exposed(ldr: ArrayLike) -> NDArray[np.bool_]:
    """``(H, W)``: True where the luma of ``ldr`` (H, W, 3), gamma-2.2 code values, lies within 0.2 to 0.8."""
    values = luma(ldr)
    inside: NDArray[np.bool_] = (values >= DARK) & (values <= BRIGHT)
    return inside


def predicted_pixels(ldr: ArrayLike, exposure: float, exposures: int = 2) -> NDArray[np.bool_]:
    """Where the composite keeps the prediction.

    Args:
        ldr: ``(H, W, 3)`` the reference frame's gamma-2.2 code values in 0 to 1.
        exposure: the reference frame's gain over the lowest exposure, which is 1.
        exposures: 2 or 3, the length of the exposure cycle. Two: dark pixels of the low exposure, bright ones of
            the high. Three (HDRFlow): dark pixels of 1, dark and bright ones of 4, bright ones of any other.

    Returns:
        ``(H, W)``, True where the prediction stands.

    Raises:
        ExposureError: the cycle is neither 2 nor 3 long, or the exposure is not positive.
    """
    if exposures not in (2, 3) or exposure <= 0.0:
        raise ExposureError(
            f"There is no published composite for {exposures} exposures with a reference exposure of {exposure:g}.",
            hint="Score without the composite, or give 2 or 3 exposures and a gain of at least 1.",
        )
    values = luma(ldr)
    dark, bright = values < DARK, values > BRIGHT
    if exposures == 3 and exposure == MIDDLE_EXPOSURE:
        return dark | bright
    short = exposure <= 1.0 if exposures == 2 else exposure == 1.0
    return dark if short else bright


def composite(
    prediction: ArrayLike, ldr: ArrayLike, exposure: float, *, exposures: int = 2, divisor: float = 1.0
) -> NDArray[np.float32]:
    """The prediction where `predicted_pixels` says so, the radiance of the reference frame elsewhere.

    Args:
        prediction: ``(H, W, 3)`` linear radiance.
        ldr: ``(H, W, 3)`` the reference frame's gamma-2.2 code values; clipped to 0 to 1 for the radiance.
        exposure: the reference frame's gain over the lowest exposure.
        exposures: 2 or 3, see `predicted_pixels`.
        divisor: what `normalize_reference` divided the ground truth by. 1, as published, leaves the radiance on
            its own scale; the true divisor brings the whole composite onto the ground truth's.

    Returns:
        ``(H, W, 3)`` float32 linear radiance.

    Raises:
        ImageError: prediction and frame differ in size.
        ExposureError: see `predicted_pixels`.
    """
    predicted, coded = np.asarray(prediction, dtype=np.float32), np.asarray(ldr, dtype=np.float32)
    if predicted.shape != coded.shape or coded.shape[-1:] != (3,) or coded.ndim != 3:
        raise ImageError(
            f"The prediction is {predicted.shape} and the reference frame is {coded.shape}.",
            hint="Both must be (H, W, 3) of the same size.",
        )
    kept = predicted_pixels(coded, exposure, exposures)[..., None]
    radiance = np.clip(coded, 0.0, 1.0) ** np.float32(GAMMA) / np.float32(exposure)
    return np.divide(np.where(kept, predicted, radiance), divisor, dtype=np.float32)
