"""A pinhole camera inside a lat-long (equirectangular) radiance panorama, and its motion."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.errors import ImageError

Rays = NDArray[np.floating]


@dataclass(frozen=True)
class HandheldPan:
    """A slow pan with slight sway and zoom, as of a handheld camera; determined by ``seed``."""

    seed: int

    def view(self, step: int) -> tuple[float, float, float, float]:
        """Return (yaw, pitch, roll, horizontal angle of view) in radians at frame ``step`` of the move.

        The pan is 0.2 to 0.45 degrees per frame, the sway at most 2 degrees, and the angle of view changes from 60 to
        50 degrees within 60 frames and back.
        """
        rng = np.random.default_rng(self.seed)
        start, phase = rng.uniform(-math.pi, math.pi, 2)
        pan = math.radians(rng.uniform(0.2, 0.45)) * rng.choice((-1, 1))
        pitch = math.radians(2) * math.sin(phase + step / 19)
        roll = math.radians(1) * math.sin(2 * phase + step / 27)
        hfov = math.radians(55 + 5 * math.cos(math.pi * step / 60))
        return float(start + pan * step), pitch, roll, hfov


def look(
    panorama: FloatArray,
    yaw: float,
    pitch: float,
    roll: float,
    hfov: float,
    size: tuple[int, int],
) -> FloatArray:
    """Return the view of a pinhole camera at the panorama's center.

    ``panorama`` is ``(H, W, 3)`` float32 in any linear unit; its left and right edges are connected, its middle column
    is yaw 0 and its middle row the horizon. The angles are in radians: positive yaw turns right, pitch up, and roll
    rotates the camera clockwise (the image counterclockwise). ``hfov`` is the horizontal angle of view in radians,
    between 0 and pi; ``size`` is (width, height) in pixels, and pixels are square.

    Returns ``(height, width, 3)`` float32 in the panorama's unit, sampled bilinearly. A view with fewer pixels per
    degree than the panorama aliases: render it larger and average.
    Raises ImageError if the panorama is not ``(H, W, 3)`` or the angle of view is outside its range.
    """
    if panorama.ndim != 3 or panorama.shape[2] != 3:
        raise ImageError(f"A panorama must have the shape (height, width, 3), not {panorama.shape}.")
    columns, rows = look_map((panorama.shape[1], panorama.shape[0]), (yaw, pitch, roll), hfov, size)
    source = np.ascontiguousarray(panorama, dtype=np.float32)
    seen = cv2.remap(source, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(seen, dtype=np.float32)


def look_map(
    panorama_size: tuple[int, int],
    angles: tuple[float, float, float],
    hfov: float,
    size: tuple[int, int],
) -> tuple[FloatArray, FloatArray]:
    """Return the panorama (column, row) of every pixel of the view, as two ``(height, width)`` float32 arrays.

    Columns are in 0 to the panorama's width (wrapping), rows in 0 to height - 1; 0 is the center of the first pixel.
    ``angles`` are (yaw, pitch, roll); the others are those of ``look``; sizes are (width, height).
    Raises ImageError for an invalid ``hfov``.
    """
    if not 0.0 < hfov < math.pi:
        raise ImageError(f"A horizontal angle of view of {hfov:.3f} rad is not between 0 and pi.")
    wide, high = panorama_size
    right, up, ahead = _turned_rays(angles, hfov, size)
    longitude = np.arctan2(right, ahead)
    latitude = np.arctan2(up, np.hypot(right, ahead))
    columns = np.mod((longitude / (2.0 * math.pi) + 0.5) * wide - 0.5, wide)
    rows = np.clip((0.5 - latitude / math.pi) * high - 0.5, 0.0, high - 1.0)
    return columns.astype(np.float32), rows.astype(np.float32)


def _turned_rays(angles: tuple[float, float, float], hfov: float, size: tuple[int, int]) -> tuple[Rays, Rays, Rays]:
    """Return the (right, up, ahead) components of every pixel's ray after roll, then pitch, then yaw."""
    yaw, pitch, roll = angles
    width, height = size
    step = 2.0 * math.tan(hfov / 2.0) / width
    x = ((np.arange(width, dtype=np.float32) - (width - 1) / 2.0) * step)[None, :]
    y = (((height - 1) / 2.0 - np.arange(height, dtype=np.float32)) * step)[:, None]
    rolled_x = x * math.cos(roll) + y * math.sin(roll)
    rolled_y = y * math.cos(roll) - x * math.sin(roll)
    ahead = math.cos(pitch) - rolled_y * math.sin(pitch)
    up = math.sin(pitch) + rolled_y * math.cos(pitch)
    right = rolled_x * math.cos(yaw) + ahead * math.sin(yaw)
    return right, up, ahead * math.cos(yaw) - rolled_x * math.sin(yaw)
