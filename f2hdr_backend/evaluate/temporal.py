"""Whether a rendered shot is steady: frame-to-frame flicker, and the odd/even pulse of alternating exposures.

Both are taken in stops on the mean radiance of pixels that are well exposed in every frame compared, so that a
clipped or noisy pixel cannot imitate a change of exposure. A steady scene scores 0 in both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from f2hdr_backend.evaluate.score import Parameters, Score
from f2hdr_backend.shot.errors import ImageError, ShotError

Sample = tuple[NDArray[np.float64], NDArray[np.bool_]]


@dataclass(frozen=True)
class TemporalScores:
    """How steady a shot is; 0 stops is perfectly steady."""

    flicker: Score
    """Mean over pairs of neighboring frames of the absolute change of mean radiance, in stops."""
    odd_even: Score
    """Mean radiance of the frames 1, 3, 5 ... of the shot (counted from 0) over that of 0, 2, 4 ..., in stops, a
    steady fade taken out. Positive: the odd ones are brighter."""


def temporal_scores(frames: Iterable[tuple[ArrayLike, ArrayLike]]) -> TemporalScores:
    """Flicker and odd/even difference of a shot.

    The odd/even difference comes from triples: each frame's mean (as log2) minus the average of its two neighbors,
    with alternating sign. A shot whose odd frames are brighter by s stops gives s, with or without a steady fade.

    Args:
        frames: in shot order, at least three of ``(radiance, mask)``: ``(H, W, 3)`` linear radiance on one common
            scale, and ``(H, W)`` bool, True where the pixel is well exposed in that frame's LDR picture
            (`composite.well_exposed`). Read once; three frames are held at a time.

    Raises:
        ShotError: fewer than three frames.
        ImageError: frames of different size, radiance that is not finite, or no pixel that is well exposed in
            three frames running (or whose mean radiance there is not positive).
    """
    changes: list[float] = []
    pulses: list[float] = []
    for index, triple in enumerate(_triples(frames)):
        first, middle, last = _log_means(triple)
        pulses.append((middle - (first + last) / 2) * (1.0 if index % 2 == 0 else -1.0))
        pairs = pairwise(triple) if index == 0 else [triple[1:]]
        changes.extend(_change(pair) for pair in pairs)
    if not pulses:
        raise ShotError("A shot of fewer than three frames has no odd and even.", hint="Score at least three frames.")
    region: Parameters = (("pixels", "well exposed in all frames compared"),)
    facts: Parameters = (("largest", max(changes)), ("frames", len(pulses) + 2))
    return TemporalScores(
        Score("flicker", math.fsum(changes) / len(changes), "stops", region, facts),
        Score("odd/even difference", math.fsum(pulses) / len(pulses), "stops", region, facts[1:]),
    )


def _triples(frames: Iterable[tuple[ArrayLike, ArrayLike]]) -> Iterator[tuple[Sample, ...]]:
    held: tuple[Sample, ...] = ()
    for radiance, mask in frames:
        sample = np.asarray(radiance, dtype=np.float64), np.asarray(mask, dtype=bool)
        _check(sample, held)
        held = (*held, sample)[-3:]
        if len(held) == 3:
            yield held


def _check(sample: Sample, held: tuple[Sample, ...]) -> None:
    radiance, mask = sample
    expected = held[-1][0].shape if held else radiance.shape
    if radiance.shape != expected or radiance.ndim != 3 or mask.shape != radiance.shape[:2]:
        raise ImageError(
            f"A frame of {radiance.shape} with a mask of {mask.shape} follows frames of {expected}.",
            hint="All frames of a shot must be (H, W, 3) with (H, W) masks of one size.",
        )
    if not np.isfinite(radiance).all():
        raise ImageError("A frame holds NaN or infinite radiance.", hint="Render the frame again.")


def _change(pair: tuple[Sample, ...]) -> float:
    first, second = _log_means(pair)
    return abs(second - first)


def _log_means(samples: tuple[Sample, ...]) -> list[float]:
    common = np.logical_and.reduce([mask for _, mask in samples])
    means = [float(radiance[common].mean()) if common.any() else 0.0 for radiance, _ in samples]
    if min(means) <= 0.0:
        raise ImageError(
            f"No positive radiance on the {int(common.sum())} pixels well exposed in {len(samples)} frames running.",
            hint="Score a shot whose exposures overlap, or give wider masks.",
        )
    return [math.log2(mean) for mean in means]
