"""PSNR and SSIM as the published tables define them, in float64, after the mu-law tone map or on linear radiance.

Convention: frames are ``(H, W, C)`` (or ``(H, W)``) arrays of linear radiance on the scale of the ground truth,
whose largest value is at most 1. The prediction is the first argument, the reference the second; only the reference
determines the data range. The PSNR of identical frames is infinite; `average` excludes such frames and lists them.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from f2hdr_backend.evaluate.metrics.finite import require_finite
from f2hdr_backend.evaluate.metrics.score import Average, Parameters, Score, average
from f2hdr_backend.evaluate.metrics.ssim import K1, K2, PUBLISHED, STANDARD, SsimSettings, data_range, similarity_map
from f2hdr_backend.shot.equations import MU
from f2hdr_backend.shot.errors import ImageError

__all__ = [
    "PUBLISHED", "STANDARD", "Average", "Score", "SsimSettings", "average", "psnr", "psnr_l", "psnr_t", "ssim_l",
    "ssim_t", "tonemap",
]  # fmt: skip


def tonemap(radiance: ArrayLike, mu: float = MU) -> NDArray[np.float64]:
    """The mu-law tone map T(x) = ln(1 + mu x) / ln(1 + mu) (Eq. 19); maps 0 to 0 and 1 to 1.

    Args:
        radiance: any shape, linear; T is undefined at and below -1 / mu (-0.0002).
        mu: the strength of the compression; the published tables use 5000.

    Raises:
        ImageError: a value at or below -1 / mu, or one that is not finite.
    """
    values = np.asarray(radiance, dtype=np.float64)
    require_finite(values, "radiance")
    if values.size and (lowest := float(values.min())) <= -1.0 / mu:
        raise ImageError(
            f"The tone map is undefined at radiance {lowest:g}: it needs values above {-1.0 / mu:g}.",
            hint="Clamp negative radiance to 0 first.",
            lowest=lowest,
        )
    mapped: NDArray[np.float64] = np.log1p(mu * values) / math.log1p(mu)
    return mapped


def psnr(prediction: ArrayLike, reference: ArrayLike, *, peak: float = 1.0) -> Score:
    """Peak signal-to-noise ratio 10 log10(peak^2 / MSE) in dB, with the MSE over all pixels and channels.

    Args:
        prediction: ``(H, W, C)`` or ``(H, W)``; not limited to the reference's range.
        reference: the same shape, within 0 to ``peak``.
        peak: the data range, 1 in the published tables.

    Returns:
        The score; ``inf`` for identical frames.

    Raises:
        ImageError: shapes differ, a value is not finite, or the reference is not within 0 to ``peak``.
    """
    predicted, truth = _checked(prediction, reference)
    _refuse_out_of_range(truth, peak)
    parameters: Parameters = (("data_range", peak), ("region", "frame"))
    error = float(np.mean((predicted - truth) ** 2))
    value = 10.0 * math.log10(peak * peak / error) if error > 0.0 else math.inf
    return Score("PSNR", value, "dB", parameters)


def psnr_l(prediction: ArrayLike, reference: ArrayLike) -> Score:
    """PSNR_L: `psnr` of linear radiance with data range 1; arguments and errors are the same."""
    return replace(psnr(prediction, reference), metric="PSNR_L")


def psnr_t(prediction: ArrayLike, reference: ArrayLike, *, mu: float = MU) -> Score:
    """PSNR_T: `psnr` after the mu-law `tonemap` of both, data range 1.

    Negative predictions are clamped to 0 first, because the tone map is undefined below -1 / mu, and counted in
    the fact ``clamped``; values above 1 are kept. Arguments and errors as for `psnr`.
    """
    predicted, truth, clamped = _tonemapped(prediction, reference, mu)
    score = psnr(predicted, truth)
    return replace(score, metric="PSNR_T", parameters=(("mu", mu), *score.parameters), facts=clamped)


def ssim_l(prediction: ArrayLike, reference: ArrayLike, *, settings: SsimSettings = PUBLISHED) -> Score:
    """SSIM_L: mean structural similarity of linear radiance, averaged over channels.

    Args:
        prediction: ``(H, W, C)`` or ``(H, W)``.
        reference: the same shape, within 0 to 1; its max - min is the published data range.
        settings: `PUBLISHED` (7 x 7 uniform) or `STANDARD` (Gaussian, range 1), or custom settings.

    Raises:
        ImageError: shapes differ, a value is not finite, the reference is constant or not within 0 to 1, or the
            frame is smaller than the window.
    """
    predicted, truth = _checked(prediction, reference)
    _refuse_out_of_range(truth, 1.0)
    value = float(np.mean(similarity_map(predicted, truth, settings)))
    return Score("SSIM_L", value, "", *_ssim_parameters(truth, settings))


def ssim_t(prediction: ArrayLike, reference: ArrayLike, *, settings: SsimSettings = PUBLISHED, mu: float = MU) -> Score:
    """SSIM_T: `ssim_l` after the mu-law `tonemap` of both; negative predictions are clamped to 0 as in `psnr_t`."""
    predicted, truth, clamped = _tonemapped(prediction, reference, mu)
    score = ssim_l(predicted, truth, settings=settings)
    parameters, facts = (("mu", mu), *score.parameters), (*score.facts, *clamped)
    return replace(score, metric="SSIM_T", parameters=parameters, facts=facts)


def _tonemapped(
    prediction: ArrayLike, reference: ArrayLike, mu: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], Parameters]:
    predicted, truth = _checked(prediction, reference)
    _refuse_out_of_range(truth, 1.0)
    negative = int(np.count_nonzero(predicted < 0.0))
    clamped: Parameters = (("clamped", negative),) if negative else ()
    return tonemap(np.maximum(predicted, 0.0), mu), tonemap(truth, mu), clamped


def _ssim_parameters(reference: NDArray[np.float64], settings: SsimSettings) -> tuple[Parameters, Parameters]:
    extent = data_range(reference, settings)
    window = "7x7 uniform" if settings.window == "uniform" else "11x11 gaussian"
    fixed: Parameters = (("window", window), ("k1", K1), ("k2", K2))
    if settings.data_range is not None:
        return (*fixed, ("data_range", extent)), ()
    return (*fixed, ("data_range", "reference max-min")), (("reference_range", extent),)


def _checked(prediction: ArrayLike, reference: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    predicted, truth = np.asarray(prediction, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    if predicted.shape != truth.shape or truth.ndim not in (2, 3) or not truth.size:
        raise ImageError(
            f"The prediction is {predicted.shape} and the reference is {truth.shape}.",
            hint="Both must be (H, W, C) or (H, W) of the same size; scores never resize.",
        )
    require_finite(predicted, "prediction")
    require_finite(truth, "reference")
    return predicted, truth


def _refuse_out_of_range(reference: NDArray[np.float64], peak: float) -> None:
    lowest, highest = float(reference.min()), float(reference.max())
    if lowest < 0.0 or highest > peak:
        raise ImageError(
            f"The reference spans {lowest:g} to {highest:g} and must be within 0 to {peak:g}.",
            hint="Clip negative values to 0 and divide by the frame's maximum (normalize_reference).",
            lowest=lowest,
            highest=highest,
        )
