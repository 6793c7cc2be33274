"""Conversion between a plate's values, the network's code values and linear values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.shot.errors import ColorError

ENCODINGS = ("gamma22", "linear")
ROUNDING = 1e-3
"""Share by which a color transform may miss the clip level: ICC profiles store primaries in steps of 1/65536."""


@dataclass(frozen=True)
class Response:
    """Encoding of a plate's values, and the linear value at which each channel clips.

    The network receives radiance relative to the clip level, so that each channel uses its full range. Its output is
    multiplied by the clip level: white balance and scale are those of the plate, even if the clip level is inaccurate.
    """

    encoding: str
    """``gamma22`` or ``linear``."""
    clip_level: tuple[float, ...] = (1.0,)
    """Linear value of the clip: one, or one per channel."""

    def __post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            raise ColorError(
                f"The input space {self.encoding!r} is not supported.",
                hint=f"Use {' or '.join(ENCODINGS)}.",
                space=self.encoding,
            )

    def to_network(self, pixels: NDArray[Any]) -> FloatArray:
        """Convert ``(H, W, 3)`` plate values to the network's codes: linear / clip level, clipped to 0-1, to the
        power 1/2.2.
        """
        clip = np.asarray(self.clip_level, np.float32)
        if self.encoding == "gamma22":
            codes = pixels.astype(np.float32) / clip ** np.float32(1 / GAMMA)
            return np.clip(codes, 0, 1)
        return np.clip(pixels.astype(np.float32) / clip, 0, 1) ** np.float32(1 / GAMMA)

    def to_light(self, radiance: FloatArray) -> FloatArray:
        """Convert ``(H, W, 3)`` radiance relative to the clip level, the network's output, to the plate's linear
        values.
        """
        return radiance * np.asarray(self.clip_level, np.float32)

    def above_clip(self, pixels: NDArray[Any]) -> int:
        """Return the number of pixels with a channel above the clip level, which are clipped."""
        limit = np.asarray(self.clip_level, np.float32)
        if self.encoding == "gamma22":
            limit = limit ** np.float32(1 / GAMMA)
        return int((pixels > limit * np.float32(1 + ROUNDING)).any(-1).sum())
