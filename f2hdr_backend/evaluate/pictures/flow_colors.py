"""Optical flow as colors: hue is the direction, saturation the speed, white is no motion."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray

Picture = NDArray[np.uint8]

_HUES = (0, 15, 21, 25, 36, 49, 55)
"""Positions of red, yellow, green, cyan, blue, magenta and again red on the wheel; yellowish hues are spaced wider,
because they are easier to distinguish than bluish ones.
"""
_INKS = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1), (1, 0, 0))
_BEYOND = np.float32(0.75)
"""Brightness factor of flow that exceeds the wheel's edge."""


def flow_colors(flow: FloatArray, fastest: float) -> Picture:
    """Return a flow in the colors of the Middlebury benchmark: red to the right, yellow down, blue-green left, violet
    up.

    Source: Baker et al., A Database and Evaluation Methodology for Optical Flow, 2011.

    Args:
        flow: ``(H, W, 2)`` pixels, x to the right and y down, finite.
        fastest: flow in pixels at full saturation; above 0.

    Returns:
        ``(H, W, 3)`` RGB.
    """
    speed = np.hypot(flow[..., 0], flow[..., 1])[..., None] / np.float32(fastest)
    turn = np.arctan2(flow[..., 1], flow[..., 0]) / np.float32(2 * math.pi) % 1 * _HUES[-1]
    hue = np.stack([np.interp(turn, _HUES, channel) for channel in zip(*_INKS, strict=True)], -1)
    colors = np.where(speed <= 1, 1 - speed * (1 - hue), _BEYOND * hue)
    return np.asarray(np.rint(colors * 255), np.uint8)


def color_wheel(side: int) -> tuple[Picture, FloatArray]:
    """Return the legend: ``(side, side, 3)`` RGB with full saturation at the edge, and its coverage ``(side, side)``
    0-1.
    """
    radius = side / 2 - 1
    x = (np.arange(side, dtype=np.float32) - (side - 1) / 2) / np.float32(radius)
    flow = np.stack(np.meshgrid(x, x), -1)
    away = np.hypot(flow[..., 0], flow[..., 1])
    inside = flow / np.maximum(away, 1)[..., None]
    coverage = np.clip((1 - away) * np.float32(radius) + 0.5, 0, 1)
    return flow_colors(inside * np.float32(0.9999), 1.0), np.asarray(coverage, np.float32)
