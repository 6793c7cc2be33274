"""Plates of alternating exposures, as arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]
SIZE = (96, 64)
STOPS = 3.0


def is_short(number: int) -> bool:
    """Odd frames are the short exposures."""
    return number % 2 == 1


def plate_frame(number: int, size: tuple[int, int] = SIZE, channels: int = 4, stops: float = STOPS) -> Pixels:
    """Return a moving textured ramp ``(H, W, channels)``: linear light that clips at 1, alpha 1."""
    width, height = size
    texture = np.random.default_rng(1).uniform(0.6, 1.0, (height, width, 1))
    light = np.linspace(0.01, 1.0, width)[None, :, None] * texture * np.array([1.0, 0.9, 0.8])
    exposed = np.clip(np.roll(light, number, 1) * (1 if is_short(number) else 2.0**stops), 0, 1)
    return np.dstack([exposed, np.ones((height, width, channels - 3))]).astype(np.float32)


def plate(first: int = 1, last: int = 6, size: tuple[int, int] = SIZE, channels: int = 4) -> dict[int, Pixels]:
    """Return frames by number."""
    return {number: plate_frame(number, size, channels) for number in range(first, last + 1)}
