"""Random scenes: a camera path through a panorama, light sources, and pieces of pictures moving in front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.simulation.panorama import look
from f2hdr_backend.train.motion_paths import Bend, PiecePath
from f2hdr_backend.train.sampling_ranges import Range, SceneStyle
from f2hdr_backend.train.scene_layers import CutOut, Lamp, Layer, PanoramaCamera, defocus, round_light
from f2hdr_backend.train.sources import Source

Random = np.random.Generator
Size = tuple[int, int]

PIECE_PX = 160
BLUR_DISK_PX = (0.7, 3.0)
"""Radii of the disks of layers out of focus."""
WARMTH = np.array((0.35, 0.0, -0.45))
"""Change of a light source's color from white to warm, as natural logarithms."""


def random_layers(sources: Sequence[Source], size: Size, style: SceneStyle, random: Random) -> list[Layer]:
    """A background whose median radiance at the reference frame is 1, and the pieces in front of it, back to front."""
    panoramas = [source for source in sources if source.panorama]
    layers: list[Layer] = [_background(panoramas[int(random.integers(len(panoramas)))], size, style, random)]
    for _ in range(int(random.choice(style.pieces))):
        layers.append(_piece(sources[int(random.integers(len(sources)))], size, style, random))
    return layers


def _background(source: Source, size: Size, style: SceneStyle, random: Random) -> PanoramaCamera:
    hfov = math.radians(random.uniform(40, 100))
    pixel = hfov / size[0]
    speed, heading = pixel * _speed(style.camera_px, random), random.uniform(0, 2 * math.pi)
    still = random.random() < style.still
    turn = (speed * math.cos(heading), speed * math.sin(heading), random.normal(0, 0.01))
    swing = random.uniform(0, 6) * pixel if random.random() < style.shaken else 0.0
    bare = PanoramaCamera(
        source,
        size,
        angles=(random.uniform(-math.pi, math.pi), random.normal(0, 0.35), random.normal(0, 0.1)),
        turn=(0.0, 0.0, 0.0) if still else turn,
        hfov=hfov,
        zoom=0.0 if still else float(random.normal(0, 0.01)),
        shake=(0.0, 0.0, 0.0) if still else (swing, swing * random.uniform(0.3, 1), swing * 0.2),
        phase=random.uniform(0, 2 * math.pi),
    )
    level = max(float(np.median(bare.picture(0.0)[0])), 1e-6)
    lamps = _lamps(bare, random) if random.random() < style.lit else ()
    return replace(bare, gain=1 / level, lamps=lamps, defocus_px=_defocus(style, random))


def _lamps(camera: PanoramaCamera, random: Random) -> tuple[Lamp, ...]:
    """One to eight light sources in the reference frame, ten to some thousand times as bright as the background."""
    longitude, latitude = camera.direction(0.0)
    places = [(random.integers(camera.size[1]), random.integers(camera.size[0])) for _ in range(random.integers(1, 9))]
    return tuple(
        Lamp(float(longitude[place]), float(latitude[place]), _radius(random), _color(10, 3000, random))
        for place in places
    )


def _piece(source: Source, size: Size, style: SceneStyle, random: Random) -> CutOut:
    patchwork = bool(style.patchwork) and random.random() < style.patchwork
    texture = _patches(random) if patchwork else _texture(source, random)
    radiance = texture * np.float32(2 ** random.uniform(-2.5, 2))
    if random.random() < style.lit:
        _add_glints(radiance, random)
    scale = float(random.uniform(*style.piece_scale)) * size[0] / PIECE_PX
    radius = _defocus(style, random) / scale
    return CutOut(
        defocus(np.dstack((radiance, silhouette(PIECE_PX, random))), radius),
        size,
        _path(size, scale, style, random),
        _bend(random) if random.random() < style.bent else Bend(),
    )


def _path(size: Size, scale: float, style: SceneStyle, random: Random) -> PiecePath:
    speed, heading = _speed(style.piece_px, random), random.uniform(0, 2 * math.pi)
    turned, bow = heading + random.normal(0, 0.5), 0.3 * speed * random.normal()
    passed = random.random() < style.planes
    slow = min(1.0, style.piece_px[1] / 20)
    return PiecePath(
        center=(random.uniform(0, size[0]), random.uniform(0, size[1])),
        velocity=(speed * math.cos(heading), speed * math.sin(heading)),
        acceleration=(bow * math.cos(turned), bow * math.sin(turned)),
        spin=float(random.normal(0, 0.05)) * slow,
        growth=float(random.normal(0, 0.02)) * slow,
        shear=float(random.normal(0, 0.02)) * slow,
        scale=scale,
        camera=(0.0, 0.0, float(random.normal(0, 0.04)) * slow) if passed else (0.0, 0.0, 0.0),
        normal=(float(random.normal(0, 1)), float(random.normal(0, 1)), 1.0),
    )


