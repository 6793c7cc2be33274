"""The objects on the demo shot's terrace, as solids with their surface properties."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from f2hdr_backend.demo.solids import Box, Cylinder, Fence, Solid, Sphere, Surface, color, rotation
from f2hdr_backend.demo.textures import Texture, noise
from f2hdr_backend.image.arrays import FloatArray

_Paint = Callable[[FloatArray], Surface]

CROSSING = 8.5
"""Time at which the ball passes the truck, in frames from the first."""
BALL_RADIUS, BALL_SPEED, BALL_DEPTH = 0.105, 0.078, 2.15
"""Radius in meters, speed in meters per frame, and depth in meters."""
BOUNCE_FRAMES, BOUNCE_HEIGHT = 16.0, 0.30
TRUCK_SPEED, TRUCK_DEPTH, WHEEL_RADIUS = 0.014, 2.75, 0.062
CHART = (
    (0.17, 0.08, 0.05), (0.56, 0.30, 0.22), (0.11, 0.20, 0.34),
    (0.09, 0.15, 0.05), (0.23, 0.22, 0.43), (0.11, 0.52, 0.41),
    (0.71, 0.20, 0.03), (0.06, 0.10, 0.39), (0.56, 0.08, 0.11),
    (0.11, 0.04, 0.14), (0.35, 0.50, 0.04), (0.78, 0.37, 0.02),
    (0.03, 0.05, 0.28), (0.06, 0.30, 0.06), (0.45, 0.03, 0.04),
    (0.84, 0.58, 0.01), (0.51, 0.09, 0.30), (0.01, 0.24, 0.38),
    (0.88, 0.88, 0.86), (0.58, 0.59, 0.58), (0.36, 0.36, 0.36),
    (0.19, 0.19, 0.19), (0.09, 0.09, 0.09), (0.03, 0.03, 0.03),
)  # fmt: skip
"""Albedo of the chart's patches, row by row."""


class Props:
    """All solids at any time, in frames from the first."""

    def __init__(self) -> None:
        self._noise = Texture.of(noise(512, 8, 6, 5))
        self._still = (*self._railing(), *self._pillar(), *self._reference())

    def solids(self, time: float) -> tuple[Solid, ...]:
        """Return all solids except the floor at a time in frames."""
        return (*self._still, *self._truck(time), self._ball(time))

    def neighbors(self, time: float) -> tuple[tuple[tuple[float, float, float], float], ...]:
        """Return centers and radii of spheres that approximate the objects for ambient occlusion."""
        ball, truck = self._ball(time), _truck_x(time)
        body = (((truck + along, 0.13, TRUCK_DEPTH), 0.13) for along in (-0.17, 0.0, 0.17))
        still = (((-1.02, 0.25, 2.3), 0.27), ((0.60, 0.085, 1.92), 0.085), ((0.43, 0.085, 2.12), 0.085))
        return (*still, ((0.90, 0.10, 2.30), 0.11), *body, (ball.center, BALL_RADIUS))

    def _ball(self, time: float) -> Solid:
        late = time - CROSSING
        phase = (late + 4) % BOUNCE_FRAMES / BOUNCE_FRAMES
        height = BALL_RADIUS + BOUNCE_HEIGHT * 4 * phase * (1 - phase)
        turn = rotation(0.5, 1) @ rotation(-late * 0.14, 2)
        return Solid(Sphere(BALL_RADIUS), (0.02 + BALL_SPEED * late, height, BALL_DEPTH), _beach_ball, turn)

    def _truck(self, time: float) -> tuple[Solid, ...]:
        x, z = _truck_x(time), TRUCK_DEPTH
        spin = rotation(-x / WHEEL_RADIUS, 2)
        wheels = tuple(
            Solid(Cylinder(WHEEL_RADIUS, 0.018), (x + along, WHEEL_RADIUS, z + across), _wheel, spin)
            for along in (-0.17, 0.15)
            for across in (-0.115, 0.115)
        )
        return (
            Solid(Box((0.27, 0.018, 0.10)), (x, 0.095, z), self._wood(color(0.42, 0.27, 0.14))),
            Solid(Box((0.155, 0.055, 0.105), 0.008), (x + 0.105, 0.168, z), self._wood(color(0.50, 0.075, 0.045))),
            Solid(Box((0.075, 0.095, 0.10), 0.016), (x - 0.165, 0.208, z), _cab),
            Solid(Sphere(0.062), (x + 0.03, 0.255, z), _plain(0.62, 0.40, 0.05, 0.05)),
            Solid(Sphere(0.055), (x + 0.165, 0.25, z + 0.01), _plain(0.10, 0.30, 0.22, 0.05)),
            *wheels,
        )

    def _railing(self) -> tuple[Solid, ...]:
        """A low wall at the end of the terrace with an iron rail on it."""
        wall = Solid(Box((4.5, 0.11, 0.12), 0.012), (0.0, 0.11, 5.2), self._plaster(color(0.42, 0.38, 0.32)))
        rail = Solid(Fence(0.66, 0.011, 0.020, 0.23, 4.5), (0.08, 0.45, 5.2), _plain(0.035, 0.033, 0.032, 0.06))
        return wall, rail

    def _pillar(self) -> tuple[Solid, ...]:
        plaster = self._plaster(color(0.52, 0.46, 0.38))
        return (
            Solid(Box((0.16, 0.60, 0.16), 0.01), (-1.02, 0.60, 2.3), plaster),
            Solid(Box((0.20, 0.035, 0.20), 0.012), (-1.02, 0.035, 2.3), plaster),
        )

    def _reference(self) -> tuple[Solid, ...]:
        """A color chart, a gray ball and a mirror ball, as on any set."""
        chart = rotation(-0.22, 1)
        return (
            Solid(Box((0.17, 0.12, 0.008), 0.003), (0.90, 0.125, 2.30), _chart, rotation(-0.16, 0) @ chart),
            Solid(Sphere(0.085), (0.60, 0.085, 1.92), lambda point: Surface(color(0.72, 0.72, 0.72), gloss=1)),
            Solid(Sphere(0.085), (0.43, 0.085, 2.12), _plain(0.18, 0.18, 0.18, 0.03)),
        )

    def _wood(self, tint: FloatArray) -> _Paint:
        def paint(point: FloatArray) -> Surface:
            grain = self._noise.sample(point[0] * 0.9 + point[2] * 0.3, point[1] * 9 + point[2] * 9)[0]
            return Surface(tint * np.clip(1 + 0.13 * grain, 0.5, 1.5), gloss=0.05, polish=60)

        return paint

    def _plaster(self, tint: FloatArray) -> _Paint:
        def paint(point: FloatArray) -> Surface:
            rough = self._noise.sample(point[0] * 4.8 + point[2] * 4.3, point[1] * 4.8)[0]
            stain = self._noise.sample(point[0] * 0.35 + point[2] * 0.3, point[1] * 0.3 + 0.4)[0]
            return Surface(tint * np.clip(1 + 0.12 * rough + 0.07 * stain, 0.4, 1.6))

        return paint


