"""Rotates and flips images to upright, by the eight orientations of Exif and TIFF.

Source: Exif 3.0, section 4.6.6, tag ``Orientation``; SMPTE ST 268-1, image orientation; ISO/IEC 14496-12, section 8.3.2
(track matrix).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.frame import PlateImage

UPRIGHT = 1
_TURNED = (5, 6, 7, 8)
"""Orientations that swap width and height."""

BY_DPX = {0: 1, 1: 2, 2: 4, 3: 3, 4: 5, 5: 6, 6: 8, 7: 7}
"""Exif orientations by DPX number."""

_BY_MATRIX = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}
"""Orientations by the signs of the elements a, b, c and d of a movie's display matrix."""


def by_matrix(matrix: tuple[float, float, float, float]) -> int | None:
    """Return the orientation of a display matrix (a, b, c, d), or None if it is not one of the eight."""
    largest = max(abs(value) for value in matrix) or 1.0
    return _BY_MATRIX.get(tuple(round(value / largest) for value in matrix))  # type: ignore[arg-type]


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return (width, height) of the upright image from the stored size."""
    return size[::-1] if orientation in _TURNED else size


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return ``(H, W, ...)`` stored pixels as an upright image; rows and columns swap for orientations 5 to 8."""
    if orientation in _TURNED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def upright_image(image: PlateImage, orientation: int) -> PlateImage:
    """Return an upright image with its layers; the pixel aspect ratio is inverted if rows and columns swap."""
    if orientation not in range(UPRIGHT + 1, 9):
        return image
    layers = {name: upright(plane, orientation) for name, plane in image.layers.items()}
    metadata = dict(image.metadata)
    if orientation in _TURNED and "pixelAspectRatio" in metadata:
        metadata["pixelAspectRatio"] = 1 / metadata["pixelAspectRatio"]
    return replace(image, pixels=upright(image.pixels, orientation), layers=layers, metadata=metadata)
