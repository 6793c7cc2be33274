"""Cameras: noise, clip, black level, response, curve, quantization and compression."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.simulation.sensor import SensorModel, capture
from f2hdr_backend.train.sampling_ranges import CameraStyle

Random = np.random.Generator

LOG_RANGE = 200.0
"""Ratio of the log curve's clip to the radiance of its black step."""
CONVERTER_BITS = 16


def _srgb(light: FloatArray) -> FloatArray:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light.clip(1e-9) ** (1 / 2.4) - 0.055)


def _srgb_light(codes: FloatArray) -> FloatArray:
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


CURVES: dict[str, tuple[Callable[[FloatArray], FloatArray], Callable[[FloatArray], FloatArray]]] = {
    "gamma22": (lambda light: light ** (1 / GAMMA), lambda codes: codes**GAMMA),
    "srgb": (_srgb, _srgb_light),
    "log": (
        lambda light: np.log1p(LOG_RANGE * light) / math.log1p(LOG_RANGE),
        lambda codes: np.expm1(codes * math.log1p(LOG_RANGE)) / LOG_RANGE,
    ),
}
"""Linear light 0-1 to codes 0-1, and back: a plain power, sRGB (IEC 61966-2-1), and a logarithm as cinema cameras."""


@dataclass(frozen=True)
class Camera:
    """A camera and its file format."""

    sensor: SensorModel
    """Noise and converter; linear."""
    curve: str
    """A key of :data:`CURVES`."""
    bits: int
    """Of the stored codes."""
    black: tuple[float, float, float]
    """Residual black level of each channel, in units of the clip."""
    clip: tuple[float, float, float]
    """Clip level of each channel; 1 or less."""
    quality: int | None
    """JPEG quality of the stored frames, if they are compressed."""
    bend: tuple[float, float] | None = None
    """Knee (share of the clip) and strength of the bend before the clip; None for a straight response."""
    clip_level: float = 1.0
    """Factor on the recorded radiance that a misreported clip level causes."""
    exponent: float = 1.0
    """Exponent that a misreported response curve leaves."""
    grain_px: float = 0.0
    """Standard deviation in pixels of the Gaussian filter over the noise; 0 for independent pixels."""

    def record(self, radiance: FloatArray, exposure: float, random: Random) -> FloatArray:
        """Record a frame and decode it to the network's codes.

        Args:
            radiance: ``(h, w, 3)`` linear; 1 is the clip of exposure 1.
            exposure: relative exposure.
            random: of the noise.

        Returns:
            ``(h, w, 3)`` float32 gamma-2.2 codes 0-1.
        """
        if self.bend is not None:
            radiance = _bent(radiance * np.float32(exposure), *self.bend) / np.float32(exposure)
        light = capture(radiance, exposure, self.sensor, random)
        if self.grain_px:
            clean = np.clip(radiance * np.float32(exposure), 0, 1)
            light = clean + cv2.GaussianBlur(light - clean, (0, 0), self.grain_px)
        light = light + np.array(self.black, np.float32)
        if self.exponent != 1.0:
            light = light.clip(0) ** np.float32(self.exponent)
        light = light * np.float32(self.clip_level)
        light = np.clip(light, 0, np.array(self.clip, np.float32))
        encode, decode = CURVES[self.curve]
        steps = np.float32(2**self.bits - 1)
        codes = np.rint(encode(light) * steps) / steps
        if self.quality is not None:
            codes = _compressed(codes, self.quality)
        return np.asarray(decode(codes).clip(0, 1) ** (1 / GAMMA), np.float32)


def random_camera(style: CameraStyle, random: Random) -> Camera:
    """Draw a camera."""
    sensor = SensorModel(
        full_well_electrons=float(np.exp(random.uniform(*np.log(style.full_well)))),
        read_noise_electrons=float(random.uniform(*style.read_noise)),
        bits=CONVERTER_BITS,
        row_noise_electrons=float(random.uniform(*style.row_noise)),
        curve="linear",
    )
    bits = int(random.choice(style.bits))
    uneven = random.random() < style.uneven_clip
    compressed = random.random() < style.compressed and bits == 8
    camera = Camera(
        sensor,
        str(random.choice(style.curves)),
        bits,
        black=_three(random.normal(0, style.black_error, 3)),
        clip=_three(random.uniform(style.lowest_clip, 1, 3) if uneven else np.ones(3)),
        quality=int(random.integers(style.quality[0], style.quality[1] + 1)) if compressed else None,
    )
    if style.bent and random.random() < style.bent:
        camera = replace(camera, bend=(float(random.uniform(*style.knee)), float(random.uniform(*style.bend))))
    if style.misplaced and random.random() < style.misplaced:
        camera = replace(camera, clip_level=float(random.uniform(*style.clip_level)))
    if style.curved and random.random() < style.curved:
        camera = replace(camera, exponent=float(np.exp(random.normal(0, style.exponent_error))))
    if style.demosaiced and random.random() < style.demosaiced:
        camera = replace(camera, grain_px=float(random.uniform(*style.grain_px)))
    return camera


def _bent(light: FloatArray, knee: float, strength: float) -> FloatArray:
    """Radiance (1 is the clip) through a response of slope 1 up to the knee and linearly falling slope above it."""
    above = np.minimum((light - knee) / (1 - knee), 1 / (2 * strength)).clip(0)
    return np.asarray(np.minimum(light, knee) + (1 - knee) * (above - strength * above**2), np.float32)


def _three(values: NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _compressed(codes: FloatArray, quality: int) -> FloatArray:
    """8-bit codes through JPEG and back."""
    _, packed = cv2.imencode(".jpg", np.rint(codes * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.float32) / np.float32(255)
