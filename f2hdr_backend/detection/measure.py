"""What detection measures: how much brighter one frame is than another, and whether both show the same scene.

Nothing here knows exposures: every number comes from pixels, in linear light. A step is found by matching
brightness distributions (quantiles), which needs no motion estimate; the two frames are only brought into rough
register first, so that what a pan reveals on one side and hides on the other does not count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray

WIDEST = 1280
"""Frames wider than this are thinned to every second, third ... pixel before anything else."""
BLOCKS_WIDE = 80
"""Columns of area averages: little noise, but highlights smaller than a block mix with what surrounds them."""
SAMPLES_WIDE = 240
"""Columns of single pixels: noisy, but nothing mixes."""
THUMB_WIDE = 40
QUANTILES = (np.arange(200) + 0.5) / 200
DARKEST = 0.0012
"""Linear light, relative to the clip, below which codes of 8 bits tell nothing."""
BRIGHTEST_BLOCK, BRIGHTEST_SAMPLE = 0.7, 0.85
"""Linear light, relative to the clip, above which a block may hold clipped pixels and a sample be clipped itself."""
NOISE_FLOOR_BLOCK, NOISE_FLOOR_SAMPLE = 2.5, 4.0
"""Standard deviations of the noise of one pixel that a level must be above to be used."""
PLATEAU_SHARE = 0.35
"""Share of the matched levels that the plateau of their ratios must hold."""
LEAST_LEVELS = 9
_LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6


@dataclass(frozen=True)
class FrameMeasure:
    """One frame, reduced: all arrays are linear light, 1.0 = clip.

    ``blocks`` ``(h, w, 3)`` area averages and ``samples`` ``(h, w, 3)`` single pixels on a regular grid; their
    ``block_levels`` and ``sample_levels`` ``(3, 200)`` are the quantiles of each channel, ascending; ``noise`` is the
    standard deviation of one pixel where the frame is smoothest; ``thumb`` ``(h, w)`` is luminance.
    """

    number: int
    blocks: FloatArray
    samples: FloatArray
    block_levels: FloatArray
    sample_levels: FloatArray
    noise: float
    thumb: FloatArray


@dataclass(frozen=True)
class Step:
    """``stops`` that the second frame is brighter than the first (NaN if no level is well exposed in both), the share
    ``coverage`` of levels that are, and how far the matched levels disagree (``spread``, stops)."""

    stops: float
    coverage: float
    spread: float


UNKNOWN = Step(math.nan, 0.0, math.nan)


def measure_frame(number: int, light: FloatArray) -> FrameMeasure:
    """Reduce a frame to what the comparisons below need.

    ``light`` is ``(H, W, 3)`` linear light, 1.0 = clip, thinned by ``thin`` or small anyway.
    """
    height, width = light.shape[:2]
    blocks_size = _fitting(width, height, BLOCKS_WIDE)
    blocks = _averaged(light, blocks_size)
    every = max(1, round(width / SAMPLES_WIDE))
    samples = np.ascontiguousarray(light[every // 2 :: every, every // 2 :: every])
    luminance = blocks.mean(axis=2)
    thumb = _averaged(luminance, _fitting(*blocks_size, THUMB_WIDE))
    return FrameMeasure(number, blocks, samples, _levels(blocks), _levels(samples), _noise(light, blocks), thumb)


def thin(pixels: FloatArray) -> FloatArray:
    """Leave out columns and rows of ``(H, W, 3)`` evenly, until no more than WIDEST columns are left."""
    every = math.ceil(pixels.shape[1] / WIDEST)
    return pixels[::every, ::every]


def step_between(first: FrameMeasure, second: FrameMeasure, shift: tuple[int, int] = (0, 0)) -> Step:
    """Measure how many stops brighter the second frame is.

    ``shift`` is (rows, columns) in thumb pixels, as ``likeness`` returns it. Of two scales, area averages and single
    pixels, the one whose levels agree better counts.
    """
    noise = max(first.noise, second.noise)
    block_floor, sample_floor = (max(DARKEST, times * noise) for times in (NOISE_FLOOR_BLOCK, NOISE_FLOOR_SAMPLE))
    if shift == (0, 0):
        blocks, samples = (first.block_levels, second.block_levels), (first.sample_levels, second.sample_levels)
    else:
        blocks = _overlap_levels(first.blocks, second.blocks, shift, first.thumb.shape[1])
        samples = _overlap_levels(first.samples, second.samples, shift, first.thumb.shape[1])
    by_blocks = _matched(*blocks, block_floor, BRIGHTEST_BLOCK)
    by_samples = _matched(*samples, sample_floor, BRIGHTEST_SAMPLE)
    return by_samples if math.isnan(by_blocks.stops) or by_samples.spread < by_blocks.spread else by_blocks


def likeness(first: FrameMeasure, second: FrameMeasure, stops: float) -> tuple[float, tuple[int, int]]:
    """Return how much two frames look alike, -1 to 1, and the shift (rows, columns) at which they do.

    ``stops`` is how much brighter the second one is; the darker one is brought to the exposure of the brighter and
    clipped like it. What is compared is local contrast, so that neither light nor large gradients matter: two shots of
    one scene give 0.6 and more, different scenes mostly less than 0.4. A point at p in ``first`` is at p - shift in
    ``second``.
    """
    gain = 0.0 if math.isnan(stops) else stops
    brightened = np.minimum(first.thumb * np.float32(2.0 ** max(gain, 0.0)), 1)
    other = np.minimum(second.thumb * np.float32(2.0 ** max(-gain, 0.0)), 1)
    return _best_correlation(_local_contrast(brightened), _local_contrast(other))


def _fitting(width: int, height: int, columns: int) -> tuple[int, int]:
    columns = min(columns, width)
    return columns, max(1, round(height * columns / width))


def _averaged(pixels: NDArray[Any], size: tuple[int, int]) -> FloatArray:
    """Reduce a picture to ``size`` (width, height) by area averages."""
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)


def _levels(pixels: FloatArray) -> FloatArray:
    """Quantiles ``(3, 200)`` of each channel of ``(h, w, 3)``."""
    ordered = np.sort(np.ascontiguousarray(pixels.reshape(-1, 3).T), axis=1)
    return ordered[:, (QUANTILES * ordered.shape[1]).astype(int)]


def _overlap_levels(
    first: FloatArray, second: FloatArray, shift: tuple[int, int], shift_columns: int
) -> tuple[FloatArray, FloatArray]:
    """Quantiles of what both frames see; ``shift`` is in pixels of a picture of ``shift_columns`` columns."""
    down, right = (round(part * first.shape[1] / shift_columns) for part in shift)
    return _levels(_cropped(first, down, right)), _levels(_cropped(second, -down, -right))


def _cropped(pixels: FloatArray, down: int, right: int) -> FloatArray:
    height, width = pixels.shape[:2]
    return pixels[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)]


def _noise(light: FloatArray, blocks: FloatArray) -> float:
    """Standard deviation of a pixel's noise in the smoothest tenth of what is not bright (after Immerkaer 1996)."""
    fine = cv2.filter2D(np.ascontiguousarray(light[..., 1]), -1, _LAPLACIAN, borderType=cv2.BORDER_REFLECT)
    variance = _averaged(fine * fine, (blocks.shape[1], blocks.shape[0]))
    dim = variance[blocks[..., 1] < 0.5]
    return math.sqrt(float(np.percentile(dim if dim.size else variance, 10)))


