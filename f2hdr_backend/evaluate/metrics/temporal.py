"""Temporal stability of a rendered shot: frame-to-frame flicker, and the odd/even difference of alternating exposures.

Both are measured in stops on the mean radiance of pixels that are well exposed in every frame compared, so that
clipped or noisy pixels do not affect them. A static scene scores 0 in both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from f2hdr_backend.evaluate.metrics.score import Parameters, Score
from f2hdr_backend.shot.errors import ImageError, ShotError

Sample = tuple[NDArray[np.float64], NDArray[np.bool_]]


@dataclass(frozen=True)
class TemporalScores:
    """Temporal stability of a shot; 0 stops is perfectly stable."""

    flicker: Score
    """Mean over adjacent frames of the absolute change of mean radiance, in stops."""
    odd_even: Score
    """Difference between the mean radiance of the frames 1, 3, 5 ... and that of the frames 0, 2, 4 ..., in stops,
    without linear fades. The absolute value: scenes that start on different exposures would otherwise cancel in a mean.
    """


class Steadiness:
    """Computes flicker and odd/even difference of a shot from its frames, one at a time; stores the last three.

    The odd/even difference is computed from triples: each frame's mean (as log2) minus the average of its two
    neighbors, with alternating sign. A shot whose odd frames are s stops brighter or darker scores s, with or without a
    linear fade.
    """

    def __init__(self) -> None:
        self._held: tuple[Sample, ...] = ()
        self._changes: list[float] = []
        self._pulses: list[float] = []
        self._refusal: ImageError | None = None

    def add(self, radiance: ArrayLike, mask: ArrayLike) -> None:
        """Add the next frame of the shot. :meth:`scores` reports frames that cannot be scored.

        Args:
            radiance: ``(H, W, 3)`` linear, on one scale for the whole shot.
            mask: ``(H, W)`` bool, True where the pixel is well exposed in that frame's LDR picture
                (:func:`~f2hdr_backend.trust.published.well_exposed`).
        """
        if self._refusal is None:
            try:
                self._add(radiance, mask)
            except ImageError as error:
                self._refusal = error

    def _add(self, radiance: ArrayLike, mask: ArrayLike) -> None:
        sample = np.asarray(radiance, dtype=np.float64), np.asarray(mask, dtype=bool)
        _check(sample, self._held)
        self._held = (*self._held, sample)[-3:]
        if len(self._held) < 3:
            return
        first, middle, last = _log_means(self._held)
        pairs = [self._held[1:]] if self._pulses else pairwise(self._held)
        self._changes.extend(_change(pair) for pair in pairs)
        self._pulses.append((middle - (first + last) / 2) * (-1.0 if len(self._pulses) % 2 else 1.0))

    def scores(self) -> TemporalScores:
        """Return the scores of the frames added so far.

        Raises:
            ShotError: there are fewer than three frames.
            ImageError: frames of different size, radiance that is not finite, or no pixel that is well exposed in
                three consecutive frames (or whose mean radiance is not positive).
        """
        if self._refusal is not None:
            raise self._refusal
        if not self._pulses:
            raise ShotError(
                "A shot of fewer than three frames has no odd/even difference.", hint="Score at least three frames."
            )
        region: Parameters = (("pixels", "well exposed in all frames compared"),)
        facts: Parameters = (("largest", max(self._changes)), ("frames", len(self._pulses) + 2))
        return TemporalScores(
            Score("flicker", math.fsum(self._changes) / len(self._changes), "stops", region, facts),
            Score("odd/even difference", abs(math.fsum(self._pulses)) / len(self._pulses), "stops", region, facts[1:]),
        )


def _check(sample: Sample, held: tuple[Sample, ...]) -> None:
    radiance, mask = sample
    expected = held[-1][0].shape if held else radiance.shape
    if radiance.shape != expected or radiance.ndim != 3 or mask.shape != radiance.shape[:2]:
        raise ImageError(
            f"A frame of {radiance.shape} with a mask of {mask.shape} follows frames of {expected}.",
            hint="All frames of a shot must be (H, W, 3) with (H, W) masks of one size.",
        )
    if not np.isfinite(radiance).all():
        raise ImageError("A frame contains NaN or infinite radiance.", hint="Render the frame again.")


def _change(pair: tuple[Sample, ...]) -> float:
    first, second = _log_means(pair)
    return abs(second - first)


def _log_means(samples: tuple[Sample, ...]) -> list[float]:
    common = np.logical_and.reduce([mask for _, mask in samples])
    means = [float(radiance[common].mean()) if common.any() else 0.0 for radiance, _ in samples]
    if min(means) <= 0.0:
        raise ImageError(
            f"No positive radiance on the {int(common.sum())} pixels that are well exposed in {len(samples)} "
            "consecutive frames.",
            hint="Score a shot with overlapping exposures, or pass larger masks.",
        )
    return [math.log2(mean) for mean in means]
