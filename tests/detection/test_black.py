"""A lifted black is found from the levels of two exposures, and nothing is found where black is 0."""

from __future__ import annotations

import numpy as np
import pytest

from f2hdr_backend.detection.black import Levels, find_black

LEVELS = np.geomspace(0.0004, 0.9, 300).astype(np.float32)


def lifted(light, lift, in_codes):
    if not in_codes:
        return lift + (1 - lift) * light
    return (lift + (1 - lift) * light ** (1 / 2.2)) ** 2.2


@pytest.mark.parametrize("stops", [1, 2, 4])
@pytest.mark.parametrize(("lift", "in_codes"), [(0.02, True), (0.0625, True), (0.01, False), (0.04, False)])
def test_a_lifted_black_level_is_measured(lift, in_codes, stops):
    first, second = (lifted(light, lift, in_codes) for light in (LEVELS / 2**stops, LEVELS))
    found = find_black([Levels(first, second, 0.0012, 0.85)] * 3)
    assert found is not None and found.codes == in_codes
    assert found.lift == pytest.approx(lift, abs=0.002)
    np.testing.assert_allclose(found.subtracted(second), LEVELS, rtol=0.05, atol=0.002)


def test_no_lifted_black_is_found_where_black_is_0_even_with_noise():
    rng = np.random.default_rng(1)
    for stops in (1, 3, 5):
        for spread in (0.0, 0.02, 0.1):
            first = (LEVELS / 2**stops) * np.exp2(rng.normal(0, spread, LEVELS.size))
            assert find_black([Levels(first, LEVELS, 0.0012, 0.85)] * 3) is None


def test_opposite_distortions_of_steps_up_and_down_cancel():
    """Motion makes the shadows of one frame darker: the step up looks larger there, the step down smaller."""
    tilt = np.exp2(0.1 * np.linspace(1, 0, LEVELS.size)).astype(np.float32)
    up, down = (
        Levels(LEVELS / 4, LEVELS * tilt, 0.0012, 0.85),
        Levels(LEVELS * tilt, LEVELS / 4 * tilt**2, 0.0012, 0.85),
    )
    assert find_black([up, down] * 3) is None
    lifts = [
        Levels(*(lifted(part, 0.02, True) for part in (pair.first, pair.second)), 0.0012, 0.85) for pair in (up, down)
    ]
    found = find_black(lifts * 3)
    assert found is not None and found.codes
    assert found.lift == pytest.approx(0.02, abs=0.004)


def test_nothing_is_found_without_pairs_or_levels():
    assert find_black([]) is None
    assert find_black([Levels(LEVELS * 0, LEVELS, 0.0012, 0.85)]) is None
