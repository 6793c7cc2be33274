"""A plate seen as linear light: decoded, where it clips, and whether it is light at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.color.conversion import Transform
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.frame import Encoding, Plate, PlateImage

Samples = NDArray[np.float32]
"""``(N, 3)`` pixels of one frame."""

SAMPLED_PAIRS = 5
"""Places of a plate where two successive frames, one of each exposure, are looked at."""
SAMPLED_ROWS = 270
FULL_SCALE = 1.0
PLATEAU = 0.03
"""Share of the clip that noise spreads clipped pixels over, to either side."""
PLATEAU_SHARE = 0.001
PLATEAU_CONTRAST = 4.0
"""A clip holds so many times the pixels that the same span of light just below it holds, and all light above it."""
TAILS = (0.0, 0.0001, 0.001, 0.01, 0.03, 0.1, 0.3)
"""Shares of the pixels that may lie above a clip: hot pixels and the overshoot of sharpening."""
LEVEL_AGREEMENT = 0.02
LIFTED_BLACK = 0.03
"""No plate of light has its darkest thousandth above this in both exposures; camera logs put black at 0.07 to 0.15."""


class LightPlate:
    """A Plate whose pixels are decoded to linear light as they are read (see Plate for what each member promises)."""

    default_encoding: Encoding = "linear"

    def __init__(self, plate: Plate, decode: Transform) -> None:
        self._plate = plate
        self._decode = decode
        self.name = plate.name
        self.frames = plate.frames
        self.missing = plate.missing
        self.size = plate.size

    def require(self, frames: Iterable[int]) -> None:
        """Raise MissingFrames unless every one of ``frames`` is there."""
        self._plate.require(frames)

    def read(self, number: int) -> PlateImage:
        """Return one frame as light. Raises MissingFrames or UnreadableFrame."""
        image = self._plate.read(number)
        return replace(image, pixels=self._decode.apply(image.pixels))

    def identity(self, number: int) -> str:
        """Return a text that changes when the frame's file does."""
        return self._plate.identity(number)

    def exposure_metadata(self) -> dict[int, float] | None:
        """Return each frame's exposure in stops as its file tells it."""
        return self._plate.exposure_metadata()

    def close(self) -> None:
        """Close the plate."""
        self._plate.close()


@dataclass(frozen=True)
class Clip:
    """Where a plate clips: the linear value, one or one per channel, and whether it was seen to clip there."""

    level: tuple[float, ...]
    seen: bool


def sample(plate: Plate) -> list[Samples]:
    """Return every n-th pixel of some frames, in pairs of neighbors so that both exposures are among them."""
    there = list(plate.frames)
    places = np.linspace(0, max(len(there) - 2, 0), SAMPLED_PAIRS).round().astype(int)
    numbers = sorted({there[index] for place in places for index in (place, place + 1) if index < len(there)})
    return [_thinned(plate.read(number).pixels) for number in numbers]


def find_clip(frames: Sequence[Samples]) -> Clip:
    """Find the linear value at which a plate clips, from samples of its frames.

    A channel clips where its brightest pixels pile up at one value. If all three do, each has its own level; if some
    do, theirs holds for all. If none does, nothing is known but that the clip lies above what was seen: the level is
    then the brightest value, or full scale if that is higher.
    """
    pixels = np.concatenate(list(frames))
    levels = [_plateau(np.sort(pixels[:, channel])) for channel in range(3)]
    seen = [level for level in levels if level > 0]
    if not seen:
        return Clip((_rounded(max(float(pixels.max()), FULL_SCALE)),), False)
    if len(seen) == 3 and max(seen) > min(seen) * (1 + LEVEL_AGREEMENT):
        return Clip(tuple(_rounded(level) for level in levels), True)
    return Clip((_rounded(max(seen)),), True)


def looks_log(frames: Sequence[Samples]) -> bool:
    """Say whether a plate that is said to be light is more likely camera log: all within 0-1, and no black anywhere."""
    darkest = min(float(np.quantile(samples.min(axis=1), 0.001)) for samples in frames)
    brightest = max(float(samples.max()) for samples in frames)
    return darkest > LIFTED_BLACK and brightest <= FULL_SCALE + PLATEAU


def _plateau(values: NDArray[np.float32]) -> float:
    """The value that the brightest of ``(N,)`` ascending values pile up at, 0 if they do not."""
    for tail in TAILS:
        level = float(values[-1 - int(tail * values.size)])
        edges = level * np.array([(1 - PLATEAU) ** 2, 1 - PLATEAU, 1 + PLATEAU])
        below, within, above = np.diff([*np.searchsorted(values, edges), values.size])
        piled = within >= max(PLATEAU_SHARE * values.size, 3) and within > PLATEAU_CONTRAST * max(below, above)
        if level > 0 and piled:
            return float(values[values.size - above - 1])
    return 0.0


def _thinned(pixels: FloatArray) -> Samples:
    every = max(1, pixels.shape[0] // SAMPLED_ROWS)
    return np.ascontiguousarray(pixels[::every, ::every]).reshape(-1, 3)


def _rounded(level: float) -> float:
    """The level as a document writes it; what differs from full scale by rounding alone is full scale."""
    return FULL_SCALE if abs(level - FULL_SCALE) < 1e-4 else float(f"{level:.6g}")
