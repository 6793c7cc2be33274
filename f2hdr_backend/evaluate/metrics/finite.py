"""The check of every metric that its input is finite."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from f2hdr_backend.shot.errors import ImageError


def require_finite(values: ArrayLike, role: str) -> None:
    """Raise ImageError if there are NaN or infinite values.

    Args:
        values: any shape.
        role: name of the values in the message: ``prediction``, ``reference``, ``radiance``.

    Raises:
        ImageError: with the number of such values as the fact ``nonfinite``.
    """
    finite = np.isfinite(np.asarray(values))
    count = finite.size - int(np.count_nonzero(finite))
    if count:
        raise ImageError(
            f"The {role} has {count} values that are NaN or infinite.",
            hint="Render or read the frame again, or leave it out of the scores.",
            nonfinite=count,
        )
