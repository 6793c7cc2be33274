import numpy as np

from f2hdr_backend.evaluate.pictures.false_color import color_bar, false_color


def luminance(colors):
    return (colors / 255.0) ** 2.2 @ (0.2126, 0.7152, 0.0722)


def test_larger_values_are_brighter():
    light = luminance(false_color(np.linspace(0, 2, 256)[None], 2.0)[0])
    assert np.diff(light).min() > -0.002
    assert light[0] < 0.001
    assert light[-1] > 0.8


def test_values_outside_the_scale_have_the_color_of_its_end():
    colors = false_color(np.array([[-1.0, 0.0, 3.0, 300.0]]), 3.0)
    assert colors.shape == (1, 4, 3)
    assert np.array_equal(colors[0, 0], colors[0, 1])
    assert np.array_equal(colors[0, 2], colors[0, 3])


def test_bright_values_are_yellow_and_middling_ones_red():
    middle, high = false_color(np.array([[0.5, 1.0]]), 1.0)[0].astype(int)
    assert middle[0] > middle[1] + 50
    assert min(high[:2]) > high[2] + 50


def test_the_bar_runs_from_dark_to_bright():
    bar = color_bar(64, 5)
    assert bar.shape == (5, 64, 3)
    assert np.array_equal(bar, false_color(np.tile(np.linspace(0, 1, 64), (5, 1)), 1.0))
