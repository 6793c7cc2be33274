"""From a plate's code values to the network's and back to light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.shot.errors import ColorError

ENCODINGS = ("gamma22", "linear")


@dataclass(frozen=True)
class Response:
    """How a plate's values stand for light: their coding, and the linear value at which each channel clips.

    The network sees light relative to the clip, so that each channel fills its range. What it gives is multiplied by
    the clip again: white balance and scale stay the plate's, also where the clip is known badly.
    """

    encoding: str
    """``gamma22`` or ``linear``."""
    clip_level: tuple[float, ...] = (1.0,)
    """Linear value of the clip: one, or one per channel."""

    def __post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            raise ColorError(
                f"There is no input space {self.encoding!r}.",
                hint=f"Use {' or '.join(ENCODINGS)}.",
                space=self.encoding,
            )

    def to_network(self, pixels: NDArray[Any]) -> FloatArray:
        """``(H, W, 3)`` plate values to the network's codes: light over the clip level, to 0-1, to the power 1/2.2."""
        clip = np.asarray(self.clip_level, np.float32)
        if self.encoding == "gamma22":
            codes = pixels.astype(np.float32) / clip ** np.float32(1 / GAMMA)
            return np.clip(codes, 0, 1)
        return np.clip(pixels.astype(np.float32) / clip, 0, 1) ** np.float32(1 / GAMMA)

    def to_light(self, radiance: FloatArray) -> FloatArray:
        """``(H, W, 3)`` light relative to the clip, as the network gives it, to the plate's own linear values."""
        return radiance * np.asarray(self.clip_level, np.float32)

    def above_clip(self, pixels: NDArray[Any]) -> int:
        """Number of pixels with a channel above the clip level, whose light would be lost."""
        limit = np.asarray(self.clip_level, np.float32)
        if self.encoding == "gamma22":
            limit = limit ** np.float32(1 / GAMMA)
        return int((pixels > limit * np.float32(1.0001)).any(-1).sum())
