"""Measures the alternation of consecutive results of a slow shot, in bands of brightness up to the clip."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.evaluate.metrics.psnr_ssim import tonemap
from f2hdr_backend.image.arrays import FloatArray, along_flow

BANDS = 6
"""Number of bands of one stop each, downward from the clip of the shortest exposure."""
SLOW_PX = 4.0
"""Maximum median motion of a slow shot, in pixels per frame."""
RETURN_PX = 0.5
"""Maximum distance in pixels between a pixel and its position after forward and backward flow."""
FEWEST = 200
"""Minimum number of pixels of a band."""


def flow_between(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the flow ``(H, W, 2)`` in pixels between two true frames, ``(H, W, 3)`` radiance each."""
    estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    gray = [np.rint(tonemap(each.clip(0, 1)).mean(-1) * 255).astype(np.uint8) for each in (first, second)]
    return np.asarray(estimator.calc(gray[0], gray[1], np.zeros((*gray[0].shape, 2), np.float32)), np.float32)


def alternation(
    results: tuple[FloatArray, FloatArray], truths: tuple[FloatArray, FloatArray]
) -> dict[int, float] | None:
    """Return the median change of a result's error, in stops, from one frame to the next along the true motion.

    The error is the ratio of result and truth, so changes of the scene itself do not count.

    Args:
        results: ``(H, W, 3)`` radiance of two consecutive frames; 1 = clip of the shortest exposure.
        truths: the same, true and not clipped.

    Returns:
        By band, of which 0 is the brightest, the median over the band's pixels; bands with few pixels are omitted. None
        if the shot is not slow.
    """
    flow, back = flow_between(*truths), flow_between(truths[1], truths[0])
    if float(np.median(np.linalg.norm(flow, axis=-1))) > SLOW_PX:
        return None
    returned = flow + along_flow(back, flow, repeat_edge=True)
    sure = (np.linalg.norm(returned, axis=-1) < RETURN_PX) & _inside(flow)
    errors = [_error_stops(result, truth) for result, truth in zip(results, truths, strict=True)]
    change = along_flow(errors[1], flow, repeat_edge=True) - errors[0]
    brightest = np.minimum(truths[0].max(-1), along_flow(truths[1].max(-1), flow, repeat_edge=True))
    found = {}
    for band in range(BANDS):
        chosen = sure & (brightest > 2.0 ** -(band + 1)) & (brightest <= 2.0**-band)
        if np.count_nonzero(chosen) >= FEWEST:
            found[band] = float(np.median(change[chosen]))
    return found


def _error_stops(result: FloatArray, truth: FloatArray) -> FloatArray:
    """``(H, W)`` log2 of the ratio of the sums over channels."""
    sums = [np.maximum(each.sum(-1), 1e-6) for each in (result, np.minimum(truth, 1))]
    return np.asarray(np.log2(sums[0] / sums[1]), np.float32)


def _inside(flow: FloatArray) -> NDArray[np.bool_]:
    x, y = _targets(flow)
    height, width = flow.shape[:2]
    return np.asarray((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1))


def _targets(flow: FloatArray) -> tuple[FloatArray, FloatArray]:
    height, width = flow.shape[:2]
    x = np.asarray(flow[..., 0] + np.arange(width, dtype=np.float32), np.float32)
    return x, np.asarray(flow[..., 1] + np.arange(height, dtype=np.float32)[:, None], np.float32)
