"""A seeded textured pan at alternating exposures, made in memory: what is reconstructed does not sway the times."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.engine.method.base import WindowFrames
from f2hdr_backend.engine.method.features import NetworkFrame
from f2hdr_backend.image.arrays import codes_of

GAINS = (1.0, 8.0)
"""Exposures of even and odd frames: three stops."""
STEP_PX = (6, 2)
"""The pan's motion a frame, x and y."""
OCTAVES_PX = (256, 64, 16, 4)
"""Sizes of the texture's details; each as strong as its size to the power of a half."""
BRIGHTEST = 0.9
"""Radiance of the brightest pixels; 1 is the clip of the short exposure."""


class Pan:
    """Frames of one size, panned over a texture."""

    def __init__(self, size: tuple[int, int], frames: int, seed: int = 1) -> None:
        """``size`` is (width, height), ``frames`` the most that :meth:`windows` will be asked for."""
        self._size = size
        self._frames = frames
        margin = tuple(step * (frames + 2) for step in STEP_PX)
        self._light = _texture((size[0] + margin[0], size[1] + margin[1]), np.random.default_rng(seed))

    def windows(self) -> Iterator[WindowFrames]:
        """Windows in order, one for each frame; neighbors share their frames, as in a render."""
        recent = deque((self._frame(0), self._frame(1)), 3)
        for number in range(self._frames):
            recent.append(self._frame(number + 2))
            yield recent[0], recent[1], recent[2]

    def _frame(self, number: int) -> NetworkFrame:
        gain = GAINS[number % len(GAINS)]
        x, y = (step * number for step in STEP_PX)
        light = self._light[y : y + self._size[1], x : x + self._size[0]]
        return NetworkFrame(number, codes_of(light, gain), gain)


def _texture(size: tuple[int, int], random: np.random.Generator) -> NDArray[np.float32]:
    """``(H, W, 3)`` radiance, with as much dark as bright in it, for both exposures have something to say."""
    width, height = size
    light = np.zeros((height, width, 3), np.float32)
    for detail in OCTAVES_PX:
        coarse = random.random((-(-height // detail) + 1, -(-width // detail) + 1, 3), np.float32)
        light += np.sqrt(np.float32(detail)) * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    light -= light.min()
    light /= light.max()
    return BRIGHTEST * light**4
