"""Applies an OpenColorIO conversion in bands on several threads, and determines its primaries."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import PyOpenColorIO as ocio
from numpy.typing import NDArray

from f2hdr_backend.color.primaries import Matrix
from f2hdr_backend.image.arrays import FloatArray

_ROUNDING = 1e-4
_BAND_ROWS = 32
"""Rows of a band; at HD width a band fits a core's L2 cache."""
_PROBES = np.array(
    [[0.2, 0.5, 0.8], [0.9, 0.3, 0.6], [0.45, 0.7, 0.25], [0.6, 0.15, 0.4], [0.35, 0.85, 0.55]], np.float32
)
"""Code values within any space's range, to test whether a space processes its channels separately."""


@dataclass(frozen=True)
class Transform:
    """A conversion of RGB; ``digest`` identifies it."""

    digest: str
    processor: Any
    """OCIO's CPUProcessor."""
    files: tuple[str, ...] = ()
    """Lookup tables that the conversion uses."""
    for_devices: Any = None
    """OCIO's Processor, from which the shader of a GPU is made."""

    def apply(self, pixels: NDArray[Any]) -> FloatArray:
        """Convert ``(H, W, 3)`` of any memory order; return a new float32 array. Nothing is clipped."""
        height, width = pixels.shape[:2]
        converted = np.empty((height, width, 3), np.float32)

        def convert(top: int) -> None:
            band = converted[top : top + _BAND_ROWS]
            band[...] = pixels[top : top + _BAND_ROWS]
            self.processor.apply(ocio.PackedImageDesc(band, width, len(band), 3))

        with ThreadPoolExecutor(_threads()) as pool:
            for _ in pool.map(convert, range(0, height, _BAND_ROWS)):
                pass
        return converted

    def matrix(self) -> Matrix | None:
        """Return the ``(3, 3)`` matrix that RGB is multiplied by; None if the conversion is more than a matrix."""
        steps = self.for_devices.getOptimizedProcessor(ocio.OPTIMIZATION_DEFAULT).createGroupTransform()
        if len(steps) == 0:
            return np.eye(3)
        step = steps[0]
        if len(steps) > 1 or not isinstance(step, ocio.MatrixTransform) or any(step.getOffset()):
            return None
        matrix = np.array(step.getMatrix(), np.float64).reshape(4, 4)[:3, :3]
        inverse = step.getDirection() == ocio.TRANSFORM_DIR_INVERSE
        return np.asarray(np.linalg.inv(matrix) if inverse else matrix, np.float64)

    def colors(self, rgb: NDArray[Any]) -> Matrix:
        """Convert ``(N, 3)`` colors; return float64."""
        return self.apply(rgb[None])[0].astype(np.float64)


@dataclass(frozen=True)
class Linear:
    """A space as linear values in its own primaries.

    ``decode`` converts its code values to linear (None: they are linear already); ``matrix`` ``(3, 3)`` converts these
    to the config's hub. ``own`` is False if the space cannot be separated into curves and primaries; ``decode`` then
    leads to the hub.
    """

    decode: Transform | None
    matrix: Matrix
    own: bool = True


def primaries_of(to_hub: Transform) -> Matrix | None:
    """Return the ``(3, 3)`` matrix of a space that is one curve on all channels followed by a matrix, or None.

    The hub values of full red, green and blue are the columns of the matrix up to one factor, the value of full white.
    A space that processes its channels together, for example with a 3D table, gives different results for other colors.
    """
    black, white = to_hub.colors(np.array([[0, 0, 0], [1, 1, 1]], np.float32))
    columns = to_hub.colors(np.eye(3, dtype=np.float32)) - black
    scale = float((white - black).mean())
    matrix = np.asarray(columns.T / scale) if scale > 0 else np.zeros((3, 3))
    if abs(np.linalg.det(matrix)) < 1e-6:
        return None
    back = np.linalg.inv(matrix)
    mixed = to_hub.colors(_PROBES) @ back.T
    for channel in range(3):
        gray = to_hub.colors(np.repeat(_PROBES[:, channel, None], 3, axis=1)) @ back.T
        if not np.allclose(gray[:, channel], mixed[:, channel], rtol=1e-3, atol=1e-4):
            return None
    return matrix


def light_of_white(to_hub: Transform) -> float:
    """Return the light in the hub of full white of a linear space: 1, unless the space has a gain of its own."""
    black, white = to_hub.colors(np.array([[0, 0, 0], [1, 1, 1]], np.float32))
    gain = float((white - black).mean())
    return gain if abs(gain - 1) > _ROUNDING and gain > 0 else 1.0


def matrix_step(matrix: NDArray[Any]) -> ocio.MatrixTransform:
    """Return the OCIO step that multiplies RGB by a ``(3, 3)`` matrix."""
    whole = np.eye(4)
    whole[:3, :3] = matrix
    return ocio.MatrixTransform(whole.ravel().tolist())


def table_step(curves: NDArray[Any]) -> ocio.Lut1DTransform:
    """Return the OCIO step of one curve per channel, ``(N, 3)`` output values at evenly spaced inputs from 0 to 1."""
    step = ocio.Lut1DTransform(len(curves), False)
    step.setData(np.ascontiguousarray(curves, np.float32).ravel())
    step.setInterpolation(ocio.INTERP_LINEAR)
    return step


def config_for(config: Any, steps: Sequence[Any]) -> Any:
    """Return OCIO's Config for a conversion with these steps: without its cache if a step has a table of its own.

    The cache distinguishes tables by their length and range alone: the curve of one camera would be used for the next.
    """
    if not any(isinstance(step, ocio.Lut1DTransform) for step in steps):
        return config
    uncached = copy.deepcopy(config)
    uncached.setProcessorCacheFlags(ocio.PROCESSOR_CACHE_OFF)
    return uncached


def power_step(exponent: float) -> ocio.ExponentTransform:
    """Return the OCIO step that raises RGB to a power; negative values are mirrored."""
    step = ocio.ExponentTransform([exponent, exponent, exponent, 1.0])
    step.setNegativeStyle(ocio.NEGATIVE_MIRROR)
    return step


def _threads() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