def _truck_x(time: float) -> float:
    return 0.06 - TRUCK_SPEED * (time - CROSSING)


def _plain(red: float, green: float, blue: float, gloss: float) -> _Paint:
    surface = Surface(color(red, green, blue), gloss=gloss)
    return lambda point: surface


def _beach_ball(point: FloatArray) -> Surface:
    """Six stripes between two caps."""
    stripe = np.floor((np.arctan2(point[1], point[0]) / (2 * math.pi) + 0.5) * 6).astype(np.int64) % 6
    stripe = np.where(np.abs(point[2]) > 0.93 * BALL_RADIUS, 0, stripe)
    inks = np.array(
        [
            (0.78, 0.76, 0.72),
            (0.62, 0.05, 0.04),
            (0.78, 0.76, 0.72),
            (0.03, 0.13, 0.42),
            (0.78, 0.76, 0.72),
            (0.78, 0.42, 0.02),
        ]
    )
    return Surface(np.asarray(inks[stripe].T, np.float32), gloss=0.05, polish=120)


def _wheel(point: FloatArray) -> Surface:
    """A dark tire, a light rim, four holes."""
    away = np.hypot(point[0], point[1]) / WHEEL_RADIUS
    hole = np.hypot(np.abs(point[0]) - 0.4 * WHEEL_RADIUS, np.abs(point[1]) - 0.4 * WHEEL_RADIUS) < 0.13 * WHEEL_RADIUS
    rim = (away < 0.74) & ~hole
    return Surface(np.where(rim, color(0.55, 0.42, 0.22), color(0.03, 0.03, 0.03)))


def _cab(point: FloatArray) -> Surface:
    """Red paint with dark windows."""
    side = (np.abs(point[0] + 0.008) < 0.042) & (point[1] > 0.0) & (point[1] < 0.07) & (np.abs(point[2]) > 0.09)
    front = (point[0] < -0.07) & (point[1] > 0.0) & (point[1] < 0.07) & (np.abs(point[2]) < 0.08)
    return Surface(np.where(side | front, color(0.02, 0.025, 0.03), color(0.50, 0.075, 0.045)), gloss=0.06, polish=120)


def _chart(point: FloatArray) -> Surface:
    """Twenty-four patches in a black frame, on the side that faces the camera."""
    column, row = (point[0] / 0.158 + 1) * 3, (1 - point[1] / 0.108) * 2
    patch = np.clip(np.floor(row), 0, 3) * 6 + np.clip(np.floor(column), 0, 5)
    inside = (np.abs(column % 1 - 0.5) < 0.43) & (np.abs(row % 1 - 0.5) < 0.43) & (point[2] < 0)
    inside &= (column > 0) & (column < 6) & (row > 0) & (row < 4)
    inks = np.asarray(CHART, np.float32)[patch.astype(np.int64)].T
    return Surface(np.where(inside, inks, np.float32(0.025)), gloss=0.02)
