"""Suite ``other``: a second generator whose motion and noise models differ from those of the training data.

Photographs move by homographies; sprites cut from other images move in front of them, uniformly or accelerated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.evaluate.suite import suite
from f2hdr_backend.evaluate.suite.planes import Matrix, Plane, composite, true_flow
from f2hdr_backend.evaluate.suite.suite import CAMERA, CHART, STATIC, Case, cycle
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.train.sources import load_sources
from f2hdr_backend.train.synthesis import SyntheticWindow

Random = np.random.Generator

SEED = 20260301
SIZE = (384, 256)
RATIOS_EV = (2.0, 3.0, 4.0)
MARGIN = 1.35
"""Size of the background image in frames; the margin is for its motion."""
CLIPPED_PERCENT = (0.3, 5.0)
"""Range of the percentage of pixels that clip in the short exposure."""
PATCH_PX = 24
"""Side of the chart's patches in pixels."""


@dataclass(frozen=True)
class Scene:
    """Parameters of a kind of scene and its recording."""

    corner_px: tuple[float, float] = (1.0, 6.0)
    """Range of the motion of the background's corners, in pixels per frame."""
    sprites: int = 0
    sprite_px: tuple[float, float] = (0.0, 0.0)
    """Range of the speed of the sprites, in pixels per frame."""
    acceleration: float = 0.0
    """Change of the sprites' speed per frame, as a share of it."""
    electrons: tuple[float, float] = (3000.0, 20000.0)
    """Range of electrons at the clip."""
    read_noise: float = 3.0
    """Standard deviation in electrons."""


SCENES = {
    STATIC: Scene(corner_px=(0.0, 0.0)),
    CAMERA: Scene(corner_px=(2.0, 20.0)),
    "sprites": Scene(sprites=3, sprite_px=(1.0, 10.0)),
    "fast sprites": Scene(sprites=2, sprite_px=(15.0, 60.0)),
    "accelerated": Scene(sprites=3, sprite_px=(4.0, 25.0), acceleration=0.5),
    "noise": Scene(corner_px=(0.0, 4.0), sprites=2, sprite_px=(1.0, 12.0), electrons=(300.0, 1200.0), read_noise=6.0),
    CHART: Scene(corner_px=(1.0, 4.0), electrons=(1500.0, 6000.0)),
}
"""``chart`` shows moving saturated patches in dim light."""


class Suite(suite.Suite):
    """Seven kinds of scene, each at 2, 3 and 4 stops with either reference."""

    size = SIZE
    count = len(SCENES) * len(RATIOS_EV) * 2
    about = f"images that no training used, seed {SEED}"

    def __init__(self, folder: Path) -> None:
        """See :class:`f2hdr_backend.evaluate.suite.suite.Suite`."""
        self._images = [source.radiance for source in load_sources(folder, held_out=True)]

    def case(self, index: int) -> Case:
        """See :class:`f2hdr_backend.evaluate.suite.suite.Suite`."""
        return cycle(index, tuple(SCENES), RATIOS_EV)

    def window(self, case: Case, *, other_phase: bool = False) -> SyntheticWindow:
        """See :class:`f2hdr_backend.evaluate.suite.suite.Suite`."""
        scene, random = SCENES[case.kind], np.random.default_rng((SEED, case.index))
        planes = [_background(scene, self._picture(case, random), random)]
        planes += [_sprite(scene, self._photograph(random, SIZE), random) for _ in range(scene.sprites)]
        composites = [composite(planes, time, SIZE) for time in (-1.0, 0.0, 1.0)]
        clip = np.percentile(composites[1][0].max(-1), 100 - random.uniform(*CLIPPED_PERCENT))
        level = 0.1 if case.kind == CHART else 1.0
        radiance = np.stack([found for found, _ in composites]) * np.float32(level / max(float(clip), 1e-6))
        gain = 2.0**case.ratio_stops
        exposures = np.array([1, gain, 1] if case.long_reference != other_phase else [gain, 1, gain], np.float32)
        electrons = float(np.exp(random.uniform(*np.log(scene.electrons))))
        ldr = [_recorded(one * gain, electrons, scene, random) for one, gain in zip(radiance, exposures, strict=True)]
        pairs = [true_flow(planes, (0.0, time), SIZE) for time in (-1.0, 1.0)]
        return SyntheticWindow(
            radiance,
            np.stack(ldr),
            exposures,
            flows=np.stack([flow for flow, _ in pairs]),
            visible=np.stack([seen for _, seen in pairs]),
            moving=composites[1][1] > 0,
        )

    def _picture(self, case: Case, random: Random) -> FloatArray:
        size = round(SIZE[0] * MARGIN), round(SIZE[1] * MARGIN)
        return _chart(size, random) if case.kind == CHART else self._photograph(random, size)

    def _photograph(self, random: Random, size: tuple[int, int]) -> FloatArray:
        """Return ``(h, w, 3)`` a random crop of an image, normalized to a median of 1."""
        image = self._images[int(random.integers(len(self._images)))]
        height, width = image.shape[:2]
        share = random.uniform(0.35, 0.6)
        high = round(height * share)
        wide = min(round(high * size[0] / size[1]), width)
        top, left = int(random.integers(height - high + 1)), int(random.integers(width - wide + 1))
        part = cv2.resize(image[top : top + high, left : left + wide], size, interpolation=cv2.INTER_AREA)
        return np.asarray(part / max(float(np.median(part)), 1e-6), np.float32)


