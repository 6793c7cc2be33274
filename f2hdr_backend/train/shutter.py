"""Motion blur: the mean linear radiance while a shutter is open."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from f2hdr_backend.image.arrays import FloatArray

STEP_PX = 2.0
"""Largest motion in pixels between two samples of the mean."""
MOST_MOMENTS = 16


def moments(time: float, open_frames: float, speed_px: float) -> list[float]:
    """Sample times for a scene whose fastest part moves ``speed_px`` a frame, for a shutter centered on ``time``.

    Args:
        time: in frames.
        open_frames: how long the shutter is open, as a share of the time between frames.
        speed_px: pixels a frame.

    Returns:
        Times evenly inside the opening, their mean ``time``: one where nothing would blur, at most 16.
    """
    count = min(MOST_MOMENTS, max(1, math.ceil(open_frames * speed_px / STEP_PX)))
    return [time + open_frames * ((index + 0.5) / count - 0.5) for index in range(count)]


def expose(picture: Callable[[float], FloatArray], times: list[float]) -> FloatArray:
    """The mean of ``picture(time)``, ``(h, w, 3)`` linear light, over times; one time gives it unchanged."""
    total = picture(times[0])
    for time in times[1:]:
        total = total + picture(time)
    return total if len(times) == 1 else np.asarray(total / np.float32(len(times)), np.float32)
