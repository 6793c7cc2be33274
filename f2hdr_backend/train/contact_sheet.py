"""Contact sheets: training windows, and a model's results on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from f2hdr_backend.image.arrays import FloatArray, along_flow
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.train.synthesis import SyntheticWindow

HIDDEN = 0.5
"""Gray of pixels that a neighbor does not show."""
GAP_PX = 4


def window_row(window: SyntheticWindow) -> list[FloatArray]:
    """Six ``(h, w, 3)`` pictures 0-1 of a window.

    Previous, reference and next as recorded; the reference's true radiance up to the short clip; the true
    radiance of previous and next warped along the true flow, gray where they do not show the surface. With a correct
    flow the last three are alike.
    """
    brought = []
    for side, neighbor in enumerate((0, 2)):
        there = along_flow(window.radiance[neighbor], window.flows[side])
        brought.append(np.where(window.visible[side][..., None], shown(there), np.float32(HIDDEN)))
    return [*window.ldr, shown(window.radiance[1]), *brought]


def shown(radiance: FloatArray) -> FloatArray:
    """Radiance, 1 the clip of the short exposure, as codes 0-1, dark parts raised for the eye."""
    return np.asarray(np.clip(radiance, 0, 1) ** np.float32(1 / (2 * GAMMA)), np.float32)


def sheet(rows: Sequence[Sequence[FloatArray]]) -> FloatArray:
    """One ``(H, W, 3)`` picture 0-1 of rows of equally large pictures."""
    lines = [np.hstack([_framed(picture) for picture in row]) for row in rows]
    return np.vstack(lines)


def _framed(picture: FloatArray) -> FloatArray:
    return np.pad(picture, ((0, GAP_PX), (0, GAP_PX), (0, 0)))
