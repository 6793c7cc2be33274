"""The published rule, by hand: gray codes on both sides of its two limits."""

import numpy as np
import pytest

from f2hdr_backend.shot.errors import ExposureError
from f2hdr_backend.trust.published import trusted, well_exposed

CODES = np.repeat(np.array([[0.1, 0.3, 0.7, 0.9]], np.float32)[..., None], 3, axis=-1)


def test_well_exposed_pixels_are_between_both_thresholds():
    assert well_exposed(CODES).tolist() == [[False, True, True, False]]


@pytest.mark.parametrize(
    ("exposure", "cycle", "used"),
    [
        (1.0, 2, [False, True, True, True]),
        (8.0, 2, [True, True, True, False]),
        (1.0, 3, [False, True, True, True]),
        (4.0, 3, [False, True, True, False]),
        (16.0, 3, [True, True, True, False]),
    ],
)
def test_a_short_reference_is_not_used_where_dark_and_a_long_one_where_bright(exposure, cycle, used):
    assert trusted(CODES, exposure, cycle).tolist() == [used]


@pytest.mark.parametrize(("exposure", "cycle"), [(1.0, 4), (0.0, 2), (-1.0, 3)])
def test_cycles_without_a_published_rule_are_refused(exposure, cycle):
    with pytest.raises(ExposureError) as caught:
        trusted(CODES, exposure, cycle)
    assert str(cycle) in caught.value.message
