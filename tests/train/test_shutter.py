"""An open shutter adds light up over the time that it is open."""

import numpy as np
import pytest

from f2hdr_backend.train.shutter import MOST_MOMENTS, expose, moments


@pytest.mark.parametrize(("open_frames", "speed"), [(0.5, 3.0), (0.9, 20.0), (0.1, 300.0), (0.0, 50.0)])
def test_the_times_of_a_shutter_are_spaced_evenly(open_frames, speed):
    times = moments(1.0, open_frames, speed)
    assert np.mean(times) == pytest.approx(1.0) and len(times) <= MOST_MOMENTS
    assert max(times) - min(times) <= open_frames
    np.testing.assert_allclose(np.diff(times, 2), 0, atol=1e-12)


def test_a_still_scene_is_unchanged_by_the_shutter():
    picture = np.random.default_rng(1).random((4, 5, 3)).astype(np.float32)
    assert moments(0.0, 0.8, 0.0) == [0.0]
    assert expose(lambda _: picture, moments(0.0, 0.8, 0.0)) is picture
    np.testing.assert_allclose(expose(lambda _: picture, moments(0.0, 0.8, 20.0)), picture, rtol=1e-6)


def test_a_moving_edge_becomes_a_ramp_of_the_length_of_its_motion():
    """A step at x = 20 + 16 t, open for half a frame: a ramp of 8 px centered on 20."""
    x = np.arange(40, dtype=np.float32)[None, :, None]

    def step(time):
        return np.broadcast_to((x < 20 + 16 * time).astype(np.float32), (1, 40, 3))

    ramp = expose(step, moments(0.0, 0.5, 16.0))[0, :, 0]
    np.testing.assert_allclose(ramp, np.clip((24 - x[0, :, 0]) / 8, 0, 1), atol=0.26)
    assert ramp.sum() == pytest.approx(20, abs=0.5) and ramp[15] == 1 and ramp[24] == 0
