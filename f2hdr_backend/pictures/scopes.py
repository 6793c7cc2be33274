"""Waveform of a plate frame: the distribution of its light over the columns, and where it clips."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray

COLUMNS, ROWS = 256, 160
HIGHEST_STOPS, LOWEST_STOPS = 1.0, -11.0
"""The waveform's range in stops relative to the clip of the exposure it shows."""
_SAMPLES = 400_000


def waveform(light: FloatArray, clip_level: tuple[float, ...]) -> NDArray[np.uint8]:
    """Return ``(ROWS, COLUMNS, 3)``: one waveform per channel, columns as in the picture, rows in stops, brightest on
    top.

    ``light`` is ``(H, W, 3)``; brightness grows with the number of pixels at this level.
    """
    every = max(1, int(np.sqrt(light.shape[0] * light.shape[1] / _SAMPLES)))
    thinned = light[::every, ::every] / np.asarray(clip_level, np.float32)
    stops = np.log2(np.maximum(thinned, np.float32(2.0**-16)))
    rows = (HIGHEST_STOPS - stops) / (HIGHEST_STOPS - LOWEST_STOPS) * ROWS
    rows = np.clip(rows, 0, ROWS - 1).astype(np.intp)
    columns = np.arange(thinned.shape[1]) * COLUMNS // thinned.shape[1]
    picture = np.zeros((ROWS, COLUMNS, 3), np.uint8)
    for channel in range(3):
        places = (rows[..., channel] * COLUMNS + columns).ravel()
        counts = np.bincount(places, minlength=ROWS * COLUMNS).reshape(ROWS, COLUMNS)
        share = counts / max(thinned.shape[0] / 20, 1)
        picture[..., channel] = np.minimum(np.sqrt(share) * 255, 255)
    return picture


def clipped_shares(light: FloatArray, clip_level: tuple[float, ...], share_of_clip: float) -> list[float]:
    """Return the fraction of pixels, 0 to 1, that clip in red, green and blue."""
    limit = np.asarray(clip_level, np.float32) * np.float32(share_of_clip)
    every = max(1, int(np.sqrt(light.shape[0] * light.shape[1] / _SAMPLES)))
    return [float(share) for share in (light[::every, ::every] >= limit).mean(axis=(0, 1))]
