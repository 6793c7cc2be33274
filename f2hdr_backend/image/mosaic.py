"""Recognition of an undeveloped Bayer mosaic in a gray picture, as machine-vision cameras save it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray

_CELL = 16
"""Rows and columns of the cells in which the four places of the mosaic are compared."""
_SEEN = 64
"""Cells on each side of a grid over the picture that are examined, at most."""
_LEAST_CELLS = 12
_LEAST_CONTRAST = 0.03
"""Difference between the places of the mosaic, as a share of the brightness; other pictures stay below 0.01."""
_LEAST_EXCESS = 3.0
"""How many times this difference is above that of places between which no filter differs (period 4)."""


def is_mosaic(gray: FloatArray) -> bool:
    """Whether a gray picture ``(H, W)``, 0 or more, is a mosaic of 2 x 2 color filters.

    The filters transmit different shares of light, so that pixels of even and odd rows and columns differ in the
    same direction in most cells of the picture. In other pictures they differ in no direction.
    """
    cells = _cells(gray)
    means = cells.mean(axis=(1, 2), dtype=np.float64)
    lit = (means > 0.002) & (cells.max(axis=(1, 2)) < 0.98)
    if np.count_nonzero(lit) < _LEAST_CELLS:
        return False
    places = _places(cells[lit] / means[lit, None, None].astype(np.float32))
    same_filter = places.reshape(2, 2, 2, 2).transpose(1, 3, 0, 2).reshape(4, 4)
    filters = same_filter.mean(axis=1)
    contrast = float(filters.max() - filters.min())
    control = float((same_filter.max(axis=1) - same_filter.min(axis=1)).max())
    return contrast > _LEAST_CONTRAST and contrast > _LEAST_EXCESS * control


def _cells(gray: FloatArray) -> NDArray[np.float32]:
    """Cells ``(N, 16, 16)`` evenly over the picture, each beginning at an even row and column."""
    rows, columns = gray.shape[0] // _CELL, gray.shape[1] // _CELL
    down, right = max(1, rows // _SEEN), max(1, columns // _SEEN)
    whole = gray[: rows * _CELL, : columns * _CELL].reshape(rows, _CELL, columns, _CELL)
    return np.ascontiguousarray(whole[::down, :, ::right].transpose(0, 2, 1, 3)).reshape(-1, _CELL, _CELL)


def _places(cells: NDArray[np.float32]) -> NDArray[np.float64]:
    """The median over all cells of the mean brightness at each of 4 x 4 places, ``(4, 4)`` by row and column."""
    count = _CELL // 4
    means = cells.reshape(-1, count, 4, count, 4).mean(axis=(1, 3), dtype=np.float64)
    return np.asarray(np.median(means, axis=0))
