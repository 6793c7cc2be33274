"""Procedural textures of the demo shot: seamless noise, stone tiles, and filtered lookup."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from f2hdr_backend.image.arrays import FloatArray

TILES = 8
"""Stone tiles along each side of the floor texture."""
_LOOKUP_WIDTH = 4096
"""OpenCV maps at most 32767 points a row."""


@dataclass(frozen=True)
class Texture:
    """A seamless texture with mipmaps."""

    levels: tuple[FloatArray, ...]
    """``(h, w, C)`` with 1 to 4 channels; each level is half as large as the previous one."""

    @classmethod
    def of(cls, picture: FloatArray, levels: int = 6) -> Texture:
        """Build the levels of ``(h, w, C)`` or ``(h, w)``; sides must be divisible by 2 to the power of levels."""
        made = [picture if picture.ndim == 3 else picture[..., None]]
        while len(made) < levels:
            height, width, channels = made[-1].shape
            blocks = made[-1].reshape(height // 2, 2, width // 2, 2, channels)
            made.append(blocks.mean((1, 3), dtype=np.float32))
        return cls(tuple(made))

    def sample(self, u: FloatArray, v: FloatArray, blur: FloatArray | None = None) -> FloatArray:
        """``(C, N)`` values at positions ``u`` (right) and ``v`` (down), in repeats of the texture.

        ``blur`` is the base-2 logarithm of each sample's width in texels of the largest level; None is 0.
        """
        if blur is None:
            return _lookup(self.levels[0], u, v)
        depth = np.clip(blur, 0, len(self.levels) - 1)
        total = np.zeros((self.levels[0].shape[2], u.size), np.float32)
        for index, level in enumerate(self.levels):
            share = np.maximum(1 - np.abs(depth - np.float32(index)), 0)
            used = np.flatnonzero(share)
            if used.size:
                total[:, used] += share[used] * _lookup(level, u[used], v[used])
        return total


def noise(side: int, cells: int, octaves: int, seed: int) -> FloatArray:
    """``(side, side)`` seamless fractal noise with mean 0 and standard deviation 1.

    Args:
        side: pixels; divisible by every octave's cells.
        cells: random values along a side of the coarsest octave; each further octave has twice as many at 0.55 of
            the strength.
        octaves: how many.
        seed: the same seed gives the same picture.
    """
    random = np.random.default_rng(seed)
    total = np.zeros((side, side), np.float32)
    for octave in range(octaves):
        count = cells << octave
        grid = np.pad(random.standard_normal((count, count), np.float32), 2, mode="wrap")
        zoom = side // count
        grown = cv2.resize(grid, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
        total += np.float32(0.55**octave) * grown[2 * zoom : -2 * zoom, 2 * zoom : -2 * zoom]
    return np.asarray((total - total.mean()) / total.std(), np.float32)


def stone_tiles(side: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """A floor of square stone tiles.

    Returns:
        ``(side, side, 3)`` albedo, and ``(side, side, 2)`` the slope of the surface to the right and down.
    """
    random = np.random.default_rng(seed)
    rows, columns = np.indices((side, side), np.float32) * np.float32(TILES / side)
    tile = rows.astype(np.int64) * TILES + columns.astype(np.int64)
    edge = np.minimum.reduce([rows % 1, columns % 1, 1 - rows % 1, 1 - columns % 1])
    stone = np.clip((edge - 0.012) / 0.012, 0, 1)
    tones = random.normal(0, 1, (TILES * TILES, 3)).astype(np.float32)
    grain, cloud, pores = noise(side, 64, 5, seed + 1), noise(side, 8, 5, seed + 2), noise(side, 256, 2, seed + 3)
    brightness = 1 + 0.16 * tones[tile, 0] + 0.11 * cloud + 0.15 * grain - 0.35 * (pores > 1.7)
    tint = np.stack([np.ones_like(grain), 1 + 0.02 * tones[tile, 1], 1 + 0.05 * tones[tile, 2]], -1)
    albedo = np.array([0.47, 0.41, 0.34], np.float32) * tint * np.clip(brightness, 0.25, 1.7)[..., None]
    albedo = 0.09 + (albedo - 0.09) * stone[..., None]
    height = 0.9 * stone + 0.11 * grain + 0.06 * cloud - 0.25 * (pores > 1.7)
    for axis in (0, 1):
        height = np.roll(height, 1, axis) / 4 + height / 2 + np.roll(height, -1, axis) / 4
    slope = np.stack([_difference(height, 1), _difference(height, 0)], -1)
    return np.asarray(albedo, np.float32), slope + 0.02 * tones[tile, 1:]


def _difference(height: FloatArray, axis: int) -> FloatArray:
    return np.asarray((np.roll(height, -1, axis) - np.roll(height, 1, axis)) / 2, np.float32)


def _lookup(picture: FloatArray, u: FloatArray, v: FloatArray) -> FloatArray:
    """``(C, N)`` bilinear samples of a seamless ``(h, w, C)`` picture."""
    height, width, channels = picture.shape
    rows = -(-u.size // _LOOKUP_WIDTH)
    maps = np.zeros((2, rows * _LOOKUP_WIDTH), np.float32)
    maps[0, : u.size] = u % 1 * width - np.float32(0.5)
    maps[1, : v.size] = v % 1 * height - np.float32(0.5)
    across, down = maps.reshape(2, rows, _LOOKUP_WIDTH)
    found = cv2.remap(picture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.ascontiguousarray(found.reshape(-1, channels)[: u.size].T)
