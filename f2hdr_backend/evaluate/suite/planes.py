"""Scenes of flat images that move by homographies in front of each other: radiance, true flow and visibility.

This generator shares no code, motion model or scene model with the generator of the training data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray

Matrix = NDArray[np.float64]

INSIDE_PX = 1.0
"""Distance in pixels from the frame's border within which a pixel counts as not visible."""


@dataclass(frozen=True)
class Plane:
    """An image with alpha and its motion."""

    radiance: FloatArray
    """``(h, w, 3)``, any unit."""
    alpha: FloatArray
    """``(h, w)`` 0-1."""
    place: Callable[[float], Matrix]
    """Returns the ``(3, 3)`` homography from the image's pixels to the frame's at a time; frames are 1 apart."""

    def seen(self, time: float, size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
        """Return premultiplied radiance ``(H, W, 3)`` and alpha ``(H, W)`` in a frame of ``size`` (width, height)."""
        four = np.dstack((self.radiance * self.alpha[..., None], self.alpha)).astype(np.float32)
        seen = cv2.warpPerspective(four, self.place(time), size, flags=cv2.INTER_LINEAR)
        return np.asarray(seen[..., :3], np.float32), np.asarray(seen[..., 3], np.float32)


def composite(planes: Sequence[Plane], time: float, size: tuple[int, int]) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return radiance ``(H, W, 3)`` and the index ``(H, W)`` of the front plane; the first plane is at the back."""
    width, height = size
    radiance, top = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.int64)
    for index, plane in enumerate(planes):
        color, alpha = plane.seen(time, size)
        radiance = color + (1 - alpha[..., None]) * radiance
        top[alpha > 0.5] = index
    return radiance, top


def true_flow(
    planes: Sequence[Plane], times: tuple[float, float], size: tuple[int, int]
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the flow ``(H, W, 2)`` in pixels from the first time to the second, and ``(H, W)`` where its target is
    visible.
    """
    width, height = size
    tops = [composite(planes, time, size)[1] for time in times]
    x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    target = np.zeros((height, width, 2))
    for index, plane in enumerate(planes):
        motion = plane.place(times[1]) @ np.linalg.inv(plane.place(times[0]))
        ends = motion @ np.stack((x.ravel(), y.ravel(), np.ones(x.size)))
        here = tops[0] == index
        target[here] = (ends[:2] / ends[2]).T.reshape(height, width, 2)[here]
    flow = np.asarray(target - np.dstack((x, y)), np.float32)
    column, row = np.rint(target[..., 0]).astype(np.int64), np.rint(target[..., 1]).astype(np.int64)
    inside = ((target >= INSIDE_PX) & (target < np.array(size) - INSIDE_PX)).all(-1)
    found = tops[1][row.clip(0, height - 1), column.clip(0, width - 1)]
    return flow, inside & (found == tops[0])
