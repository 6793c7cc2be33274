"""Synthetic plates of alternating exposures whose exposures, cuts and gaps are known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.frame import Encoding, PlateImage, require_frames
from f2hdr_backend.shot.frames import FrameRange

Picture = NDArray[np.float32]
SIZE = (160, 90)


@dataclass(frozen=True)
class Scene:
    """A textured plane of wide dynamic range with lamps; the camera pans over it and an object crosses.

    ``pan`` and ``object_speed`` are in pixels a frame; ``object_share`` is the object's width in frame widths.
    """

    seed: int = 0
    pan: tuple[float, float] = (1.5, 0.4)
    object_speed: float = 3.0
    object_share: float = 0.25

    def radiance(self, frame: int) -> Picture:
        """``(90, 160, 3)`` linear light; about the brightest hundredth is above 1."""
        width, height = SIZE
        offset = np.array([[1, 0, width + self.pan[0] * frame], [0, 1, height + self.pan[1] * frame]], np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(_plane(self.seed), offset, SIZE, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        across = round(width * self.object_share)
        left = round(self.object_speed * frame) % (width - across)
        seen[height // 3 : height - height // 4, left : left + across] = _cloth(self.seed)[: height // 2 - 7, :across]
        return np.asarray(seen, np.float32)


_planes: dict[tuple[str, int], Picture] = {}


def _plane(seed: int) -> Picture:
    if ("plane", seed) not in _planes:
        width, height = SIZE
        logs = _texture(np.random.default_rng(seed), (4 * width, 4 * height), (4, 9, 20, 60, 160))
        light = np.exp2(1.9 * logs)
        for x, y in np.random.default_rng(seed + 1).integers(0, 4 * height, (16, 2)):
            cv2.circle(light, (int(x * width / height), int(y)), 4, (150.0, 140.0, 120.0), -1)
        _planes["plane", seed] = light / np.percentile(light.mean(axis=2), 99).astype(np.float32)
    return _planes["plane", seed]


def _cloth(seed: int) -> Picture:
    if ("cloth", seed) not in _planes:
        logs = _texture(np.random.default_rng(seed + 2), SIZE, (6, 16, 50))
        _planes["cloth", seed] = np.exp2(logs * 0.8 - 3.5) * np.array([1, 0.8, 0.6], np.float32)
    return _planes["cloth", seed]


def _texture(rng: np.random.Generator, size: tuple[int, int], cells: Iterable[int]) -> Picture:
    total = np.zeros((size[1], size[0], 3), np.float32)
    for index, count in enumerate(cells):
        grid = rng.standard_normal((max(2, count * size[1] // size[0]), count, 3)).astype(np.float32)
        grid = 1.4 * grid.mean(axis=2, keepdims=True) + 0.2 * grid
        total += 0.75**index * cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC)
    return (total - total.mean()) / total.std()


def shoot(radiance: Picture, ev: float, noise: float, rng: np.random.Generator, bits: int = 10) -> Picture:
    """Codes of one exposure: clipped at 1, with read noise (in linear light) and photon noise, to the power 1/2.2."""
    light = np.minimum(radiance * np.float32(2.0**ev), 2)
    deviation = np.sqrt(noise**2 + noise * 0.3 * light)
    light = light + deviation * rng.standard_normal(light.shape, np.float32)
    codes = np.clip(light, 0, 1) ** np.float32(1 / 2.2)
    return np.asarray(np.rint(codes * (2**bits - 1)) / (2**bits - 1), np.float32)


@dataclass
class MemoryPlate:
    """Pictures by frame number, held in memory."""

    pictures: dict[int, Picture]
    default_encoding: Encoding = "gamma22"
    metadata: dict[int, float] | None = None
    name: str = "memory.####.tif"
    reads: list[int] = field(default_factory=list)

    @property
    def frames(self) -> FrameRange:
        return FrameRange(tuple(self.pictures))

    @property
    def missing(self) -> tuple[int, ...]:
        return tuple(sorted(set(range(self.frames.first, self.frames.last)) - set(self.pictures)))

    @property
    def size(self) -> tuple[int, int]:
        height, width, _ = self.pictures[self.frames.first].shape
        return width, height

    def require(self, frames: Iterable[int]) -> None:
        require_frames(self.name, self.frames, frames)

    def read(self, number: int) -> PlateImage:
        self.reads.append(number)
        return PlateImage(number, self.name, self.pictures[number].copy(), "integer")

    def identity(self, number: int) -> str:
        return str(number)

    def exposure_metadata(self) -> dict[int, float] | None:
        return self.metadata

    def close(self) -> None:
        pass


def plate_of(
    scene: Scene, exposures: Iterable[float], *, first: int = 1, noise: float = 0.0, gain_ev: float = 0.0
) -> MemoryPlate:
    """A plate of one picture an exposure (stops; ``gain_ev`` is added to all), numbered from ``first``."""
    rng = np.random.default_rng(scene.seed)
    pictures = {
        first + index: shoot(scene.radiance(index), ev + gain_ev, noise, rng) for index, ev in enumerate(exposures)
    }
    return MemoryPlate(pictures)
