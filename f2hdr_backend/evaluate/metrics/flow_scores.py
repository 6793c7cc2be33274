"""Flow metrics: end-point error against a label, and the quality of the warped neighbor (Table 3).

Convention: flow is ``(2, H, W)`` in pixels, channel 0 = x to the right, channel 1 = y down, reference to
neighbor (backward warp); frames are ``(H, W, 3)`` LDR code values in 0 to 1. Table 3 compares the warped
neighbor with the reference at the same exposure; convert both to it before calling `warp_scores`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from f2hdr_backend.evaluate.metrics.psnr_ssim import psnr, ssim_l
from f2hdr_backend.evaluate.metrics.score import Parameters, Score
from f2hdr_backend.model.warp import backward_warp
from f2hdr_backend.shot.errors import ImageError

Reading = Literal["exact", "released"]


@dataclass(frozen=True)
class WarpScores:
    """The two rows of Table 3 that need no label."""

    psnr: Score
    """``warp PSNR`` in dB, data range 1."""
    ssim: Score
    """``warp SSIM`` of the whole frame with the published window and range; the warp is 0 outside the neighbor."""


def end_point_error(flow: ArrayLike, label: ArrayLike) -> Score:
    """Return the EPE: the mean length of ``flow - label`` in pixels.

    Args:
        flow: ``(2, H, W)`` the estimated flow.
        label: ``(2, H, W)`` the true or pseudo flow of the same direction.

    Raises:
        ImageError: shapes differ or are not ``(2, H, W)``, or a value is not finite.
    """
    estimated, truth = np.asarray(flow, dtype=np.float64), np.asarray(label, dtype=np.float64)
    if estimated.shape != truth.shape or truth.ndim != 3 or truth.shape[0] != 2:
        raise ImageError(
            f"The flow is {estimated.shape} and its label is {truth.shape}.", hint="Both must be (2, H, W)."
        )
    lengths = np.hypot(*(estimated - truth))
    if not np.isfinite(lengths).all():
        raise ImageError("The flow or its label has NaN or infinite values.", hint="Choose another estimator.")
    return Score("EPE", float(lengths.mean()), "px", (("region", "frame"),))


def warp(neighbor: ArrayLike, flow: ArrayLike, reading: Reading = "exact") -> NDArray[np.float64]:
    """Warp the neighbor to the reference: bilinear in float32, 0 outside.

    Args:
        neighbor: ``(H, W, C)`` code values.
        flow: ``(2, H, W)`` pixels, reference to neighbor.
        reading: ``exact``, or ``released`` for the sampling positions that the published weights were trained with.
    """
    picture = torch.from_numpy(np.array(neighbor, dtype=np.float32)).permute(2, 0, 1).unsqueeze(0)
    vectors = torch.from_numpy(np.array(flow, dtype=np.float32)).unsqueeze(0)
    warped = backward_warp(picture, vectors, reading)[0].permute(1, 2, 0)
    return np.asarray(warped.numpy(), dtype=np.float64)


def warp_scores(neighbor: ArrayLike, reference: ArrayLike, flow: ArrayLike, reading: Reading = "exact") -> WarpScores:
    """Return warp PSNR and SSIM of a flow (Table 3) over all pixels; the warp is 0 outside the neighbor.

    Args:
        neighbor: ``(H, W, 3)`` code values at the reference's exposure.
        reference: ``(H, W, 3)`` code values in 0 to 1.
        flow: ``(2, H, W)`` pixels, reference to neighbor.
        reading: see `warp`.

    Raises:
        ImageError: sizes differ, a value is not finite, or the reference is constant or not within 0 to 1.
    """
    truth, vectors = np.asarray(reference, dtype=np.float64), np.asarray(flow)
    if np.shape(neighbor) != truth.shape or truth.ndim != 3 or vectors.shape != (2, *truth.shape[:2]):
        raise ImageError(
            f"Neighbor {np.shape(neighbor)}, reference {truth.shape} and flow {vectors.shape} do not match in size.",
            hint="Frames must be (H, W, 3) and the flow (2, H, W).",
        )
    warped = warp(neighbor, vectors, reading)
    common: Parameters = (("warp", reading), ("outside", "zero"))
    quality, similarity = psnr(warped, truth), ssim_l(warped, truth)
    return WarpScores(
        replace(quality, metric="warp PSNR", parameters=(*quality.parameters, *common)),
        replace(similarity, metric="warp SSIM", parameters=(*similarity.parameters, *common)),
    )