def _matched(first: FloatArray, second: FloatArray, floor: float, ceiling: float) -> Step:
    """Match quantiles; where noise and clipping bend the ratio it varies, so its plateau is the truth."""
    usable = (np.minimum(first, second) > floor) & (np.maximum(first, second) < ceiling)
    if np.count_nonzero(usable) < LEAST_LEVELS:
        return UNKNOWN
    ratios = np.sort(np.log2(second[usable] / first[usable]))
    within = max(4, int(len(ratios) * PLATEAU_SHARE))
    widths = ratios[within - 1 :] - ratios[: len(ratios) - within + 1]
    start = int(np.argmin(widths))
    center, spread = float(np.median(ratios[start : start + within])), float(widths[start])
    near = ratios[np.abs(ratios - center) <= max(spread, 0.1)]
    return Step(float(near.mean()), float(usable.mean()), spread)


def _local_contrast(luminance: FloatArray) -> FloatArray:
    """High-passed luminance in units of its local deviation."""
    codes = np.sqrt(np.maximum(luminance, 0))
    detail = codes - cv2.blur(codes, (9, 9), borderType=cv2.BORDER_REFLECT)
    deviation = np.sqrt(cv2.blur(detail * detail, (9, 9), borderType=cv2.BORDER_REFLECT))
    return np.asarray(detail / (deviation + np.float32(0.01)), np.float32)


def _best_correlation(first: FloatArray, second: FloatArray) -> tuple[float, tuple[int, int]]:
    """Highest normalized correlation over all shifts that leave 40 % of overlap (Lewis 1995, by Fourier transform)."""
    height, width = first.shape
    size = (2 * height, 2 * width)

    def correlate(a: NDArray[np.complexfloating], b: NDArray[np.complexfloating]) -> NDArray[np.floating]:
        return np.fft.irfft2(a * b.conj(), size)

    ones, one_f, two_f = (np.fft.rfft2(part, size) for part in (np.ones_like(first), first, second))
    squares_f, squares_s = (np.fft.rfft2(part * part, size) for part in (first, second))
    count = np.maximum(np.rint(correlate(ones, ones)), 1)
    sum_f, sum_s = correlate(one_f, ones), correlate(ones, two_f)
    variance_f = np.maximum(correlate(squares_f, ones) - sum_f**2 / count, 1e-4 * count)
    variance_s = np.maximum(correlate(ones, squares_s) - sum_s**2 / count, 1e-4 * count)
    score = (correlate(one_f, two_f) - sum_f * sum_s / count) / np.sqrt(variance_f * variance_s)
    score[count < 0.4 * height * width] = -1
    best = int(np.argmax(score))
    down, right = divmod(best, size[1])
    shift = (down - size[0] if down >= height else down, right - size[1] if right >= width else right)
    return float(score.flat[best]), shift
