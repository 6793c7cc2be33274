"""What a trip through a Radiance ``.hdr`` file does to radiance, without writing one.

Each pixel becomes three 8-bit mantissas and one exponent. The official F2HDR writer scales mantissas by 255 while
every reader divides by 256, so its predictions come back 0.39 % too dark; OpenCV's writer cuts mantissas off.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from f2hdr_backend.shot.errors import ImageError

Writer = Literal["official", "opencv", "unbiased"]
READER_SCALE = 256.0


def round_trip(radiance: ArrayLike, writer: Writer) -> NDArray[np.float32]:
    """The radiance a reader gets back from a ``.hdr`` file.

    Args:
        radiance: ``(H, W, 3)`` linear; negative values become 0, since a mantissa has no sign.
        writer: ``official`` (scale 255, rounded), ``opencv`` (scale 256, cut off), ``unbiased`` (scale 256, rounded).

    Returns:
        ``(H, W, 3)`` float32; a pixel whose largest value is below 1e-38 is 0.

    Raises:
        ImageError: the frame is not ``(H, W, 3)``.
    """
    if np.ndim(radiance) != 3 or np.shape(radiance)[-1] != 3:
        raise ImageError(
            f"A frame of {np.shape(radiance)} does not fit an .hdr file.", hint="Give (H, W, 3), or score in memory."
        )
    values = np.maximum(np.asarray(radiance, dtype=np.float64), 0.0)
    brightest = values.max(axis=-1, keepdims=True)
    _, exponent = np.frexp(brightest)
    unit = np.where(brightest > 1e-38, np.ldexp(1.0, exponent), np.inf)
    scaled = values / unit * (255.0 if writer == "official" else READER_SCALE)
    mantissa = np.floor(scaled) if writer == "opencv" else np.minimum(np.rint(scaled), 255.0)
    finite_unit = np.where(np.isinf(unit), 0.0, unit)
    return (mantissa * finite_unit / READER_SCALE).astype(np.float32)
