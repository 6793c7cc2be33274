"""The published ground-truth rule: radiance clipped at 0 and scaled to at most 1, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from f2hdr_backend.evaluate.metrics.finite import require_finite


@dataclass(frozen=True)
class GroundTruth:
    """A ground-truth frame within 0 to 1, and the number that it was divided by."""

    radiance: NDArray[np.float32]
    """``(H, W, C)`` linear, within 0 to 1."""
    divisor: float
    """The frame's own maximum if that exceeded 1, otherwise 1. Radiance of the LDR frames is not divided by it."""


def normalize_reference(radiance: ArrayLike) -> GroundTruth:
    """Apply the rule of the published programs: negative values to 0, then divide by the maximum if that exceeds 1.

    The division is per frame and does not affect the LDR frames: where ``divisor`` is not 1, composited pixels
    differ by that factor unless it is passed to `composite`. Predictions are never normalized.

    Raises:
        ImageError: a value is NaN or infinite.
    """
    values = np.asarray(radiance, dtype=np.float32)
    require_finite(values, "ground truth")
    clipped = np.maximum(values, np.float32(0.0))
    highest = float(clipped.max())
    if highest <= 1.0:
        return GroundTruth(clipped, 1.0)
    return GroundTruth(np.divide(clipped, highest, dtype=np.float32), highest)