def _background(scene: Scene, picture: FloatArray, random: Random) -> Plane:
    """An image that covers the frame and moves by a homography: each corner uniformly, in a direction of its own."""
    height, width = picture.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    start = corners - np.array([(width - SIZE[0]) / 2, (height - SIZE[1]) / 2], np.float32)
    speed, angle = random.uniform(*scene.corner_px), random.uniform(0, 2 * np.pi)
    common = np.array((np.cos(angle), np.sin(angle))) * speed
    steps = np.asarray(common + random.normal(0, 0.2, (4, 2)) * speed, np.float32)
    return Plane(
        picture,
        np.ones(picture.shape[:2], np.float32),
        lambda time: np.asarray(cv2.getPerspectiveTransform(corners, start + steps * np.float32(time)), np.float64),
    )


def _sprite(scene: Scene, picture: FloatArray, random: Random) -> Plane:
    """A piece of an image with a soft, irregular outline, that moves and rotates."""
    side = int(random.uniform(0.2, 0.45) * SIZE[1])
    piece = np.ascontiguousarray(picture[:side, :side]) * np.float32(np.exp(random.normal(0, 0.7)))
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radii = side * (0.36 + 0.09 * np.sin(angles * int(random.integers(2, 6)) + random.uniform(0, 6)))
    outline = np.stack((side / 2 + radii * np.cos(angles), side / 2 + radii * np.sin(angles)), -1)
    alpha = np.zeros((side, side), np.uint8)
    cv2.fillPoly(alpha, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    speed, angle = random.uniform(*scene.sprite_px), random.uniform(0, 2 * np.pi)
    step = np.array((np.cos(angle), np.sin(angle))) * speed
    center = np.array((random.uniform(0.25, 0.75) * SIZE[0], random.uniform(0.25, 0.75) * SIZE[1]))
    turn = random.normal(0, 0.03)
    soft = np.asarray(cv2.GaussianBlur(alpha.astype(np.float32) / 255, (0, 0), 0.8), np.float32)
    return Plane(piece, soft, _moving(center, step, scene.acceleration, turn, side))


def _moving(
    center: NDArray[np.float64], step: NDArray[np.float64], acceleration: float, turn: float, side: int
) -> Callable[[float], Matrix]:
    def place(time: float) -> Matrix:
        x, y = center + step * (time + acceleration * time * abs(time) / 2 + acceleration * time**2 / 2)
        cosine, sine = np.cos(turn * time), np.sin(turn * time)
        half = side / 2
        return np.array(
            [
                (cosine, -sine, x - cosine * half + sine * half),
                (sine, cosine, y - sine * half - cosine * half),
                (0, 0, 1),
            ]
        )

    return place


def _chart(size: tuple[int, int], random: Random) -> FloatArray:
    """Return ``(h, w, 3)`` patches of saturated colors with a fine texture."""
    columns, rows = -(-size[0] // PATCH_PX), -(-size[1] // PATCH_PX)
    hues = random.uniform(0, 360, (rows, columns))
    colors = np.dstack((hues, random.uniform(0.8, 0.98, hues.shape), random.uniform(0.1, 1, hues.shape)))
    patches = cv2.cvtColor(colors.astype(np.float32), cv2.COLOR_HSV2RGB) ** 2
    large = np.kron(patches, np.ones((PATCH_PX, PATCH_PX, 1), np.float32))[: size[1], : size[0]]
    texture = cv2.GaussianBlur(random.normal(0, 1, (size[1], size[0])), (0, 0), 1.5)
    return np.asarray(large * (1 + 0.3 * texture[..., None]) + 1e-3, np.float32)


def _recorded(signal: FloatArray, electrons: float, scene: Scene, random: Random) -> FloatArray:
    """Return ``(H, W, 3)`` gamma-2.2 codes with shot noise, read noise, column noise and a demosaicing blur.

    ``signal`` is ``(H, W, 3)`` in clips of the exposure.
    """
    counts = random.poisson(np.clip(signal, 0, 4) * electrons) + random.normal(0, scene.read_noise, signal.shape)
    counts += random.normal(0, 0.3 * scene.read_noise, (1, signal.shape[1], 1))
    noise = counts / electrons - np.clip(signal, 0, 4)
    spread = cv2.GaussianBlur(noise, (3, 3), 0.6)
    codes = np.clip(np.clip(signal, 0, 4) + spread, 0, 1) ** (1 / GAMMA)
    return np.asarray(np.rint(codes * 1023) / 1023, np.float32)
