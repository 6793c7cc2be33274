"""A baseline without F2HDR: OpenCV's alignment and merge of exposure brackets."""

from __future__ import annotations

import cv2
import numpy as np

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.equations import GAMMA

OPENCV = "OpenCV"
ALIGN_BITS, EXCLUDE_RANGE = 6, 4
"""Largest shift as a power of 2 in pixels, and OpenCV's default noise range of the median bitmaps."""
LEVELS = 256
"""Number of code values of OpenCV's merge, which only supports 8-bit images."""


def opencv_merge(codes: FloatArray, exposures: tuple[float, float, float]) -> FloatArray:
    """OpenCV's ``AlignMTB`` and ``MergeDebevec`` with the known response (gamma 2.2) and the known exposures.

    ``AlignMTB`` translates whole frames; each neighbor is aligned to the reference.

    Args:
        codes: ``(3, H, W, 3)`` gamma-2.2 codes 0-1 of previous, reference and next.
        exposures: relative exposures; 1 is the shortest.

    Returns:
        ``(H, W, 3)`` radiance, 1 = clip of the shortest exposure.
    """
    frames = [np.rint(each * (LEVELS - 1)).astype(np.uint8) for each in codes]
    align = cv2.createAlignMTB(ALIGN_BITS, EXCLUDE_RANGE)
    reference = cv2.cvtColor(frames[1], cv2.COLOR_RGB2GRAY)
    for index in (0, 2):
        shift = align.calculateShift(reference, cv2.cvtColor(frames[index], cv2.COLOR_RGB2GRAY))
        frames[index] = align.shiftMat(frames[index], shift)
    levels = np.linspace(0, 1, LEVELS, dtype=np.float32)
    response = np.repeat((levels**GAMMA)[:, None, None], 3, -1).clip(1e-6).astype(np.float32)
    merged = cv2.createMergeDebevec().process(frames, np.asarray(exposures, np.float32), response)
    return np.asarray(merged, np.float32)
