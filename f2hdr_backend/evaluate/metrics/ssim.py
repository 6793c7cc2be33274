"""Structural similarity (Wang et al. 2004) with the two settings used in the literature.

The published tables use scikit-image with its defaults: a 7 x 7 uniform window, sample covariance and a
data range read from the reference frame. The 2004 paper uses an 11-tap Gaussian window and a fixed range.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.shot.errors import ImageError

K1 = 0.01
K2 = 0.03
GAUSSIAN_SIGMA = 1.5
WINDOW_TAPS = {"uniform": 7, "gaussian": 11}


@dataclass(frozen=True)
class SsimSettings:
    """Window and data range of an SSIM."""

    window: Literal["uniform", "gaussian"] = "uniform"
    """``uniform``: 7 x 7, sample covariance. ``gaussian``: 11 x 11, sigma 1.5 px, population covariance."""
    data_range: float | None = None
    """The range of the values; None for max - min of the reference frame, which differs between frames."""


PUBLISHED = SsimSettings()
"""The settings of the published programs."""
STANDARD = SsimSettings("gaussian", 1.0)
"""The 2004 paper's window and a fixed range of 1, which is comparable between frames."""


def data_range(reference: NDArray[np.float64], settings: SsimSettings) -> float:
    """Return the data range: the given one, or else that of the reference; the prediction is never used.

    Raises:
        ImageError: the range has to be read from the reference, which is constant.
    """
    if settings.data_range is not None:
        return settings.data_range
    extent = float(reference.max() - reference.min())
    if extent == 0.0:
        raise ImageError(
            f"The reference frame is constant ({float(reference.flat[0]):g}), so its SSIM data range is 0.",
            hint="Leave the frame out, or score it with a fixed data range.",
        )
    return extent


def similarity_map(
    prediction: NDArray[np.float64], reference: NDArray[np.float64], settings: SsimSettings = PUBLISHED
) -> NDArray[np.float64]:
    """Return the similarity of each pixel and channel whose window is inside the frame.

    Args:
        prediction: ``(H, W)`` or ``(H, W, C)``, any range.
        reference: the same shape; determines the data range if ``settings`` do not.
        settings: window and data range.

    Returns:
        ``(H - 2r, W - 2r[, C])`` with r the window's radius (3 or 5 px), at most 1.

    Raises:
        ImageError: the frame is smaller than the window, or the reference is constant (see `data_range`).
    """
    taps = WINDOW_TAPS[settings.window]
    if min(reference.shape[:2]) < taps:
        raise ImageError(
            f"A frame of {reference.shape[1]} x {reference.shape[0]} px is smaller than the SSIM window of {taps} px.",
            hint="Score frames of at least the window's size.",
        )
    extent = data_range(reference, settings)
    kernel, factor = _window(settings.window)
    mean_p, mean_r = _local_mean(prediction, kernel), _local_mean(reference, kernel)
    variance_p = factor * (_local_mean(prediction * prediction, kernel) - mean_p * mean_p)
    variance_r = factor * (_local_mean(reference * reference, kernel) - mean_r * mean_r)
    covariance = factor * (_local_mean(prediction * reference, kernel) - mean_p * mean_r)
    c1, c2 = (K1 * extent) ** 2, (K2 * extent) ** 2
    similar = (2 * mean_p * mean_r + c1) * (2 * covariance + c2)
    result: NDArray[np.float64] = similar / ((mean_p**2 + mean_r**2 + c1) * (variance_p + variance_r + c2))
    return result


def _window(window: str) -> tuple[NDArray[np.float64], float]:
    taps = WINDOW_TAPS[window]
    if window == "uniform":
        return np.full(taps, 1.0 / taps), taps**2 / (taps**2 - 1.0)
    offsets = np.arange(taps) - taps // 2
    weights = np.exp(-0.5 * (offsets / GAUSSIAN_SIGMA) ** 2)
    return weights / weights.sum(), 1.0


def _local_mean(values: NDArray[np.float64], kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    radius = len(kernel) // 2
    smooth = np.asarray(cv2.sepFilter2D(np.ascontiguousarray(values), cv2.CV_64F, kernel, kernel), dtype=np.float64)
    return smooth[radius:-radius, radius:-radius]
