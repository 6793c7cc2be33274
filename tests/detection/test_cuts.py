"""Cuts from made-up similarities of frames."""

import itertools

from f2hdr_backend.detection.cuts import FARTHEST, find_cuts

COUNT = 24
ALTERNATING = [3.0, 0.0] * (COUNT // 2)


def likeness(value):
    """The similarity of all pairs within reach."""
    pairs = itertools.combinations(range(COUNT), 2)
    return {(a, b): value(a, b) for a, b in pairs if b - a <= FARTHEST}


def test_a_shot_without_cuts_has_none():
    assert find_cuts(ALTERNATING, likeness(lambda a, b: 0.9)) == ()


def test_a_frame_unlike_all_earlier_ones_starts_a_scene():
    def value(a, b):
        return 0.9 if (a < 7) == (b < 7) and (a < 15) == (b < 15) else 0.1

    assert find_cuts(ALTERNATING, likeness(value)) == (7, 15)


def test_fast_motion_of_the_whole_frame_is_not_a_cut():
    assert find_cuts(ALTERNATING, likeness(lambda a, b: 0.3)) == ()


def test_a_flash_between_similar_frames_is_not_a_cut():
    assert find_cuts(ALTERNATING, likeness(lambda a, b: 0.1 if 8 in (a, b) else 0.9)) == ()


def test_a_single_frame_has_no_cut():
    assert find_cuts([0.0], {}) == ()
