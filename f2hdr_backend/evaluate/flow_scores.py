"""How good a flow is: end-point error against a label, and how well it warps the neighbor (Table 3).

Convention: flow is ``(2, H, W)`` in pixels, channel 0 = x to the right, channel 1 = y down, reference to
neighbor (backward warp); frames are ``(H, W, 3)`` LDR code values in 0 to 1. Table 3 compares the warped
neighbor with the reference at the same exposure; bring both there before calling `warp_scores`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from f2hdr_backend.evaluate.metrics import psnr, ssim_l
from f2hdr_backend.evaluate.score import Parameters, Score
from f2hdr_backend.model.warp import backward_warp
from f2hdr_backend.shot.errors import ImageError

Reading = Literal["exact", "released"]


@dataclass(frozen=True)
class WarpScores:
    """The two rows of Table 3 that need no label."""

    psnr: Score
    """``warp PSNR`` in dB, data range 1."""
    ssim: Score
    """``warp SSIM`` over the whole frame, published window and range; outside the neighbor the warp is 0."""


def end_point_error(flow: ArrayLike, label: ArrayLike, *, mask: ArrayLike | None = None) -> Score:
    """EPE: the mean length of ``flow - label`` in pixels.

    Args:
        flow: ``(2, H, W)`` the flow to judge.
        label: ``(2, H, W)`` the true or pseudo flow of the same direction.
        mask: ``(H, W)`` bool; True where the label is valid. None counts every pixel.

    Raises:
        ImageError: shapes differ or are not ``(2, H, W)``, a counted value is not finite, or the mask is empty.
    """
    estimated, truth = np.asarray(flow, dtype=np.float64), np.asarray(label, dtype=np.float64)
    if estimated.shape != truth.shape or truth.ndim != 3 or truth.shape[0] != 2:
        raise ImageError(
            f"The flow is {estimated.shape} and its label is {truth.shape}.", hint="Both must be (2, H, W)."
        )
    counted = np.ones(truth.shape[1:], dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    if counted.shape != truth.shape[1:] or not counted.any():
        raise ImageError(
            f"The mask {counted.shape} selects no pixel of a flow {truth.shape}.",
            hint="Give a mask of the flow's height and width with at least one valid pixel.",
        )
    lengths = np.hypot(*(estimated - truth)[:, counted])
    if not np.isfinite(lengths).all():
        raise ImageError("The flow or its label is NaN or infinite.", hint="Mask the pixels that have no label.")
    region = "frame" if mask is None else "mask"
    return Score("EPE", float(lengths.mean()), "px", (("region", region),))


def warp(neighbor: ArrayLike, flow: ArrayLike, reading: Reading = "exact") -> NDArray[np.float64]:
    """The neighbor brought onto the reference: bilinear in float32, 0 outside.

    Args:
        neighbor: ``(H, W, C)`` code values.
        flow: ``(2, H, W)`` pixels, reference to neighbor.
        reading: ``exact``, or ``released`` for the sampling positions that the published weights were trained with.
    """
    picture = torch.from_numpy(np.array(neighbor, dtype=np.float32)).permute(2, 0, 1).unsqueeze(0)
    vectors = torch.from_numpy(np.array(flow, dtype=np.float32)).unsqueeze(0)
    warped = backward_warp(picture, vectors, reading)[0].permute(1, 2, 0)
    return np.asarray(warped.numpy(), dtype=np.float64)


def inside(flow: ArrayLike) -> NDArray[np.bool_]:
    """``(H, W)``: True where the flow points into the neighbor frame, from its first to its last pixel center."""
    vectors = np.asarray(flow, dtype=np.float64)
    height, width = vectors.shape[1:]
    x = vectors[0] + np.arange(width)
    y = vectors[1] + np.arange(height)[:, None]
    within: NDArray[np.bool_] = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return within


def warp_scores(
    neighbor: ArrayLike, reference: ArrayLike, flow: ArrayLike, *, reading: Reading = "exact", inside_only: bool = False
) -> WarpScores:
    """Warp PSNR and SSIM of a flow (Table 3).

    Args:
        neighbor: ``(H, W, 3)`` code values at the reference's exposure.
        reference: ``(H, W, 3)`` code values in 0 to 1.
        flow: ``(2, H, W)`` pixels, reference to neighbor.
        reading: see `warp`.
        inside_only: count for PSNR only pixels whose flow stays inside the neighbor. The paper does not say; False
            counts all, and what lies outside is 0.

    Raises:
        ImageError: sizes differ, a value is not finite, the reference leaves 0 to 1 or is constant, or no pixel counts.
    """
    truth, vectors = np.asarray(reference, dtype=np.float64), np.asarray(flow)
    if np.shape(neighbor) != truth.shape or truth.ndim != 3 or vectors.shape != (2, *truth.shape[:2]):
        raise ImageError(
            f"Neighbor {np.shape(neighbor)}, reference {truth.shape} and flow {vectors.shape} do not fit together.",
            hint="Frames must be (H, W, 3) and the flow (2, H, W).",
        )
    warped = warp(neighbor, vectors, reading)
    counted = inside(vectors) if inside_only else None
    common: Parameters = (("warp", reading), ("outside", "left out" if inside_only else "zero"))
    quality = psnr(warped, truth, mask=counted)
    similarity = ssim_l(warped, truth)
    return WarpScores(
        replace(quality, metric="warp PSNR", parameters=(*quality.parameters, *common)),
        replace(
            similarity, metric="warp SSIM", parameters=(*similarity.parameters, ("warp", reading), ("outside", "zero"))
        ),
    )
