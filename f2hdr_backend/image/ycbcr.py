"""Converts Y'CbCr code values to RGB in float: ranges, upsampling of chroma, matrices.

Sources: ITU-R BT.601, BT.709 and BT.2020 (matrices, limited and full range); ITU-T H.273 (numbers of matrices, location
of chroma samples).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray

MATRICES = {
    1: ("bt709", 0.2126, 0.0722),
    4: ("fcc", 0.30, 0.11),
    5: ("bt601", 0.299, 0.114),
    6: ("bt601", 0.299, 0.114),
    7: ("smpte240m", 0.212, 0.087),
    9: ("bt2020", 0.2627, 0.0593),
}
"""By number in H.273: name, and the weights of red and blue in luma."""

HD_LINES = 720
"""Minimum height of images that are BT.709 if their file does not state a matrix; others are BT.601."""


def to_rgb(luma: FloatArray, cb: FloatArray, cr: FloatArray, weights: tuple[float, float]) -> FloatArray:
    """Return ``(H, W, 3)`` RGB code values, clipped to 0-1.

    ``luma`` is 0-1 and ``cb``, ``cr`` are -0.5 to 0.5, each ``(H, W)``; ``weights`` are those of red and blue in luma.
    """
    red, blue = weights
    green = 1 - red - blue
    return stacked(
        [
            luma + 2 * (1 - red) * cr,
            luma - 2 * (1 - blue) * blue / green * cb - 2 * (1 - red) * red / green * cr,
            luma + 2 * (1 - blue) * cb,
        ]
    )


def scaled(codes: NDArray[Any], bits: int, full: bool) -> FloatArray:
    """Scale codes so that black is 0 and white is 1; ``full`` or limited range."""
    black, white = (0, 2**bits - 1) if full else (16 << bits - 8, 235 << bits - 8)
    return (codes.astype(np.float32) - black) / (white - black)


def scaled_chroma(codes: NDArray[Any], bits: int, full: bool) -> FloatArray:
    """Scale codes so that neutral is 0 and the ends of the range are -0.5 and 0.5."""
    return (codes.astype(np.float32) - (1 << bits - 1)) / (2**bits - 1 if full else 224 << bits - 8)


def twice_between(plane: FloatArray) -> FloatArray:
    """Double the rows; each old one is midway between two new ones."""
    above = np.concatenate([plane[:1], plane[:-1]])
    below = np.concatenate([plane[1:], plane[-1:]])
    doubled = np.empty((2 * plane.shape[0], plane.shape[1]), np.float32)
    doubled[0::2] = 0.75 * plane + 0.25 * above
    doubled[1::2] = 0.75 * plane + 0.25 * below
    return doubled


def twice_left(plane: FloatArray) -> FloatArray:
    """Double the columns; each old one is at the left one of two new ones."""
    doubled = np.empty((plane.shape[0], 2 * plane.shape[1]), np.float32)
    doubled[:, 0::2] = plane
    doubled[:, 1:-1:2] = (plane[:, :-1] + plane[:, 1:]) / 2
    doubled[:, -1] = plane[:, -1]
    return doubled


def stacked(channels: list[FloatArray]) -> FloatArray:
    """Return three ``(H, W)`` channels as ``(H, W, 3)``, clipped to 0-1."""
    rgb = np.empty((*channels[0].shape, 3), np.float32)
    for index, channel in enumerate(channels):
        np.clip(channel, 0, 1, out=rgb[..., index])
    return rgb
