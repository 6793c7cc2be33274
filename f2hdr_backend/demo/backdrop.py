"""The backdrop of the demo shot: an evening sky with the sun, hazy hills and the sea.

Its radiance depends only on the direction of a ray. Radiance 1 is the clip level of the short exposure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from f2hdr_backend.demo.solids import color, dot
from f2hdr_backend.demo.textures import Texture, noise
from f2hdr_backend.image.arrays import FloatArray

SUN_AZIMUTH, SUN_ELEVATION = math.radians(13.0), math.radians(9.5)
SUN = np.array(
    [
        math.sin(SUN_AZIMUTH) * math.cos(SUN_ELEVATION),
        math.sin(SUN_ELEVATION),
        math.cos(SUN_AZIMUTH) * math.cos(SUN_ELEVATION),
    ],
    np.float32,
)[:, None]
"""``(3, 1)`` direction to the sun."""
SUN_RADIUS = math.radians(0.75)
SUN_RADIANCE = color(420, 330, 210)
HORIZON, ABOVE, ZENITH = color(0.40, 0.22, 0.085), color(0.13, 0.15, 0.19), color(0.025, 0.065, 0.16)
GLOWS = (
    (math.radians(0.9), color(9, 6.0, 3.0)),
    (math.radians(4), color(0.75, 0.46, 0.2)),
    (math.radians(14), color(0.26, 0.14, 0.04)),
)
"""Angle in radians over which each glow around the sun decreases to 1/e, and its radiance at the sun."""
SHORE_HEIGHT = 14.0
"""Height of the camera above the sea, meters."""


@dataclass(frozen=True)
class Ridge:
    """One line of hills; elevations are tangents of angles."""

    base: float
    rise: float
    """Additional height at the left edge of the image."""
    rough: float
    row: float
    """Row of the noise that determines its shape."""
    haze: float
    """Share of the sky's radiance added in front of it."""


RIDGES = (
    Ridge(0.030, 0.010, 0.0075, row=0.13, haze=0.80),
    Ridge(0.013, 0.024, 0.008, row=0.46, haze=0.55),
    Ridge(-0.012, 0.064, 0.012, row=0.79, haze=0.22),
)
"""From the farthest to the nearest."""


class Backdrop:
    """Radiance of the backdrop as a function of direction."""

    def __init__(self) -> None:
        self._noise = Texture.of(noise(1024, 8, 7, 31))

    def __call__(self, direction: FloatArray) -> FloatArray:
        """``(3, N)`` radiance seen along ``(3, N)`` unit directions."""
        azimuth = np.arctan2(direction[0], direction[2])
        level = direction[1] / np.sqrt(np.maximum(1 - direction[1] ** 2, 1e-6))
        radiance = self._sky(direction, azimuth, level)
        haze = np.asarray(HORIZON * 0.8 + _glow(direction, GLOWS[1:]) * 0.75, np.float32)
        for ridge in RIDGES:
            top = self._top(ridge, azimuth)
            covered = np.flatnonzero((level < top) & (level > -0.002))
            if covered.size:
                radiance[:, covered] = self._hill(ridge, azimuth[covered], level[covered], haze[:, covered])
        below = np.flatnonzero(level <= -0.002)
        if below.size:
            radiance[:, below] = self._sea(direction[:, below], azimuth[below], level[below])
        return radiance

    def _sky(self, direction: FloatArray, azimuth: FloatArray, level: FloatArray) -> FloatArray:
        up = np.maximum(direction[1], 0)
        clear = ZENITH + HORIZON * np.exp(-up / np.float32(0.075)) + ABOVE * np.exp(-up / np.float32(0.30))
        glow = _glow(direction, GLOWS)
        flat = 0.25 + 6 * np.maximum(level, 0)
        across, aloft = azimuth * 0.22 / flat + 0.30, level * 1.7 + 0.08 * azimuth
        streaks = self._noise.sample(np.asarray(across, np.float32), np.asarray(aloft, np.float32))[0]
        cloud = np.clip((streaks - 0.35) * 0.8, 0, 1) * np.clip(level * 14 - 0.8, 0, 1) * np.clip(2 - 3 * level, 0, 1)
        lit = color(0.24, 0.13, 0.09) + 0.5 * glow
        sky = np.asarray(clear + glow + cloud * (lit - 0.3 * clear), np.float32)
        away = _angle_to_sun(direction)
        disc = np.clip((SUN_RADIUS - away) / 0.0012, 0, 1)
        return sky + disc * SUN_RADIANCE

    def _top(self, ridge: Ridge, azimuth: FloatArray) -> FloatArray:
        shape = self._noise.sample(azimuth * 0.35 + ridge.row, np.full_like(azimuth, ridge.row))[0]
        left = np.clip(0.35 - 1.4 * azimuth, 0, 1)
        return np.asarray(ridge.base + ridge.rise * left * left + ridge.rough * shape, np.float32)

    def _hill(self, ridge: Ridge, azimuth: FloatArray, level: FloatArray, haze: FloatArray) -> FloatArray:
        growth = self._noise.sample(azimuth * 2.2 + ridge.row, level * 5.0)[0]
        ground = color(0.013, 0.016, 0.014) * np.clip(1 + 0.55 * (1 - ridge.haze) * growth, 0.15, 3)
        mist = np.clip(ridge.haze + 0.25 * np.exp(-np.maximum(level, 0) / np.float32(0.012)), 0, 1)
        return np.asarray(ground + mist * (haze * 0.75 - ground), np.float32)

    def _sea(self, direction: FloatArray, azimuth: FloatArray, level: FloatArray) -> FloatArray:
        away = np.log(SHORE_HEIGHT / -level)
        wave = self._noise.sample(azimuth * 3.0 / (0.3 + 8 * -level), away * 1.7)[0]
        seen = np.maximum(-level + 0.02 * wave, 0.004)
        mirrored = ZENITH + HORIZON * np.exp(-seen / np.float32(0.10)) + ABOVE * np.exp(-seen / np.float32(0.5))
        beside = (azimuth - np.float32(SUN_AZIMUTH)) / (0.05 + 0.35 * -level)
        glitter = np.exp(-beside * beside) * np.clip(wave + 0.2, 0, 2) ** 3
        near_sun = 0.30 * np.exp(-np.abs(azimuth - np.float32(SUN_AZIMUTH)) / np.float32(0.18))
        shine = np.exp(level / np.float32(0.25)) * 0.62
        return np.asarray(shine * (mirrored + color(1, 0.62, 0.3) * (near_sun + 1.1 * glitter)), np.float32)


def _angle_to_sun(direction: FloatArray) -> FloatArray:
    return np.sqrt(np.maximum(2 - 2 * dot(direction, SUN), 0))


def _glow(direction: FloatArray, glows: tuple[tuple[float, FloatArray], ...]) -> FloatArray:
    away = _angle_to_sun(direction)
    return np.asarray(sum(strength * np.exp(-away / np.float32(width)) for width, strength in glows), np.float32)
