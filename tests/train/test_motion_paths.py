"""Motion paths of scene pieces, against their formulas."""

import math

import numpy as np
import pytest

from f2hdr_backend.train.motion_paths import Bend, PiecePath

PIECE, SHOT = (11, 21), (101, 51)


def moved(path, time, point):
    x, y, w = path.matrix(time, PIECE, SHOT) @ (*point, 1.0)
    return x / w, y / w


def test_the_middle_follows_velocity_and_acceleration():
    path = PiecePath((50.0, 25.0), velocity=(2.0, -1.0), acceleration=(0.5, 0.0))
    for time in (-1, 0, 1, 2):
        assert moved(path, time, (5, 10)) == pytest.approx((50 + 2 * time + 0.25 * time**2, 25 - time))


def test_rotation_and_scaling_are_around_the_center():
    path = PiecePath((50.0, 25.0), spin=math.pi / 2, growth=1.0)
    assert moved(path, 1, (5, 10)) == pytest.approx((50, 25))
    assert moved(path, 1, (6, 10)) == pytest.approx((50, 27))


def test_a_camera_that_moves_ahead_enlarges_and_to_the_right_shifts_to_the_left():
    ahead = PiecePath((50.0, 25.0), camera=(0.0, 0.0, 0.5))
    assert moved(ahead, 1, (15, 10)) == pytest.approx((70, 25))
    right = PiecePath((50.0, 25.0), camera=(0.1, 0.0, 0.0))
    assert moved(right, 1, (5, 10)) == pytest.approx((50 - 0.1 * SHOT[0], 25))


@pytest.mark.parametrize("heading", [0.0, 0.7, math.pi / 2])
def test_a_bend_is_inverted_exactly(heading):
    bend = Bend(5.0, 40.0, heading, 0.3, 0.2)
    points = np.meshgrid(np.arange(30.0), np.arange(20.0))
    bent = bend.bent(points, 1.5)
    assert np.abs(np.array(bent) - points).max() > 1
    assert np.allclose(bend.straightened(bent, 1.5), points, atol=1e-9)
