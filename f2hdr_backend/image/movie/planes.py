"""Converts RGB to the planes of a 10-bit movie frame: the inverse of ``ycbcr``, in float, rounded once.

Sources: ITU-R BT.709 and BT.2020 (matrices, limited range); ITU-T H.273 (chroma sample location type 0).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.ycbcr import MATRICES

BLACK, WHITE, GRAY, CHROMA = 64, 940, 512, 896
"""10-bit codes of limited range: black, white, neutral chroma, and the range of chroma."""

Codes = NDArray[np.uint16]


def to_planes(rgb: FloatArray, matrix: int, *, halved_rows: bool) -> tuple[Codes, Codes, Codes]:
    """Return Y', Cb and Cr of a frame as 10-bit codes of limited range.

    ``rgb`` is ``(H, W, 3)`` display code values, clipped to 0-1; ``matrix`` is a number of H.273. Chroma has half the
    columns, sited on the left of two, and, with ``halved_rows`` (4:2:0, otherwise 4:2:2), half the rows, sited midway:
    the default of H.264, H.265 and ProRes. Odd sizes are rounded up.
    """
    _, red, blue = MATRICES[matrix]
    rgb = np.clip(rgb, 0, 1)
    luma = rgb @ np.array([red, 1 - red - blue, blue], np.float32)
    chroma = ((rgb[..., 2] - luma) / (2 - 2 * blue), (rgb[..., 0] - luma) / (2 - 2 * red))
    small = (_half_rows(_half_columns(plane)) if halved_rows else _half_columns(plane) for plane in chroma)
    cb, cr = (_codes(plane, GRAY, CHROMA) for plane in small)
    return _codes(luma, BLACK, WHITE - BLACK), cb, cr


def _codes(plane: FloatArray, zero: int, span: int) -> Codes:
    return np.rint(plane * np.float32(span) + np.float32(zero)).astype(np.uint16)


def _half_columns(plane: FloatArray) -> FloatArray:
    """Downsample the columns by 2, sited on the left one, with the filter 1:2:1."""
    columns = plane[:, 0::2]
    right = plane[:, 1::2]
    before = np.concatenate([columns[:, :1], right[:, : columns.shape[1] - 1]], axis=1)
    after = right if right.shape == columns.shape else np.concatenate([right, columns[:, -1:]], axis=1)
    blurred: FloatArray = (before + 2 * columns + after) * np.float32(0.25)
    return blurred


def _half_rows(plane: FloatArray) -> FloatArray:
    """Average pairs of rows."""
    if plane.shape[0] % 2:
        plane = np.concatenate([plane, plane[-1:]])
    averaged: FloatArray = (plane[0::2] + plane[1::2]) * np.float32(0.5)
    return averaged
