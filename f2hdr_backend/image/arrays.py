"""Images as numpy arrays: type, Eq. 1 and its inverse, and sampling along a flow."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.shot.equations import GAMMA, LUMA

FloatArray = NDArray[np.float32]
"""Float images, ``(H, W, 3)`` with row 0 at the top unless stated otherwise."""


def radiance_of(codes: FloatArray, exposure: float) -> FloatArray:
    """Eq. 1: radiance of gamma-2.2 codes 0-1 recorded at ``exposure``, the gain over the shortest exposure."""
    return np.asarray(codes ** np.float32(GAMMA) / np.float32(exposure), np.float32)


def codes_of(radiance: FloatArray, exposure: float) -> FloatArray:
    """Inverse of Eq. 1: gamma-2.2 codes, clipped to 0-1, of radiance recorded at ``exposure``."""
    return np.asarray(np.clip(radiance * np.float32(exposure), 0, 1) ** np.float32(1 / GAMMA), np.float32)


def luma_of(codes: FloatArray) -> FloatArray:
    """``(H, W)`` luma of gamma-2.2 codes ``(H, W, 3)``, summed in the order of the published program."""
    red, green, blue = np.moveaxis(codes, -1, 0)
    weights = np.asarray(LUMA, np.float32)
    return np.asarray(weights[0] * red + weights[1] * green + weights[2] * blue, np.float32)


def along_flow(picture: FloatArray, flow: FloatArray, *, repeat_edge: bool = False) -> FloatArray:
    """Sample an image bilinearly at ``(x, y) + flow``.

    Args:
        picture: ``(H, W, C)``.
        flow: ``(H, W, 2)`` pixels, x to the right, y down.
        repeat_edge: whether pixels outside repeat the edge; otherwise they are 0.

    Returns:
        ``(H, W, C)`` float32.
    """
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    border = cv2.BORDER_REPLICATE if repeat_edge else cv2.BORDER_CONSTANT
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=border), np.float32)
