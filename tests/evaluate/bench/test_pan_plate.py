"""The pan that methods are timed on: known motion, known exposures, the same every time."""

import numpy as np

from f2hdr_backend.evaluate.bench.pan_plate import BRIGHTEST, STEP_PX, Pan

SIZE = (64, 48)


def windows(seed=1):
    return list(Pan(SIZE, 3, seed).windows())


def test_windows_share_their_frames_and_exposures_alternate():
    found = windows()
    assert [[frame.number for frame in window] for window in found] == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert found[0][1] is found[1][0] and found[0][2] is found[1][1]
    assert [frame.exposure for frame in found[0]] == [1.0, 8.0, 1.0]
    assert found[0][0].codes.shape == (48, 64, 3)


def test_consecutive_frames_of_one_exposure_are_two_steps_apart():
    first, _, third = windows()[0]
    x, y = 2 * STEP_PX[0], 2 * STEP_PX[1]
    assert np.allclose(first.codes[y:, x:], third.codes[:-y, :-x], atol=1e-6)
    assert first.codes.max() <= BRIGHTEST ** (1 / 2.2) + 1e-6


def test_the_same_seed_gives_the_same_pan():
    assert np.array_equal(windows()[2][1].codes, windows()[2][1].codes)
    assert not np.array_equal(windows()[2][1].codes, windows(2)[2][1].codes)
