"""Moving picture layers: a panorama as background, pieces in front, each with a known motion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.simulation.panorama import look, look_map
from f2hdr_backend.train.motion_paths import Bend, PiecePath, Points
from f2hdr_backend.train.sources import Source

SHAKE_RATE = 2.3
"""Radians a frame of the camera's shake: some nine frames a second at 25."""
BEHIND = 1e6
"""Tangent that marks directions to the back of the camera."""
GRID = (4096, 2048)
"""Columns and rows of the lat-long grid of directions."""


class Layer(Protocol):
    """One layer of a shot. Time is in frames; 0 is the reference frame."""

    def picture(self, time: float) -> tuple[FloatArray, FloatArray]:
        """``(h, w, 3)`` radiance and ``(h, w)`` coverage in 0-1."""
        ...

    def motion(self, time: float, other: float) -> FloatArray:
        """``(h, w, 2)`` pixels (x, y): where each pixel at ``time`` is at ``other``, minus where it is."""
        ...


@dataclass(frozen=True)
class Lamp:
    """A small round light source far away; it moves with the background."""

    longitude: float
    latitude: float
    radius_px: float
    color: tuple[float, float, float]
    """Radiance that it adds, in units of the background's."""


@dataclass(frozen=True)
class PanoramaCamera:
    """A panorama seen by a turning, zooming, shaking camera: the background."""

    source: Source
    size: tuple[int, int]
    """Width and height in pixels."""
    angles: tuple[float, float, float]
    """Yaw, pitch, roll at the reference frame, radians."""
    turn: tuple[float, float, float]
    """Change of the angles a frame, radians."""
    hfov: float
    """Horizontal angle of view at the reference frame, radians."""
    zoom: float
    """Relative change of the angle of view a frame."""
    shake: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Amplitude of each angle around its path, in radians."""
    phase: float = 0.0
    """Of the swing at the reference frame, radians."""
    gain: float = 1.0
    """Factor on the panorama's radiance."""
    lamps: tuple[Lamp, ...] = ()
    defocus_px: float = 0.0
    """Radius of the blur disk of a background out of focus."""

    def picture(self, time: float) -> tuple[FloatArray, FloatArray]:
        """See :class:`Layer`; the background covers everything."""
        seen = look(self.source.radiance, *self._angles(time), self._hfov(time), self.size) * np.float32(self.gain)
        for lamp in self.lamps:
            self._shine(lamp, seen, time)
        return defocus(seen, self.defocus_px), np.ones(seen.shape[:2], np.float32)

    def motion(self, time: float, other: float) -> FloatArray:
        """See :class:`Layer`; exact, by following each ray from one view into the other."""
        x, y = self._project(*self.direction(time), other)
        width, height = self.size
        return np.stack((x - np.arange(width), y - np.arange(height)[:, None]), -1).astype(np.float32)

    def direction(self, time: float) -> tuple[NDArray[Any], NDArray[Any]]:
        """Longitude and latitude, two ``(h, w)`` arrays in radians, of what each pixel shows."""
        columns, rows = look_map(GRID, self._angles(time), self._hfov(time), self.size)
        return ((columns + 0.5) / GRID[0] - 0.5) * 2 * math.pi, (0.5 - (rows + 0.5) / GRID[1]) * math.pi

    def _angles(self, time: float) -> tuple[float, float, float]:
        swing = math.sin(SHAKE_RATE * time + self.phase) - math.sin(self.phase)
        yaw, pitch, roll = (
            angle + time * turn + swing * shake
            for angle, turn, shake in zip(self.angles, self.turn, self.shake, strict=True)
        )
        return yaw, pitch, roll

    def _hfov(self, time: float) -> float:
        return self.hfov * (1 + self.zoom) ** time

    def _shine(self, lamp: Lamp, seen: FloatArray, time: float) -> None:
        """Add the radiance of a light source, in place."""
        x, y = self._project(np.asarray(lamp.longitude), np.asarray(lamp.latitude), time)
        width, height = self.size
        reach = 4 * lamp.radius_px
        if not (-reach < x < width + reach and -reach < y < height + reach):
            return
        left, right = (int(np.clip(edge, 0, width)) for edge in (x - reach, x + reach + 1))
        top, bottom = (int(np.clip(edge, 0, height)) for edge in (y - reach, y + reach + 1))
        squares = (np.arange(left, right) - x) ** 2 + ((np.arange(top, bottom) - y) ** 2)[:, None]
        seen[top:bottom, left:right] += round_light(squares, lamp.radius_px)[..., None] * np.array(
            lamp.color, np.float32
        )

    def _project(
        self, longitude: NDArray[Any], latitude: NDArray[Any], time: float
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Pixel x and y of directions; far outside for directions to the back of the camera."""
        yaw, pitch, roll = self._angles(time)
        right = np.cos(latitude) * np.sin(longitude - yaw)
        ahead = np.cos(latitude) * np.cos(longitude - yaw)
        up = np.sin(latitude) * math.cos(pitch) - ahead * math.sin(pitch)
        ahead = ahead * math.cos(pitch) + np.sin(latitude) * math.sin(pitch)
        flat_right, flat_up = (np.where(ahead > 0, part / np.maximum(ahead, 1e-6), BEHIND) for part in (right, up))
        x = flat_right * math.cos(roll) - flat_up * math.sin(roll)
        y = flat_up * math.cos(roll) + flat_right * math.sin(roll)
        width, height = self.size
        scale = width / (2 * math.tan(self._hfov(time) / 2))
        return x * scale + (width - 1) / 2, (height - 1) / 2 - y * scale


@dataclass(frozen=True)
class CutOut:
    """A piece of a picture with a soft silhouette, moved along a path and optionally bending."""

    piece: FloatArray
    """``(h, w, 4)`` the radiance that fills the silhouette and, last, the silhouette: coverage in 0-1, 0 at borders."""
    size: tuple[int, int]
    """Width and height of the shot in pixels."""
    path: PiecePath
    bend: Bend = Bend()

    def picture(self, time: float) -> tuple[FloatArray, FloatArray]:
        """See :class:`Layer`."""
        if self.bend.amplitude_px:
            matrix = np.linalg.inv(self._matrix(time)).astype(np.float32)
            x, y = self.bend.straightened(_mapped(matrix, _pixels(self.size, np.float32)), time)
            seen = cv2.remap(self.piece, x, y, cv2.INTER_LINEAR)
        else:
            seen = cv2.warpPerspective(self.piece, self._matrix(time), self.size, flags=cv2.INTER_LINEAR)
        return np.asarray(seen[..., :3], np.float32), np.asarray(seen[..., 3], np.float32)

    def motion(self, time: float, other: float) -> FloatArray:
        """See :class:`Layer`; exact."""
        here = _pixels(self.size, np.float64)
        piece = self.bend.straightened(_mapped(np.linalg.inv(self._matrix(time)), here), time)
        there = _mapped(self._matrix(other), self.bend.bent(piece, other))
        return np.stack([after - before for after, before in zip(there, here, strict=True)], -1).astype(np.float32)

    def _matrix(self, time: float) -> NDArray[np.float64]:
        height, width = self.piece.shape[:2]
        return self.path.matrix(time, (width, height), self.size)


def defocus(picture: FloatArray, radius_px: float) -> FloatArray:
    """``(h, w)`` or ``(h, w, 3)`` seen through a round aperture out of focus: its mean over disks of that radius."""
    if radius_px < 0.5:
        return picture
    reach = math.ceil(radius_px)
    squares = np.arange(-reach, reach + 1) ** 2 + (np.arange(-reach, reach + 1) ** 2)[:, None]
    disk = np.clip(radius_px + 0.5 - np.sqrt(squares), 0, 1)
    return np.asarray(cv2.filter2D(picture, -1, disk / disk.sum(), borderType=cv2.BORDER_REFLECT), np.float32)


def round_light(squares: NDArray[Any], radius_px: float) -> FloatArray:
    """Relative radiance 0-1 of a light source at squared distances in pixels: 1 inside its radius, with a soft edge."""
    return np.asarray(1 / (1 + (squares / radius_px**2) ** 3), np.float32)


def _pixels(size: tuple[int, int], kind: type[np.floating]) -> Points:
    """x and y of every pixel, ``(1, w)`` and ``(h, 1)``."""
    return np.arange(size[0], dtype=kind), np.arange(size[1], dtype=kind)[:, None]


def _mapped(matrix: NDArray[np.floating], points: Points) -> Points:
    """Points through a homography."""
    x, y = points
    across, down, depth = (row[0] * x + row[1] * y + row[2] for row in matrix)
    return across / depth, down / depth
