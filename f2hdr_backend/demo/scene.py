"""The demo shot: an evening terrace by the sea, rendered by ray casting; no file is read.

A slow camera, a toy truck that drives to the left, a ball that flies past it to the right, and the sun in the image.
Radiance is scene-linear; 1 is the clip of the short exposure, the sun is hundreds of times brighter.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from f2hdr_backend.demo.backdrop import SUN, Backdrop
from f2hdr_backend.demo.props import CROSSING, Props
from f2hdr_backend.demo.solids import Solid, Surface, color, dot, nearest, occlusion, unit
from f2hdr_backend.demo.textures import Texture, stone_tiles
from f2hdr_backend.image.arrays import FloatArray

SIZE = (640, 360)
FRAMES = 16
PARTS = ((0.25, 0.25), (0.75, 0.75), (0.75, 0.25), (0.25, 0.75))
"""Positions of the rays in a pixel, down and right, in the order of time."""
SHUTTER = 0.12
"""Share of a frame's duration in which the shutter is open."""
BAND_ROWS = 24
PARTS_ACROSS = 2
FOCAL = 0.90
"""Focal length in image widths."""
CAMERA_HEIGHT = 0.44
SUNLIGHT = color(1.9, 1.32, 0.76)
"""Irradiance on a surface that faces the sun."""
SKYLIGHT, BOUNCE, BACKLIGHT = color(0.050, 0.062, 0.088), color(0.030, 0.024, 0.018), color(0.20, 0.13, 0.075)
"""Radiance from above, from the floor, and from the bright side of the sky."""
FLOOR_REPEAT_M = 3.2
FLOOR_TEXELS = 1024
FLOOR_END_M = 5.3


