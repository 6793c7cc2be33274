"""A camera in a panorama follows the projection geometry."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from f2hdr_backend.shot.errors import ImageError
from f2hdr_backend.simulation.panorama import HandheldPan, look, look_map

WIDE, HIGH = 512, 256
SIZE = (65, 33)
CENTER = (16, 32)


def _directions() -> NDArray[np.float32]:
    """A panorama whose color is the direction it shows: (right, up, ahead) for a camera at yaw 0, plus 2."""
    longitude = ((np.arange(WIDE) + 0.5) / WIDE - 0.5) * 2 * math.pi
    latitude = (0.5 - (np.arange(HIGH) + 0.5) / HIGH) * math.pi
    across, along = np.sin(longitude)[None, :], np.cos(longitude)[None, :]
    level = np.cos(latitude)[:, None]
    up = np.broadcast_to(np.sin(latitude)[:, None], (HIGH, WIDE))
    return np.stack([across * level, up, along * level], axis=2).astype(np.float32) + 2


def _seen(yaw: float, pitch: float, roll: float, hfov: float = 1.2) -> NDArray[np.floating]:
    return look(_directions(), yaw, pitch, roll, hfov, SIZE) - 2


@pytest.mark.parametrize("yaw", [0.0, 1.0, math.pi, -2.5, 7.0])
@pytest.mark.parametrize("pitch", [0.0, 0.6, -1.2])
def test_the_center_of_the_picture_is_the_direction_of_the_camera(yaw: float, pitch: float) -> None:
    expected = [math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch)]
    assert _seen(yaw, pitch, 0.3)[CENTER] == pytest.approx(expected, abs=2e-3)


def test_straight_lines_stay_straight_and_the_angle_of_view_is_the_requested_one() -> None:
    seen = _seen(0, 0, 0, hfov=math.pi / 2)
    tangents = seen[..., 0] / seen[..., 2]
    columns = (np.arange(65) - 32) * 2 / 65
    assert tangents == pytest.approx(np.broadcast_to(columns, (33, 65)), abs=0.02)
    assert (seen[0, :, 1] > 0).all(), "the first row is up"


def test_a_clockwise_roll_turns_the_picture_counterclockwise() -> None:
    seen = _seen(0, 0, math.pi / 2)
    assert seen[16, 64, 1] < -0.4, "its right side points down"
    assert seen[0, 32, 0] > 0.2, "its top points right"


def test_the_seam_at_the_back_is_not_visible() -> None:
    seen = look(_directions(), math.pi, 0, 0, 1.0, SIZE)
    assert np.abs(np.diff(seen, axis=1)).max() < 0.05


def test_the_map_gives_the_source_position_of_each_pixel() -> None:
    columns, rows = look_map((WIDE, HIGH), (0.4, -0.2, 0.1), 1.0, SIZE)
    assert columns.shape == rows.shape == (33, 65)
    nearest = _directions()[np.rint(rows).astype(int), np.rint(columns).astype(int) % WIDE]
    assert look(_directions(), 0.4, -0.2, 0.1, 1.0, SIZE) == pytest.approx(nearest, abs=0.02)


@pytest.mark.parametrize("hfov", [0.0, math.pi, -1.0])
def test_an_impossible_angle_of_view_is_refused(hfov: float) -> None:
    with pytest.raises(ImageError, match=f"{hfov:.3f} rad"):
        look(_directions(), 0, 0, 0, hfov, SIZE)


def test_a_gray_picture_is_refused() -> None:
    with pytest.raises(ImageError, match=r"\(\d+, \d+\)"):
        look(np.zeros((8, 16), np.float32), 0, 0, 0, 1.0, SIZE)


def test_a_camera_path_is_slow_and_repeatable() -> None:
    views = np.array([HandheldPan(5).view(step) for step in range(200)])
    assert np.array_equal(views, [HandheldPan(5).view(step) for step in range(200)])
    assert not np.array_equal(views, [HandheldPan(6).view(step) for step in range(200)])
    assert np.abs(np.diff(views, axis=0)).max() < math.radians(0.5)
    assert math.radians(49.9) < views[:, 3].min() and views[:, 3].max() < math.radians(60.1)
