import colorsys

import numpy as np
import pytest

from f2hdr_backend.evaluate.pictures.flow_colors import color_wheel, flow_colors


def shown(x, y, fastest=10.0):
    return tuple(int(value) for value in flow_colors(np.array([[[x, y]]], np.float32), fastest)[0, 0])


def test_zero_flow_is_white():
    assert shown(0, 0) == (255, 255, 255)


@pytest.mark.parametrize(
    ("x", "y", "color"),
    [(10, 0, (255, 0, 0)), (0, 10, (255, 234, 0)), (-10, 0, (0, 209, 255)), (0, -10, (88, 0, 255))],
    ids=["right", "down", "left", "up"],
)
def test_directions_have_the_colors_of_the_middlebury_wheel(x, y, color):
    assert np.abs(np.subtract(shown(x, y), color)).max() <= 16


def test_speed_is_saturation():
    saturations = [colorsys.rgb_to_hsv(*np.divide(shown(speed, 0), 255))[1] for speed in (0, 2.5, 5, 10)]
    assert np.allclose(saturations, [0, 0.25, 0.5, 1], atol=0.01)


def test_flow_beyond_the_rim_is_darker():
    assert max(shown(30, 0)) < max(shown(10, 0))


def test_hue_is_continuous_in_direction():
    angles = np.linspace(0, 2 * np.pi, 361)
    flow = np.stack([np.cos(angles), np.sin(angles)], -1)[None].astype(np.float32)
    colors = flow_colors(flow, 1.001)[0].astype(int)
    assert np.abs(np.diff(colors, axis=0)).max() < 20


def test_the_color_wheel_shows_each_direction_at_its_angle():
    colors, coverage = color_wheel(101)
    assert colors.shape == (101, 101, 3)
    assert coverage.shape == (101, 101)
    assert tuple(colors[50, 50]) == (255, 255, 255)
    for x, y in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        there = colors[50 + 48 * y, 50 + 48 * x].astype(int)
        assert np.abs(there - shown(48 / 49.5 * x, 48 / 49.5 * y, 1.0)).max() <= 3
    assert coverage[0, 0] == 0
    assert coverage[50, 50] == 1
