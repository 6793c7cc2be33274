"""The result averaged with the frames that agree with it, compared with weights computed by hand."""

import numpy as np
import pytest

from f2hdr_backend.trust.agreement import average_agreeing
from f2hdr_backend.trust.aligned import AlignedNeighbor

ONE = np.ones((4, 5, 3), np.float32)


def confirmed(result, own, exposure, neighbors):
    """The one value of flat pictures; neighbors are (light, exposure)."""
    frames = [AlignedNeighbor(ONE * light, gain, 1.0) for light, gain in neighbors]
    mean = average_agreeing(ONE * np.float32(result), ONE * np.float32(own), exposure, frames)
    assert mean.dtype == np.float32 and np.ptp(mean) < 1e-6
    return float(mean[0, 0, 0])


def test_frames_are_weighted_by_exposure_and_the_result_as_the_longest_exposure():
    same = 0.05
    off = same * (1 + 1e-3)  # so little that agreement is whole
    assert confirmed(off, same, 1, [(same, 8), (same, 8)]) == pytest.approx(same * (1 + 1e-3 / 3.125), rel=1e-6)
    assert confirmed(off, same, 8, [(same, 1), (same, 1)]) == pytest.approx(same * (1 + 1e-3 / 2.25), rel=1e-6)


def test_independent_noise_is_averaged_as_in_a_mean_of_three_frames():
    random = np.random.default_rng(5)
    noisy = [np.float32(0.05) * (1 + random.normal(0, 0.01, (100, 100, 3))).astype(np.float32) for _ in range(3)]
    neighbors = [AlignedNeighbor(light, 8.0, 1.0) for light in noisy[1:]]
    mean = average_agreeing(noisy[0], np.zeros_like(noisy[0]), 1.0, neighbors)
    assert mean.std() == pytest.approx(noisy[0].std() / np.sqrt(3), rel=0.05)


def test_a_frame_that_shows_something_else_has_zero_weight():
    assert confirmed(0.05, 0.05, 1, [(0.08, 8), (0.02, 8)]) == pytest.approx(0.05, rel=1e-6)


def test_a_difference_in_one_channel_gives_zero_weight():
    red = ONE * np.float32([0.05, 0.05, 0.09])
    assert (
        average_agreeing(ONE * np.float32(0.05), ONE * 0, 1.0, [AlignedNeighbor(red, 8.0, 1.0)] * 2) == np.float32(0.05)
    ).all()


def test_a_clipped_frame_has_zero_weight():
    clip = 1 / 8
    assert confirmed(clip * 1.1, clip * 1.1, 1, [(clip, 8), (clip, 8)]) == pytest.approx(clip * 1.1, rel=1e-6)


def test_negative_values_are_unchanged():
    assert confirmed(-0.01, 0, 1, [(0, 8), (0, 8)]) == pytest.approx(-0.01, rel=1e-6)
