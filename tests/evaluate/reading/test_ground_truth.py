from __future__ import annotations

import numpy as np
import pytest

from f2hdr_backend.evaluate.reading.ground_truth import normalize_reference
from f2hdr_backend.shot.errors import ImageError


def test_a_frame_within_one_only_loses_its_negative_values():
    truth = normalize_reference(np.array([[[-0.5, 0.25, 1.0]]]))
    assert truth.radiance.tolist() == [[[0.0, 0.25, 1.0]]]
    assert truth.divisor == 1.0


def test_a_frame_above_one_is_divided_by_its_own_maximum():
    truth = normalize_reference(np.array([[[-1.0, 2.0, 4.0]], [[1.0, 0.0, 3.0]]]))
    assert truth.radiance.tolist() == [[[0.0, 0.5, 1.0]], [[0.25, 0.0, 0.75]]]
    assert (truth.divisor, truth.radiance.dtype) == (4.0, np.float32)


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(ImageError, match="2 values") as refused:
        normalize_reference(np.array([[[np.nan, np.inf, 0.5]]]))
    assert refused.value.nonfinite == 2
