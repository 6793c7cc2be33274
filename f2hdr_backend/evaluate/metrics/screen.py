"""The display model of visibility metrics: screen size, viewing distance, and the luminance of code values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from f2hdr_backend.shot.errors import ImageError

Encoding = Literal["sRGB-display", "luma-display", "rgb-bt.709", "luminance", "XYZ"]
CHANNELS = {"sRGB-display": 3, "luma-display": 1, "rgb-bt.709": 3, "luminance": 1, "XYZ": 3}
PEAK = 99.0
"""Luminance range of the assumed display, cd/m2, above its black."""
BLACK = 1.0
"""Luminance of the assumed display's black, cd/m2."""
XYZ_TO_BT709 = (
    (3.240708, -1.537259, -0.498570),
    (-0.969257, 1.875995, 0.041555),
    (0.055636, -0.203996, 1.057069),
)


@dataclass(frozen=True)
class Display:
    """A flat screen, viewed frontally, that the frame fills."""

    diagonal_in: float = 28.0
    """Diagonal in inches; 28 in the F2HDR paper, 24 in the DeepHDRVideo evaluation."""
    distance_m: float = 0.55
    """Viewing distance in meters; 0.55 in the F2HDR paper, 0.50 in the DeepHDRVideo evaluation."""

    def pixels_per_degree(self, width: int, height: int) -> float:
        """Pixels per degree of visual angle when ``width`` x ``height`` pixels fill the screen."""
        screen_mm = math.sqrt((25.4 * self.diagonal_in) ** 2 / (1.0 + (width / height) ** 2))
        return height / (2.0 * math.degrees(math.atan(0.5 * screen_mm / (1000.0 * self.distance_m))))


def luminance(code: Tensor, encoding: Encoding) -> Tensor:
    """Return the display luminance of each channel.

    Args:
        code: ``(C, H, W)`` finite values: 0 to 1 (not clipped) for ``sRGB-display`` and ``luma-display``, cd/m2 for
            ``rgb-bt.709``, ``luminance`` and ``XYZ``.
        encoding: encoding of the values; ``luma-display`` and ``luminance`` have one channel, the others three.

    Returns:
        ``(C, H, W)`` in cd/m2, per BT.709 channel or for the one channel.

    Raises:
        ImageError: the number of channels does not match the encoding, or values that are raised to a power are
        negative.
    """
    if code.shape[0] != CHANNELS[encoding]:
        raise ImageError(
            f"The frame has {code.shape[0]} channels and the encoding {encoding} has {CHANNELS[encoding]}.",
            hint="Choose the encoding of the frame.",
        )
    if encoding == "sRGB-display":
        curve = ((code.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4
        return PEAK * torch.where(code <= 0.04045, code / 12.92, curve) + BLACK
    if encoding == "luma-display":
        if bool((code < 0).any()):
            raise ImageError("A luma value is negative.", hint="Clip the frame at 0 first.")
        return PEAK * code**2.2 + BLACK
    if encoding == "XYZ":
        return torch.einsum("ij,jhw->ihw", code.new_tensor(XYZ_TO_BT709), code)
    return code
