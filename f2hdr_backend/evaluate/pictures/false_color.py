"""False colors: from black over red and orange to pale yellow, perceptually uniform (inferno)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Picture = NDArray[np.uint8]


def false_color(values: ArrayLike, largest: float) -> Picture:
    """Map ``(H, W)`` numbers to ``(H, W, 3)`` RGB: values <= 0 to black, values >= ``largest`` to the brightest
    color.
    """
    share = np.clip(np.asarray(values, np.float64) / largest, 0, 1)
    levels = np.asarray(np.rint(share * 255), np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1])


def color_bar(width: int, height: int) -> Picture:
    """Return the legend ``(height, width, 3)`` RGB, from 0 on the left to the largest value on the right."""
    return false_color(np.tile(np.linspace(0, 1, width), (height, 1)), 1.0)
