"""Cycles of exposures found in made-up steps between frames."""

import numpy as np
import pytest

from f2hdr_backend.detection.cadence import Steps, find_cadence


def steps(evs, noise=0.0, numbers=None, drift=0.0):
    stops = np.diff(evs) + drift + noise * np.random.default_rng(1).standard_normal(len(evs) - 1)
    numbers = tuple(range(1, len(evs) + 1)) if numbers is None else numbers
    return Steps(numbers, stops, np.ones(len(stops)))


@pytest.mark.parametrize("cycle", [(0.0, 3.0), (0.0, 2.0, 4.0)])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_the_detected_cycle_starts_at_its_lowest_exposure(cycle, noise):
    found = find_cadence(steps([cycle[(index + 1) % len(cycle)] for index in range(24)], noise))
    assert found.cycle == pytest.approx(cycle, abs=0.12)
    assert found.places == tuple((index + 1) % len(cycle) for index in range(24))
    assert found.breaks == ()


def test_a_dropped_frame_is_a_break_and_a_missing_number_is_not():
    evs = [0.0, 3.0] * 6
    dropped = evs[:5] + evs[6:]
    assert find_cadence(steps(dropped)).breaks == (6,)
    numbers = tuple(number for number in range(1, 13) if number != 6)
    assert find_cadence(steps(dropped, numbers=numbers)).breaks == ()


def test_a_darkening_scene_does_not_change_the_cycle():
    found = find_cadence(steps([0.0, 3.0] * 10, drift=-0.05))
    assert found.cycle == pytest.approx((0.0, 3.0), abs=0.02)
    assert found.drift == pytest.approx(-0.05, abs=0.01)


def test_one_wrong_step_does_not_change_the_cycle():
    found = steps([0.0, 3.0] * 8)
    found.stops[6] += 2.0
    assert find_cadence(found).cycle == pytest.approx((0.0, 3.0), abs=0.05)


def test_a_given_cycle_length_is_kept():
    found = find_cadence(steps([0.0, 3.0] * 8), length=4)
    assert len(found.cycle) == 4
