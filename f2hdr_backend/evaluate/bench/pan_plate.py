"""A seeded, textured pan with alternating exposures, generated in memory. The content does not affect the times."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.engine.method.features import NetworkFrame
from f2hdr_backend.engine.method.frame import WindowFrames
from f2hdr_backend.image.arrays import codes_of

GAINS = (1.0, 8.0)
"""Gains of even and odd frames: 3 stops apart."""
STEP_PX = (6, 2)
"""Motion of the pan per frame in pixels, x and y."""
OCTAVES_PX = (256, 64, 16, 4)
"""Sizes of the texture's details in pixels; the amplitude of each is proportional to the square root of its size."""
BRIGHTEST = 0.9
"""Radiance of the brightest pixels; 1 is the clip level of the short exposure."""


class Pan:
    """Frames of one size, panned over a texture."""

    def __init__(self, size: tuple[int, int], frames: int, seed: int = 1) -> None:
        """``size`` is (width, height) in pixels, ``frames`` the maximum number of windows."""
        self._size = size
        self._frames = frames
        margin = tuple(step * (frames + 2) for step in STEP_PX)
        self._light = _texture((size[0] + margin[0], size[1] + margin[1]), np.random.default_rng(seed))

    def windows(self) -> Iterator[WindowFrames]:
        """Yield the windows in order, one for each frame; adjacent windows share frames, as in a render."""
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
    """Return ``(H, W, 3)`` radiance from dark to bright, so that both exposures contribute."""
    width, height = size
    light = np.zeros((height, width, 3), np.float32)
    for detail in OCTAVES_PX:
        coarse = random.random((-(-height // detail) + 1, -(-width // detail) + 1, 3), np.float32)
        light += np.sqrt(np.float32(detail)) * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    light -= light.min()
    light /= light.max()
    return BRIGHTEST * light**4
