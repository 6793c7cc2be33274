"""The compositing step that the published programs apply before scoring.

Well-exposed pixels of the reference LDR frame replace the prediction, so that the network is not scored there.
The arithmetic is float32, as published; scores of the result are computed in float64.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from f2hdr_backend.image.arrays import radiance_of
from f2hdr_backend.shot.errors import ImageError
from f2hdr_backend.trust.published import trusted


def predicted_pixels(ldr: ArrayLike, exposure: float, exposures: int = 2) -> NDArray[np.bool_]:
    """Return where the composite uses the prediction.

    The complement of :func:`~f2hdr_backend.trust.published.trusted`; arguments and errors as there.
    """
    return ~trusted(np.asarray(ldr, np.float32), exposure, exposures)


def composite(
    prediction: ArrayLike, ldr: ArrayLike, exposure: float, *, exposures: int = 2, divisor: float = 1.0
) -> NDArray[np.float32]:
    """Return the prediction where `predicted_pixels` is true, and the radiance of the reference frame elsewhere.

    Args:
        prediction: ``(H, W, 3)`` linear radiance.
        ldr: ``(H, W, 3)`` the reference frame's gamma-2.2 code values; clipped to 0 to 1 for the radiance.
        exposure: the reference frame's gain over the lowest exposure.
        exposures: 2 or 3, see `predicted_pixels`.
        divisor: the number by which `normalize_reference` divided the ground truth. 1, as published, leaves the
            radiance unscaled; the true divisor scales the whole composite to the ground truth.

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
    radiance = radiance_of(np.clip(coded, 0.0, 1.0), exposure)
    return np.divide(np.where(kept, predicted, radiance), divisor, dtype=np.float32)