class DemoScene:
    """The shot at one resolution."""

    def __init__(self, size: tuple[int, int] = SIZE) -> None:
        """``size`` is (width, height) in pixels."""
        self.size = size
        self._backdrop = Backdrop()
        self._props = Props()
        albedo, slope = stone_tiles(FLOOR_TEXELS, 7)
        self._floor, self._slope = Texture.of(albedo), Texture.of(slope)

    def frame(self, number: int) -> FloatArray:
        """Return ``(height, width, 3)`` radiance of one frame, counted from 0; deterministic."""
        width, height = self.size
        bands = [(top, min(top + BAND_ROWS, height)) for top in range(0, height, BAND_ROWS)]
        with ThreadPoolExecutor(2) as pool:
            rows = pool.map(lambda band: self._band(number, band), bands)
            picture = np.concatenate(list(rows))
        return _glare(picture)

    def _band(self, number: int, rows: tuple[int, int]) -> FloatArray:
        """Return ``(rows, width, 3)``: the mean over the rays of each pixel, distributed over the shutter time."""
        total = np.zeros((3, (rows[1] - rows[0]) * self.size[0]), np.float32)
        for index, part in enumerate(PARTS):
            time = number + SHUTTER * ((index + 0.5) / len(PARTS) - 0.5)
            view = _View(self._props.solids(time), self._props.neighbors(time))
            origin, direction = self._rays(time, rows, part)
            total += self._seen(view, origin, direction)
        mean = (total / np.float32(len(PARTS))).T.reshape(rows[1] - rows[0], self.size[0], 3)
        return np.asarray(mean, np.float32)

    def _rays(self, time: float, rows: tuple[int, int], part: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
        """``(3, 1)`` camera position and ``(3, N)`` directions through one part of each pixel."""
        width, height = self.size
        down, right = part
        x = (np.arange(width, dtype=np.float32) + np.float32(right - width / 2)) / np.float32(width)
        y = (np.arange(*rows, dtype=np.float32) + np.float32(down - height / 2)) / np.float32(width)
        late = (time - CROSSING) / FRAMES
        pan, tilt = math.radians(0.5 - 2.6 * late), math.radians(-3.2 + 0.5 * late)
        across, up = np.broadcast_to(x, (y.size, width)).ravel(), np.repeat(-y, width)
        ahead = np.full_like(across, FOCAL)
        level, depth = up * math.cos(tilt) + ahead * math.sin(tilt), ahead * math.cos(tilt) - up * math.sin(tilt)
        turned = np.stack(
            [across * math.cos(pan) + depth * math.sin(pan), level, depth * math.cos(pan) - across * math.sin(pan)]
        )
        position = color(0.13 * late, CAMERA_HEIGHT + 0.012 * late, 0.10 * late)
        return position, unit(np.asarray(turned, np.float32))

    def _seen(self, view: _View, origin: FloatArray, direction: FloatArray, mirrors: int = 1) -> FloatArray:
        """``(3, N)`` radiance along rays from ``(3, N)`` or ``(3, 1)``."""
        distance, which = nearest(view.solids, origin, direction)
        down = np.minimum(direction[1], -1e-6)
        floor = -origin[1] / down
        reached = origin[2] + floor * direction[2]
        on_floor = (direction[1] < 0) & (floor < distance) & (reached < FLOOR_END_M)
        distance, which = np.where(on_floor, floor, distance), np.where(on_floor, len(view.solids), which)
        radiance = np.empty(direction.shape, np.float32)
        for index in np.unique(which):
            mine = np.flatnonzero(which == index)
            rays = direction[:, mine]
            if index < 0:
                radiance[:, mine] = self._backdrop(rays)
                continue
            start = np.broadcast_to(origin, direction.shape)[:, mine]
            hit = _Hit(start + distance[mine] * rays, rays, distance[mine])
            if index == len(view.solids):
                radiance[:, mine] = self._lit(view, hit, *self._floor_look(hit))
            else:
                radiance[:, mine] = self._solid(view, hit, int(index), mirrors)
        return radiance

    def _solid(self, view: _View, hit: _Hit, index: int, mirrors: int) -> FloatArray:
        normal, surface = view.solids[index].look(hit.point)
        if surface.gloss < 1 or not mirrors:
            return self._lit(view, hit, normal, surface, index)
        mirrored = hit.direction - 2 * dot(hit.direction, normal) * normal
        return surface.albedo * self._seen(view, hit.point, unit(mirrored), mirrors - 1)

    def _floor_look(self, hit: _Hit) -> tuple[FloatArray, Surface]:
        u, v = hit.point[0] / np.float32(FLOOR_REPEAT_M), hit.point[2] / np.float32(FLOOR_REPEAT_M)
        steep = np.maximum(-hit.direction[1], 0.02)
        footprint = hit.distance / np.float32(FOCAL * self.size[0] * PARTS_ACROSS) / np.sqrt(steep)
        blur = np.log2(np.maximum(footprint * np.float32(FLOOR_TEXELS / FLOOR_REPEAT_M), 1))
        slope = self._slope.sample(u, v, blur) * 1.5
        normal = unit(np.stack([-slope[0], np.ones_like(slope[0]), -slope[1]]))
        return normal, Surface(self._floor.sample(u, v, blur), gloss=0.05, polish=18)

    def _lit(self, view: _View, hit: _Hit, normal: FloatArray, surface: Surface, own: int = -1) -> FloatArray:
        """``(3, N)`` radiance of shaded points: sun with its shadow, ambient light, highlights."""
        facing = np.maximum(dot(normal, SUN), 0)
        lit = np.flatnonzero(facing)
        sun = np.zeros_like(facing)
        if lit.size:
            start = hit.point[:, lit] + 2e-3 * normal[:, lit]
            blocked = nearest(view.solids, start, np.broadcast_to(SUN, start.shape))[1] >= 0
            sun[lit] = np.where(blocked, 0, facing[lit])
        opened = np.ones_like(facing)
        if own < 0:
            for center, radius in view.neighbors:
                opened *= 1 - occlusion(center, radius, hit.point, normal)
        else:
            opened *= np.clip(0.35 + hit.point[1] * 4, 0.35, 1)
        upward, toward = 0.5 + 0.5 * normal[1], np.maximum(0.35 + normal[2], 0)
        around = (BOUNCE + upward * (SKYLIGHT - BOUNCE) + 0.5 * upward * toward * BACKLIGHT) * opened
        fresnel = surface.gloss + (1 - surface.gloss) * (1 - np.clip(-dot(normal, hit.direction), 0, 1)) ** 5
        half = unit(SUN - hit.direction)
        spark = np.maximum(dot(normal, half), 0) ** np.float32(surface.polish) * (surface.polish + 8) / 25
        sheen = 0.30 * fresnel * opened * (around + 0.35 * BACKLIGHT * np.maximum(hit.direction[2], 0))
        diffuse = surface.albedo * (around + SUNLIGHT * sun / np.float32(math.pi))
        return np.asarray(diffuse + sheen + fresnel * spark * sun * SUNLIGHT, np.float32)


@dataclass(frozen=True)
class _View:
    """All solids at one time."""

    solids: tuple[Solid, ...]
    neighbors: tuple[tuple[tuple[float, float, float], float], ...]


@dataclass(frozen=True)
class _Hit:
    """Intersections of rays with a surface."""

    point: FloatArray
    direction: FloatArray
    distance: FloatArray


def _glare(picture: FloatArray) -> FloatArray:
    """Add the glare of a lens around bright areas."""
    width = picture.shape[1]
    narrow = cv2.GaussianBlur(picture, (0, 0), width / 160)
    wide = cv2.GaussianBlur(cv2.GaussianBlur(np.minimum(picture, 60), (0, 0), width / 40), (0, 0), width / 16)
    return np.asarray(0.985 * picture + 0.007 * narrow + 0.008 * wide, np.float32)
