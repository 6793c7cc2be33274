"""Clip levels and camera log, from samples whose clip is known."""

import numpy as np
import pytest

from f2hdr_backend.color.linear_plate import find_clip, looks_log, sample
from f2hdr_backend.image.frame import PlateImage
from f2hdr_backend.shot.frames import FrameRange


def samples(levels, count=20_000, brightest=4.0):
    """Smooth radiance, clipped at a level per channel."""
    light = np.random.default_rng(1).random((count, 3)) ** 2 * brightest
    return np.minimum(light, levels).astype(np.float32)


def test_channels_that_clip_at_one_level_have_one_clip_level():
    found = find_clip([samples((1.5, 1.5, 1.5)), samples((1.5, 1.5, 1.5), brightest=0.5)])
    assert found.seen and found.level == pytest.approx((1.5,))


def test_channels_that_clip_at_several_levels_have_their_own_clip_level():
    found = find_clip([samples((1.0, 1.5, 2.0))])
    assert found.seen and found.level == pytest.approx((1.0, 1.5, 2.0))


def test_hot_pixels_do_not_change_the_clip_level():
    pixels = samples((1.5, 1.5, 1.5))
    pixels[:5] = 9
    assert find_clip([pixels]).level == pytest.approx((1.5,))


@pytest.mark.parametrize(("brightest", "level"), [(0.5, 1.0), (3.0, 3.0)])
def test_without_clipping_the_clip_level_is_1_or_the_brightest_value(brightest, level):
    found = find_clip([samples((9, 9, 9), brightest=brightest)])
    assert not found.seen and found.level == pytest.approx((level,), rel=1e-3)


def test_lifted_blacks_within_0_and_1_look_like_log():
    codes = np.random.default_rng(1).uniform(0.09, 0.9, (5000, 3)).astype(np.float32)
    assert looks_log([codes, codes * 0.9])
    assert not looks_log([codes, codes - 0.09])
    assert not looks_log([codes, codes * 3])


class FourFrames:
    """A plate whose frames are their numbers."""

    frames = FrameRange(tuple(range(1, 21)))

    def read(self, number):
        return PlateImage(number, "", np.full((4, 6, 3), number, np.float32), "float")


def test_samples_are_pairs_of_frames_over_the_whole_plate():
    numbers = [int(pixels[0, 0]) for pixels in sample(FourFrames())]
    assert numbers[:2] == [1, 2] and numbers[-2:] == [19, 20] and len(numbers) == 10
    assert sum(b - a == 1 for a, b in zip(numbers, numbers[1:], strict=False)) >= 5
