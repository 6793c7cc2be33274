"""A plate as linear values: decoding, clip level, and detection of camera log."""

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
"""Number of positions in a plate at which two consecutive frames, one of each exposure, are sampled."""
SAMPLED_ROWS = 270
FULL_SCALE = 1.0
PLATEAU = 0.03
"""Share of the clip level by which noise spreads clipped pixels, in both directions."""
PLATEAU_SHARE = 0.001
PLATEAU_CONTRAST = 4.0
"""A clip level must have this many times as many pixels as the equal range just below it, and as the range above it."""
TAILS = (0.0, 0.0001, 0.001, 0.01, 0.03, 0.1, 0.3)
"""Shares of the pixels that may exceed a clip level: hot pixels, and the overshoot of sharpening."""
LEVEL_AGREEMENT = 0.02
LIFTED_BLACK = 0.03
"""Lower limit of the darkest 0.1 % in both exposures for camera log, whose black is at 0.07 to 0.15; linear plates are
darker.
"""


class LightPlate:
    """A plate whose pixels are decoded to linear values when they are read; see the protocol ``Plate``."""

    default_encoding: Encoding = "linear"

    def __init__(self, plate: Plate, decode: Transform) -> None:
        self._plate = plate
        self._decode = decode
        self.name = plate.name
        self.frames = plate.frames
        self.missing = plate.missing
        self.size = plate.size

    def require(self, frames: Iterable[int]) -> None:
        """Raise MissingFrames unless all ``frames`` exist."""
        self._plate.require(frames)

    def read(self, number: int) -> PlateImage:
        """Return one frame as linear values. Raises MissingFrames or UnreadableFrame."""
        image = self._plate.read(number)
        return replace(image, pixels=self._decode.apply(image.pixels))

    def identity(self, number: int) -> str:
        """Return a text that changes when the frame's file does."""
        return self._plate.identity(number)

    def exposure_metadata(self) -> dict[int, float] | None:
        """Return each frame's exposure in stops from the file headers, or None."""
        return self._plate.exposure_metadata()

    def close(self) -> None:
        """Close the plate."""
        self._plate.close()


@dataclass(frozen=True)
class Clip:
    """The clip level of a plate: the linear value, one or one per channel, and whether it was found in the pixels."""

    level: tuple[float, ...]
    seen: bool


def sample(plate: Plate) -> list[Samples]:
    """Return every n-th pixel of some frames, in adjacent pairs so that both exposures are included."""
    there = list(plate.frames)
    places = np.linspace(0, max(len(there) - 2, 0), SAMPLED_PAIRS).round().astype(int)
    numbers = sorted({there[index] for place in places for index in (place, place + 1) if index < len(there)})
    return [_thinned(plate.read(number).pixels) for number in numbers]


def find_clip(frames: Sequence[Samples]) -> Clip:
    """Find the linear value at which a plate clips, from samples of its frames.

    A channel clips where its brightest pixels accumulate at one value. If all three do, each has its own level; if only
    some do, their level is used for all. If none does, the clip level is above all samples: the result is then the
    brightest value, or full scale if that is higher.
    """
    pixels = np.concatenate(list(frames))
    levels = [plateau(np.sort(pixels[:, channel])) for channel in range(3)]
    seen = [level for level in levels if level > 0]
    if not seen:
        return Clip((_rounded(max(float(pixels.max()), FULL_SCALE)),), False)
    if len(seen) == 3 and max(seen) > min(seen) * (1 + LEVEL_AGREEMENT):
        return Clip(tuple(_rounded(level) for level in levels), True)
    return Clip((_rounded(max(seen)),), True)


def looks_log(frames: Sequence[Samples]) -> bool:
    """Return whether a plate given as linear is more likely camera log: all values within 0-1, and no black."""
    darkest = min(float(np.quantile(samples.min(axis=1), 0.001)) for samples in frames)
    brightest = max(float(samples.max()) for samples in frames)
    return darkest > LIFTED_BLACK and brightest <= FULL_SCALE + PLATEAU


def plateau(values: NDArray[np.floating]) -> float:
    """Return the value at which the brightest of ``(N,)`` ascending values accumulate, or 0 if they do not."""
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
    """Round a level for documents; values that differ from full scale only by rounding become full scale."""
    return FULL_SCALE if abs(level - FULL_SCALE) < 1e-4 else float(f"{level:.6g}")
