"""Motion of pieces: a curved path in the picture, a plane passed by a camera, and bending."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Vector = tuple[float, float, float]
Matrix = NDArray[np.float64]
Points = tuple[NDArray[Any], NDArray[Any]]
"""x and y, two arrays of one shape or of shapes that go together."""


@dataclass(frozen=True)
class PiecePath:
    """A piece's way through the shot. Time is in frames, 0 at the reference frame."""

    center: Point
    """Center of the piece at the reference frame, in pixels."""
    velocity: Point = (0.0, 0.0)
    """Pixels a frame."""
    acceleration: Point = (0.0, 0.0)
    """Pixels a frame and frame."""
    spin: float = 0.0
    """Radians a frame."""
    growth: float = 0.0
    """Relative change of size a frame."""
    shear: float = 0.0
    """Shear a frame."""
    scale: float = 1.0
    """Size at the reference frame, relative to the piece's pixels."""
    camera: Vector = (0.0, 0.0, 0.0)
    """Translation of the camera per frame (right, down, ahead), in units of the piece's distance."""
    normal: Vector = (0.0, 0.0, 1.0)
    """Of the piece's plane, the third part 1; (0, 0, 1) faces the camera."""

    def matrix(self, time: float, piece_size: tuple[int, int], size: tuple[int, int]) -> Matrix:
        """Homography (3 x 3) from a piece's pixels to those of a shot; sizes are (width, height)."""
        return self._parallax(time, size) @ self._placement(time, piece_size)

    def _placement(self, time: float, piece_size: tuple[int, int]) -> Matrix:
        scale = self.scale * (1 + self.growth) ** time
        cosine, sine = scale * math.cos(self.spin * time), scale * math.sin(self.spin * time)
        turn = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1, self.shear * time], [0, 1]])
        middle = (np.array(piece_size) - 1) / 2
        bow = 0.5 * time * time * np.array(self.acceleration)
        target = np.array(self.center) + time * np.array(self.velocity) + bow
        return np.vstack((np.hstack((turn, (target - turn @ middle)[:, None])), (0, 0, 1)))

    def _parallax(self, time: float, size: tuple[int, int]) -> Matrix:
        """``K (I - t c n^T) K^-1``: how a plane at distance 1 moves as the camera does; focal length one width."""
        width, height = size
        lens = np.array([[width, 0, (width - 1) / 2], [0, width, (height - 1) / 2], [0, 0, 1.0]])
        moved = np.eye(3) - time * np.outer(self.camera, self.normal)
        return np.asarray(lens @ moved @ np.linalg.inv(lens), np.float64)


@dataclass(frozen=True)
class Bend:
    """A running wave across a piece; points move along its crests, so that it can be undone exactly."""

    amplitude_px: float = 0.0
    """In the piece's pixels, as all lengths here."""
    wavelength_px: float = 100.0
    heading: float = 0.0
    """Direction in which the wave runs, radians."""
    phase: float = 0.0
    rate: float = 0.0
    """Radians a frame."""

    def bent(self, points: Points, time: float) -> Points:
        """Return the positions of points of the flat piece at ``time``."""
        x, y = self._offset(points, time)
        return points[0] + x, points[1] + y

    def straightened(self, points: Points, time: float) -> Points:
        """Undo :meth:`bent`."""
        x, y = self._offset(points, time)
        return points[0] - x, points[1] - y

    def _offset(self, points: Points, time: float) -> Points:
        x, y = points
        cosine, sine, wave = math.cos(self.heading), math.sin(self.heading), 2 * math.pi / self.wavelength_px
        swing = self.amplitude_px * np.sin(wave * cosine * x + wave * sine * y + (self.phase + self.rate * time))
        return -sine * swing, cosine * swing
