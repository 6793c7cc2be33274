"""Measurements for detection: the brightness ratio of two frames, and their similarity.

This module does not use exposures: all values are computed from linear pixels. A step is found by matching brightness
distributions (quantiles), which needs no motion estimation; the frames are only aligned roughly, so that areas which a
pan reveals or hides are excluded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.detection.black import Black, Levels, find_black
from f2hdr_backend.image.arrays import FloatArray

WIDEST = 1280
"""Frames with more columns are subsampled first."""
BLOCKS_WIDE = 80
"""Columns of area averages: little noise, but highlights smaller than a block are averaged with their surroundings."""
SAMPLES_WIDE = 240
"""Columns of single pixels: noisy, but not averaged."""
THUMB_WIDE = 40
QUANTILES = (np.arange(200) + 0.5) / 200
DARKEST = 0.0012
"""Linear value, relative to the clip level, below which 8-bit codes are too coarse."""
BRIGHTEST_BLOCK, BRIGHTEST_SAMPLE = 0.7, 0.85
"""Linear values, relative to the clip level, above which a block may contain clipped pixels, or a sample be clipped."""
NOISE_FLOOR_BLOCK, NOISE_FLOOR_SAMPLE = 2.5, 4.0
"""Minimum level in standard deviations of the noise of a pixel."""
PLATEAU_SHARE = 0.35
"""Minimum share of the matched levels in the plateau of their ratios."""
LEAST_LEVELS = 9
_LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6


@dataclass(frozen=True)
class FrameMeasure:
    """One frame, reduced: all arrays are linear, 1.0 = clip level.

    ``blocks`` ``(h, w, 3)`` are area averages and ``samples`` ``(h, w, 3)`` single pixels on a regular grid;
    ``block_levels`` and ``sample_levels`` ``(3, 200)`` are the quantiles of each channel, ascending; ``noise`` is the
    standard deviation of a pixel where the frame is smoothest; ``thumb`` ``(h, w)`` is luminance. Levels below
    ``darkest`` are not compared.
    """

    number: int
    blocks: FloatArray
    samples: FloatArray
    block_levels: FloatArray
    sample_levels: FloatArray
    noise: float
    thumb: FloatArray
    darkest: float


@dataclass(frozen=True)
class Step:
    """A measured brightness difference: ``stops`` by which the second frame is brighter (NaN if no level is well
    exposed in both), ``coverage`` the share of levels that are, and ``spread`` the deviation of the matched levels in
    stops. ``common`` is the range of brightness in stops that is well exposed in both frames. ``levels`` are those that
    were matched, in half precision and every second one, which is enough to measure the step again with a lifted black
    subtracted.
    """

    stops: float
    coverage: float
    spread: float
    common: float = 0.0
    levels: Levels | None = None


UNKNOWN = Step(math.nan, 0.0, math.nan)


def measure_frame(number: int, light: FloatArray, darkest: float = DARKEST) -> FrameMeasure:
    """Reduce a frame to the values that the comparisons need.

    ``light`` is ``(H, W, 3)`` linear, 1.0 = clip level, subsampled by ``thin`` or small.
    """
    height, width = light.shape[:2]
    blocks_size = _fitting(width, height, BLOCKS_WIDE)
    blocks = _averaged(light, blocks_size)
    every = max(1, round(width / SAMPLES_WIDE))
    samples = np.ascontiguousarray(light[every // 2 :: every, every // 2 :: every])
    luminance = blocks.mean(axis=2)
    thumb = _averaged(luminance, _fitting(*blocks_size, THUMB_WIDE))
    levels = _levels(blocks), _levels(samples)
    return FrameMeasure(number, blocks, samples, *levels, _noise(light, blocks), thumb, darkest)


def thin(pixels: FloatArray) -> FloatArray:
    """Subsample ``(H, W, 3)`` evenly to at most WIDEST columns."""
    every = math.ceil(pixels.shape[1] / WIDEST)
    return pixels[::every, ::every]


def step_between(first: FrameMeasure, second: FrameMeasure, shift: tuple[int, int] = (0, 0)) -> Step:
    """Measure by how many stops the second frame is brighter.

    ``shift`` is (rows, columns) in thumb pixels, as returned by ``likeness``. Of two scales, area averages and single
    pixels, the one with the smaller spread is used.
    """
    noise = max(first.noise, second.noise)
    block_floor, sample_floor = (max(first.darkest, times * noise) for times in (NOISE_FLOOR_BLOCK, NOISE_FLOOR_SAMPLE))
    if shift == (0, 0):
        blocks, samples = (first.block_levels, second.block_levels), (first.sample_levels, second.sample_levels)
    else:
        blocks = _overlap_levels(first.blocks, second.blocks, shift, first.thumb.shape[1])
        samples = _overlap_levels(first.samples, second.samples, shift, first.thumb.shape[1])
    by_blocks = _matched(*blocks, block_floor, BRIGHTEST_BLOCK)
    by_samples = _matched(*samples, sample_floor, BRIGHTEST_SAMPLE)
    return by_samples if math.isnan(by_blocks.stops) or by_samples.spread < by_blocks.spread else by_blocks


def with_common_black(steps: Sequence[Step]) -> tuple[tuple[Step, ...], Black | None]:
    """Return the steps with a lifted black subtracted if one lift explains all of them, and this lift."""
    pairs = [step.levels for step in steps if step.levels is not None]
    black = find_black(pairs)
    if black is None:
        return tuple(steps), None
    return tuple(_without(black, step) for step in steps), black


def likeness(first: FrameMeasure, second: FrameMeasure, stops: float) -> tuple[float, tuple[int, int]]:
    """Return the similarity of two frames, -1 to 1, and the shift (rows, columns) at which it is highest.

    ``stops`` is the brightness difference of the second frame; the darker frame is scaled to the exposure of the
    brighter one and clipped. Local contrast is compared, so that brightness and large gradients have no effect: two
    frames of one scene give 0.6 and more, different scenes mostly less than 0.4. A point at p in ``first`` is at p -
    shift in ``second``.
    """
    gain = 0.0 if math.isnan(stops) else stops
    brightened = np.minimum(first.thumb * np.float32(2.0 ** max(gain, 0.0)), 1)
    other = np.minimum(second.thumb * np.float32(2.0 ** max(-gain, 0.0)), 1)
    return _best_correlation(_local_contrast(brightened), _local_contrast(other))


def _fitting(width: int, height: int, columns: int) -> tuple[int, int]:
    columns = min(columns, width)
    return columns, max(1, round(height * columns / width))


def _averaged(pixels: NDArray[Any], size: tuple[int, int]) -> FloatArray:
    """Downscale an image to ``size`` (width, height) by area averaging."""
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)


def _levels(pixels: FloatArray) -> FloatArray:
    """Quantiles ``(3, 200)`` of each channel of ``(h, w, 3)``."""
    ordered = np.sort(np.ascontiguousarray(pixels.reshape(-1, 3).T), axis=1)
    return ordered[:, (QUANTILES * ordered.shape[1]).astype(int)]


def _overlap_levels(
    first: FloatArray, second: FloatArray, shift: tuple[int, int], shift_columns: int
) -> tuple[FloatArray, FloatArray]:
    """Return the quantiles of the overlap of both frames; ``shift`` is in pixels of an image with ``shift_columns``
    columns.
    """
    down, right = (round(part * first.shape[1] / shift_columns) for part in shift)
    return _levels(_cropped(first, down, right)), _levels(_cropped(second, -down, -right))


def _cropped(pixels: FloatArray, down: int, right: int) -> FloatArray:
    height, width = pixels.shape[:2]
    return pixels[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)]


def _noise(light: FloatArray, blocks: FloatArray) -> float:
    """Return the standard deviation of the noise, in the smoothest tenth of pixels that are not bright (Immerkaer
    1996).
    """
    fine = cv2.filter2D(np.ascontiguousarray(light[..., 1]), -1, _LAPLACIAN, borderType=cv2.BORDER_REFLECT)
    variance = _averaged(fine * fine, (blocks.shape[1], blocks.shape[0]))
    dim = variance[blocks[..., 1] < 0.5]
    return math.sqrt(float(np.percentile(dim if dim.size else variance, 10)))


def _without(black: Black, step: Step) -> Step:
    """Return a step measured again with a lifted black subtracted, or as it is if too few levels remain."""
    if step.levels is None:
        return step
    again = _matched(*step.levels.subtracted(black), step.levels.floor, step.levels.ceiling)
    return step if math.isnan(again.stops) else again


def _matched(first: FloatArray, second: FloatArray, floor: float, ceiling: float) -> Step:
    """Match quantiles; the ratio varies where noise and clipping distort it, so the plateau of the ratios is used."""
    usable = (np.minimum(first, second) > floor) & (np.maximum(first, second) < ceiling)
    if np.count_nonzero(usable) < LEAST_LEVELS:
        return UNKNOWN
    ratios = np.sort(np.log2(second[usable] / first[usable]))
    within = max(4, int(len(ratios) * PLATEAU_SHARE))
    widths = ratios[within - 1 :] - ratios[: len(ratios) - within + 1]
    start = int(np.argmin(widths))
    center, spread = float(np.median(ratios[start : start + within])), float(widths[start])
    near = ratios[np.abs(ratios - center) <= max(spread, 0.1)]
    kept = Levels(first[:, ::2].astype(np.float16), second[:, ::2].astype(np.float16), floor, ceiling)
    brighter = np.maximum(first, second)[usable]
    common = float(np.log2(brighter.max() / brighter.min()))
    return Step(float(near.mean()), float(usable.mean()), spread, common, kept)


def _local_contrast(luminance: FloatArray) -> FloatArray:
    """Return high-pass filtered luminance divided by its local standard deviation."""
    codes = np.sqrt(np.maximum(luminance, 0))
    detail = codes - cv2.blur(codes, (9, 9), borderType=cv2.BORDER_REFLECT)
    deviation = np.sqrt(cv2.blur(detail * detail, (9, 9), borderType=cv2.BORDER_REFLECT))
    return np.asarray(detail / (deviation + np.float32(0.01)), np.float32)


def _best_correlation(first: FloatArray, second: FloatArray) -> tuple[float, tuple[int, int]]:
    """Return the highest normalized correlation over all shifts with at least 40 % overlap (Lewis 1995, by FFT)."""
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