def _bend(random: Random) -> Bend:
    wavelength = float(random.uniform(60, 200))
    return Bend(
        amplitude_px=float(random.uniform(0.01, 0.06)) * wavelength,
        wavelength_px=wavelength,
        heading=random.uniform(0, 2 * math.pi),
        phase=random.uniform(0, 2 * math.pi),
        rate=float(random.normal(0, 0.4)),
    )


def _speed(limits: Range, random: Random) -> float:
    """Pixels a frame: half of them in the lowest eighth of the range, a fifth in its upper half."""
    slowest, fastest = limits
    return float(slowest + (fastest - slowest) * random.uniform(0, 1) ** 3)


def _defocus(style: SceneStyle, random: Random) -> float:
    return float(random.uniform(*BLUR_DISK_PX)) if random.random() < style.defocused else 0.0


def _radius(random: Random) -> float:
    return float(np.exp(random.uniform(math.log(0.7), math.log(8))))


def _color(faintest: float, brightest: float, random: Random) -> tuple[float, float, float]:
    level = np.exp(random.uniform(math.log(faintest), math.log(brightest)))
    red, green, blue = (float(part) for part in level * np.exp(random.uniform(-0.3, 1) * WARMTH))
    return red, green, blue


def _add_glints(radiance: FloatArray, random: Random) -> None:
    """Paint one to six small highlights onto a piece of median 1, in place."""
    side = radiance.shape[0]
    for _ in range(int(random.integers(1, 7))):
        x, y = random.uniform(0.2 * side, 0.8 * side, 2)
        squares = (np.arange(side) - x) ** 2 + ((np.arange(side) - y) ** 2)[:, None]
        light = round_light(squares, float(random.uniform(0.7, 4)))
        radiance += light[..., None] * np.array(_color(4, 400, random), np.float32)


def _texture(source: Source, random: Random) -> FloatArray:
    """A square crop of a picture, or a view into a panorama, its median brought to 1."""
    if source.panorama:
        view = look(
            source.radiance, random.uniform(-3, 3), random.normal(0, 0.4), 0.0, math.radians(70), (PIECE_PX, PIECE_PX)
        )
    else:
        height, width = source.radiance.shape[:2]
        top, left = random.integers(height - PIECE_PX + 1), random.integers(width - PIECE_PX + 1)
        view = source.radiance[top : top + PIECE_PX, left : left + PIECE_PX]
    return np.ascontiguousarray(view / max(float(np.median(view)), 1e-4), np.float32)


def _patches(random: Random) -> FloatArray:
    """Rectangles of random saturated colors, up to 5 stops apart, their median brought to 1."""
    count = int(random.integers(2, 13))
    colors = random.uniform(0.005, 1, (count, count, 3)) ** 2 * 2 ** random.uniform(-5, 0, (count, count, 1))
    picture = cv2.resize(colors, (PIECE_PX, PIECE_PX), interpolation=cv2.INTER_NEAREST)
    return np.asarray(picture / np.median(picture), np.float32)


def silhouette(side: int, random: Random) -> FloatArray:
    """``(side, side)`` coverage of a soft-edged random shape that keeps clear of the border."""
    angle = np.linspace(0, 2 * math.pi, 64, endpoint=False)
    radius = np.full(64, 0.3)
    for harmonic in range(1, int(random.integers(2, 8))):
        radius += 0.12 / harmonic * random.normal() * np.cos(harmonic * angle + random.uniform(0, 2 * math.pi))
    radius = np.clip(radius, 0.08, 0.45) * side
    stretch = random.uniform(0.4, 1)
    points = np.stack((radius * np.cos(angle), stretch * radius * np.sin(angle)), -1) + side / 2
    shape = np.zeros((side, side), np.float32)
    cv2.fillPoly(shape, [np.round(points * 8).astype(np.int32)], 1.0, cv2.LINE_AA, 3)
    return np.asarray(cv2.GaussianBlur(shape, (0, 0), float(random.uniform(0.5, 1.5))), np.float32)
