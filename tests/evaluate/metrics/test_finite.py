"""Values that no metric accepts."""

import numpy as np
import pytest

from f2hdr_backend.evaluate.metrics.finite import require_finite
from f2hdr_backend.shot.errors import ImageError


def test_finite_values_are_accepted():
    require_finite(np.array([[0.0, -1e30, 1e30]]), "prediction")
    require_finite([], "prediction")


def test_nonfinite_values_are_counted_and_reported():
    with pytest.raises(ImageError) as caught:
        require_finite([0.0, np.nan, np.inf, -np.inf], "radiance")
    assert caught.value.nonfinite == 3
    assert "radiance" in caught.value.message and "3" in caught.value.message
