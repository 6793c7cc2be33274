"""Tone mapping for SDR screens: compresses highlights, keeps shadows and hue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.shot.equations import GAMMA


def tone_map(radiance: NDArray[np.float32], white: float) -> NDArray[np.uint8]:
    """Return ``(H, W, 3)`` 8-bit codes, gamma 2.2.

    The largest channel of a pixel follows Reinhard's curve with a white point (Photographic Tone Reproduction, 2002,
    Eq. 4); the other channels are scaled with it.

    Args:
        radiance: ``(H, W, 3)`` scene-linear; values below 0 become 0.
        white: the radiance that is mapped to the screen's white.
    """
    light = np.maximum(radiance, 0).astype(np.float32)
    peak = light.max(-1, keepdims=True)
    mapped = peak * (1 + peak / np.float32(white) ** 2) / (1 + peak)
    shown = light * np.divide(mapped, peak, out=np.zeros_like(peak), where=peak > 0)
    codes = np.clip(shown, 0, 1) ** np.float32(1 / GAMMA)
    return np.asarray(np.rint(codes * 255), np.uint8)
