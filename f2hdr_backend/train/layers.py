"""Moving picture layers: a panorama behind, cut-outs in front, each with a known motion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.panorama import look, look_map
from f2hdr_backend.train.sources import Source

FloatArray = NDArray[np.float32]


class Layer(Protocol):
    """One layer of a shot. Time is in frames; 0 is the reference frame."""

    def picture(self, time: float) -> tuple[FloatArray, FloatArray]:
        """``(h, w, 3)`` radiance and ``(h, w)`` coverage in 0-1."""
        ...

    def motion(self, time: float, other: float) -> FloatArray:
        """``(h, w, 2)`` pixels (x, y): where each pixel at ``time`` is at ``other``, minus where it is."""
        ...


@dataclass(frozen=True)
class CameraPath:
    """A panorama seen by a turning, zooming camera: the background."""

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

    def picture(self, time: float) -> tuple[FloatArray, FloatArray]:
        """See :class:`Layer`; the background covers everything."""
        yaw, pitch, roll = self._angles(time)
        seen = look(self.source.radiance, yaw, pitch, roll, self._hfov(time), self.size)
        return seen, np.ones(seen.shape[:2], np.float32)

    def motion(self, time: float, other: float) -> FloatArray:
        """See :class:`Layer`; exact, by following each ray from one view into the other."""
        columns, rows = look_map((4096, 2048), self._angles(time), self._hfov(time), self.size)
        longitude = ((columns + 0.5) / 4096 - 0.5) * 2 * math.pi
        latitude = (0.5 - (rows + 0.5) / 2048) * math.pi
        x, y = self._project(longitude, latitude, other)
        width, height = self.size
        return np.stack((x - np.arange(width), y - np.arange(height)[:, None]), -1).astype(np.float32)

    def _angles(self, time: float) -> tuple[float, float, float]:
        yaw, pitch, roll = (angle + time * turn for angle, turn in zip(self.angles, self.turn, strict=True))
        return yaw, pitch, roll

    def _hfov(self, time: float) -> float:
        return self.hfov * (1 + self.zoom) ** time

    def _project(
        self, longitude: NDArray[Any], latitude: NDArray[Any], time: float
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        yaw, pitch, roll = self._angles(time)
        right = np.cos(latitude) * np.sin(longitude - yaw)
        ahead = np.cos(latitude) * np.cos(longitude - yaw)
        up = np.sin(latitude) * math.cos(pitch) - ahead * math.sin(pitch)
        ahead = ahead * math.cos(pitch) + np.sin(latitude) * math.sin(pitch)
        flat_right, flat_up = right / ahead, up / ahead
        x = flat_right * math.cos(roll) - flat_up * math.sin(roll)
        y = flat_up * math.cos(roll) + flat_right * math.sin(roll)
        width, height = self.size
        scale = width / (2 * math.tan(self._hfov(time) / 2))
        return x * scale + (width - 1) / 2, (height - 1) / 2 - y * scale


@dataclass(frozen=True)
class CutOut:
    """A piece of a picture with a soft silhouette, moved by shift, turn and growth."""

    radiance: FloatArray
    """``(h, w, 3)`` what fills the silhouette."""
    coverage: FloatArray
    """``(h, w)`` in 0-1, the silhouette."""
    size: tuple[int, int]
    """Width and height of the shot in pixels."""
    center: tuple[float, float]
    """Where the piece's middle is at the reference frame, pixels."""
    velocity: tuple[float, float]
    """Pixels a frame."""
    spin: float
    """Radians a frame."""
    growth: float
    """Relative change of size a frame."""
    scale: float
    """Size at the reference frame, relative to the piece's pixels."""

    def picture(self, time: float) -> tuple[FloatArray, FloatArray]:
        """See :class:`Layer`."""
        placed = self._placement(time)
        radiance = cv2.warpAffine(
            self.radiance, placed, self.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        coverage = cv2.warpAffine(self.coverage, placed, self.size, flags=cv2.INTER_LINEAR)
        return np.asarray(radiance, np.float32), np.asarray(coverage, np.float32)

    def motion(self, time: float, other: float) -> FloatArray:
        """See :class:`Layer`."""
        there, back = (np.vstack((self._placement(moment), (0, 0, 1))) for moment in (other, time))
        matrix = there @ np.linalg.inv(back)
        width, height = self.size
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        moved = np.stack((x, y, np.ones_like(x)), -1) @ matrix[:2].T
        return (moved - np.stack((x, y), -1)).astype(np.float32)

    def _placement(self, time: float) -> NDArray[np.float64]:
        """2 x 3 matrix from the piece's pixels to the shot's."""
        height, width = self.coverage.shape
        scale = self.scale * (1 + self.growth) ** time
        cosine, sine = scale * math.cos(self.spin * time), scale * math.sin(self.spin * time)
        turn = np.array([[cosine, -sine], [sine, cosine]])
        middle = np.array([width - 1, height - 1]) / 2
        target = np.array(self.center) + time * np.array(self.velocity)
        return np.hstack((turn, (target - turn @ middle)[:, None]))
