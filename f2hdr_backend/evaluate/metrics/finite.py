"""The one check that every score makes first: a number must not come from a frame that holds none."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from f2hdr_backend.shot.errors import ImageError


def require_finite(values: ArrayLike, role: str) -> None:
    """Refuse NaN and infinity.

    Args:
        values: any shape.
        role: what the values are, as the sentence names them: ``prediction``, ``reference``, ``radiance``.

    Raises:
        ImageError: with the count of such values as the fact ``nonfinite``.
    """
    finite = np.isfinite(np.asarray(values))
    count = finite.size - int(np.count_nonzero(finite))
    if count:
        raise ImageError(
            f"The {role} has {count} values that are NaN or infinite.",
            hint="Render or read the frame again, or leave it out of the scores.",
            nonfinite=count,
        )
