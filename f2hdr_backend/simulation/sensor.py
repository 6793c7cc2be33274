"""Camera model: exposure, photon and read noise, clipping, encoding, quantization."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.shot.errors import ShotError

_FAR_ABOVE_CLIP = np.float32(1000)
"""Signal above which noise has no effect, because it clips in any case."""


@dataclass(frozen=True)
class SensorModel:
    """A sensor and its encoding.

    ``full_well_electrons``: electrons at the clip level; photon noise is the square root of the signal in electrons.
    ``read_noise_electrons`` and ``row_noise_electrons``: standard deviations per sample and per row (and
    channel). ``bits``: bits of the stored code values. ``curve``: "gamma22" (to the power 1/2.2) or "linear".
    """

    full_well_electrons: float = math.inf
    read_noise_electrons: float = 0.0
    bits: int = 10
    row_noise_electrons: float = 0.0
    curve: Literal["gamma22", "linear"] = "gamma22"

    def __post_init__(self) -> None:
        noise = (self.read_noise_electrons, self.row_noise_electrons)
        sound_noise = all(0 <= value < math.inf for value in noise)
        if not (sound_noise and self.full_well_electrons > 0 and 1 <= self.bits <= 16):
            raise ShotError(
                f"{self} is not a valid sensor.",
                hint="Use a full well above 0 electrons, noise of 0 or more and 1 to 16 bits.",
            )

    @classmethod
    def named(cls, level: str) -> SensorModel:
        """Return the sensor of a noise level in NOISE_LEVELS. Raises ShotError for another name."""
        if level not in NOISE_LEVELS:
            raise ShotError(
                f'"{level}" is not a noise level.', hint=f"Choose one of {', '.join(NOISE_LEVELS)}.", value=level
            )
        return NOISE_LEVELS[level]


NOISE_LEVELS = {
    "none": SensorModel(),
    "low": SensorModel(full_well_electrons=30000, read_noise_electrons=4),
    "medium": SensorModel(full_well_electrons=8000, read_noise_electrons=5, row_noise_electrons=0.5),
    "high": SensorModel(full_well_electrons=2000, read_noise_electrons=6, row_noise_electrons=1),
}
"""A large cinema sensor at its base sensitivity, and about two and four stops above it."""


def capture(radiance: FloatArray, gain: float, sensor: SensorModel, rng: np.random.Generator) -> FloatArray:
    """Return the code values of one exposure of a scene.

    ``radiance`` is ``(H, W, 3)`` float32, linear, 0 or more; this exposure clips where ``radiance * gain`` is 1.0,
    so ``gain`` is 2**stops relative to the exposure that clips at radiance 1.0. Returns ``(H, W, 3)``
    float32 code values, 0-1, in steps of ``1 / (2**bits - 1)``.

    In units of the clip level the noise variance is signal / full well + (read noise / full well)**2: the
    Poisson noise of photons, approximately normal above a few electrons, and the normal read noise, drawn as one
    normal number.
    """
    signal = radiance * np.float32(gain)
    if math.isfinite(sensor.full_well_electrons):
        _add_noise(signal, sensor, rng)
    np.clip(signal, 0, 1, out=signal)
    if sensor.curve == "gamma22":
        np.power(signal, np.float32(1 / GAMMA), out=signal)
    steps = np.float32(2**sensor.bits - 1)
    signal *= steps
    np.rint(signal, out=signal)
    signal /= steps
    return signal


def _add_noise(signal: FloatArray, sensor: SensorModel, rng: np.random.Generator) -> None:
    """Add photon, read and row noise in place."""
    full_well = np.float32(sensor.full_well_electrons)
    deviation = np.clip(signal, 0, _FAR_ABOVE_CLIP)
    deviation /= full_well
    deviation += np.float32((sensor.read_noise_electrons / sensor.full_well_electrons) ** 2)
    np.sqrt(deviation, out=deviation)
    deviation *= rng.standard_normal(signal.shape, np.float32)
    signal += deviation
    if sensor.row_noise_electrons:
        rows = rng.standard_normal((signal.shape[0], 1, signal.shape[2]), np.float32)
        signal += rows * np.float32(sensor.row_noise_electrons / sensor.full_well_electrons)
