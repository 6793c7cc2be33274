"""The effect of writing radiance to a Radiance ``.hdr`` file and reading it again, without a file.

Each pixel is stored as three 8-bit mantissas and one exponent. The official F2HDR writer scales mantissas by 255, but
every reader divides by 256, so its predictions become 0.39 % darker; OpenCV's writer truncates mantissas.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from f2hdr_backend.shot.errors import ImageError

Writer = Literal["official", "opencv", "unbiased"]
READER_SCALE = 256.0


def round_trip(radiance: ArrayLike, writer: Writer) -> NDArray[np.float32]:
    """Return the radiance that a reader gets from a ``.hdr`` file.

    Args:
        radiance: ``(H, W, 3)`` linear; negative values become 0, because a mantissa has no sign.
        writer: ``official`` (scale 255, rounded), ``opencv`` (scale 256, truncated), ``unbiased`` (scale 256, rounded).

    Returns:
        ``(H, W, 3)`` float32; a pixel whose largest value is below 1e-38 is 0.

    Raises:
        ImageError: the frame is not ``(H, W, 3)``.
    """
    if np.ndim(radiance) != 3 or np.shape(radiance)[-1] != 3:
        raise ImageError(
            f"A frame of shape {np.shape(radiance)} cannot be stored in an .hdr file.",
            hint="Give (H, W, 3), or omit round_trip.",
        )
    values = np.maximum(np.asarray(radiance, dtype=np.float64), 0.0)
    brightest = values.max(axis=-1, keepdims=True)
    _, exponent = np.frexp(brightest)
    unit = np.where(brightest > 1e-38, np.ldexp(1.0, exponent), np.inf)
    scaled = values / unit * (255.0 if writer == "official" else READER_SCALE)
    mantissa = np.floor(scaled) if writer == "opencv" else np.minimum(np.rint(scaled), 255.0)
    finite_unit = np.where(np.isinf(unit), 0.0, unit)
    return (mantissa * finite_unit / READER_SCALE).astype(np.float32)
