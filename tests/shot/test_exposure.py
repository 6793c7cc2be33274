"""The exposure of a frame, and its neighbors."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2hdr_backend.shot.errors import ExposureError, ShotError
from f2hdr_backend.shot.exposure import ExposurePattern

FRAME = st.integers(-10, 12_000)


@pytest.mark.parametrize(
    ("frame", "ev"), [(1001, 0), (1002, 3), (1003, 0), (1000, 3), (999, 0), (0, 3), (-1, 0), (-2, 3)]
)
def test_two_exposures_alternate_before_and_after_the_first_frame(frame: int, ev: float) -> None:
    assert ExposurePattern((0, 3), start=1001).ev(frame) == ev


@given(st.lists(st.floats(-8, 8), min_size=1, max_size=5), FRAME, FRAME)
def test_a_cycle_of_several_exposures_repeats(cycle: list[float], start: int, frame: int) -> None:
    pattern = ExposurePattern(tuple(cycle), start)
    assert [pattern.ev(start + index) for index in range(len(cycle))] == cycle
    assert pattern.ev(frame) == pattern.ev(frame + len(cycle))


def test_an_exception_changes_the_exposure_of_its_frame_only() -> None:
    plain = ExposurePattern((0, 3), 1)
    pattern = ExposurePattern((0, 3), 1, exceptions=((6, 0), (3, 2.5)))
    assert (pattern.ev(3), pattern.ev(6)) == (2.5, 0)
    assert all(pattern.ev(frame) == plain.ev(frame) for frame in (1, 2, 4, 5, 7, 8))
    assert pattern.exceptions == ((3, 2.5), (6, 0.0))


def test_gain_is_the_exposure_relative_to_the_shortest_one() -> None:
    pattern = ExposurePattern((-2, 1), 0)
    assert (pattern.gain(0), pattern.gain(1)) == (1.0, 8.0)
    assert (pattern.lowest, pattern.highest, pattern.ratio_stops) == (-2.0, 1.0, 3.0)


@given(
    st.lists(st.floats(-8, 8), min_size=1, max_size=5),
    st.dictionaries(FRAME, st.floats(-8, 8), max_size=3),
    FRAME,
)
def test_gain_is_at_least_1(cycle: list[float], exceptions: dict[int, float], frame: int) -> None:
    pattern = ExposurePattern(tuple(cycle), 0, tuple(exceptions.items()))
    assert pattern.gain(frame) >= 1
    assert math.log2(pattern.gain(frame)) == pytest.approx(pattern.ev(frame) - pattern.lowest)


@pytest.mark.parametrize(
    ("cycle", "alternates"),
    [
        ((0, 3), True),
        ((-3, 0, 3), True),
        ((-3, 0, 3, 0), True),
        ((0, 0), False),
        ((2,), False),
        ((0, 3, 0), False),  # the last and the first of the next round are equal
        ((0, 3, 3), False),
        ((0, 0.01), False),
    ],
)
def test_a_pattern_is_alternating_if_adjacent_exposures_differ(cycle: tuple[float, ...], alternates: bool) -> None:
    assert ExposurePattern(cycle, 0).is_alternating is alternates


@pytest.mark.parametrize(
    ("text", "steps"), [("0,3", (0, 3)), ("-2,0", (-2, 0)), (" +1.5 , 0 ", (1.5, 0)), ("0,2,4", (0, 2, 4))]
)
def test_the_text_of_a_cycle_is_parsed(text: str, steps: tuple[float, ...]) -> None:
    assert ExposurePattern.parse_steps(text) == steps


@pytest.mark.parametrize("text", ["", "0", "0,", "a,b", "0;3", "0,0", "3,3,3", "0,nan", "0,inf", "0,1e300"])
def test_invalid_text_of_a_cycle_is_refused(text: str) -> None:
    with pytest.raises(ExposureError):
        ExposurePattern.parse_steps(text)


def test_an_error_names_the_value_and_the_action() -> None:
    with pytest.raises(ExposureError, match="2,2.*0,3"):
        ExposurePattern.parse_steps("2,2")


@pytest.mark.parametrize(
    ("cycle", "exceptions"),
    [((), ()), ((0, math.nan), ()), ((0, 3), ((1, math.inf),)), ((0, 3), ((1, 0), (1, 3)))],
)
def test_impossible_patterns_are_refused(cycle: tuple[float, ...], exceptions: tuple[tuple[int, float], ...]) -> None:
    with pytest.raises(ExposureError):
        ExposurePattern(cycle, 0, exceptions)


# -- the window's neighbors

TWO = ExposurePattern((0, 3), 0)


def test_inside_a_shot_the_neighbors_are_the_adjacent_frames() -> None:
    assert TWO.neighbors(5, first=1, last=9) == (4, 6)


def test_neighbors_are_mirrored_at_the_ends_of_a_plate() -> None:
    assert TWO.neighbors(1, 1, 9) == (2, 2)
    assert TWO.neighbors(9, 1, 9) == (8, 8)


def test_neighbors_are_mirrored_at_cuts() -> None:
    assert TWO.neighbors(4, 1, 9, cuts=(5,)) == (3, 3)
    assert TWO.neighbors(5, 1, 9, cuts=(5,)) == (6, 6)


def test_in_a_shot_of_one_frame_the_frame_is_its_own_neighbor() -> None:
    assert TWO.neighbors(7, 7, 7) == (7, 7)
    assert TWO.neighbors(5, 1, 9, cuts=(5, 6)) == (5, 5)


def test_in_a_shot_of_two_frames_each_is_the_neighbor_of_the_other() -> None:
    assert TWO.neighbors(1, 1, 2) == (2, 2)
    assert TWO.neighbors(2, 1, 2) == (1, 1)


@given(st.data())
def test_neighbors_have_the_right_exposures_at_ends_and_cuts(data: st.DataObject) -> None:
    first = data.draw(FRAME)
    last = first + data.draw(st.integers(0, 30))
    cuts = data.draw(st.lists(st.integers(first - 5, last + 5), max_size=6))
    pattern = ExposurePattern((0, 3), data.draw(FRAME))
    for frame in range(first, last + 1):
        # The frames of one take, enumerated without a cut.
        start = max([first, *(cut for cut in cuts if cut <= frame)])
        end = min([last, *(cut - 1 for cut in cuts if cut > frame)])
        for neighbor in pattern.neighbors(frame, first, last, cuts):
            assert start <= neighbor <= end
            if start == end:
                assert neighbor == frame
            else:
                assert abs(neighbor - frame) == 1
                assert pattern.ev(neighbor) != pattern.ev(frame)


@given(st.integers(1, 12), st.integers(1, 12))
def test_windows_of_two_joined_shots_are_those_of_the_separate_shots(first_length: int, second_length: int) -> None:
    cut, last = first_length, first_length + second_length - 1
    joined = [TWO.neighbors(frame, 0, last, (cut,)) for frame in range(last + 1)]
    apart = [TWO.neighbors(frame, 0, cut - 1) for frame in range(cut)]
    apart += [TWO.neighbors(frame, cut, last) for frame in range(cut, last + 1)]
    assert joined == apart


def test_a_frame_outside_the_plate_is_refused() -> None:
    with pytest.raises(ShotError, match="10.*1-9"):
        TWO.neighbors(10, 1, 9)


def test_constant_exposures_are_refused_for_windows() -> None:
    with pytest.raises(ExposureError, match="1,1"):
        ExposurePattern((1, 1), 0).neighbors(5, 1, 9)
