"""One style for charts: distinguishable colors, also in matplotlib."""

import itertools

import pytest

from f2hdr_backend.evaluate.pictures.style import FAINT, FAULT, GROUND, INK, SERIES, matplotlib_style


def luminance(color):
    """Relative luminance by WCAG 2.2."""
    linear = [
        value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in (c / 255 for c in color)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def test_text_and_lines_have_contrast_to_the_background():
    assert contrast(INK, GROUND) > 7
    for color in (FAINT, FAULT, *SERIES):
        assert contrast(color, GROUND) > 4.5


def test_lines_have_different_colors():
    for one, other in itertools.combinations((*SERIES, FAULT), 2):
        assert sum(abs(a - b) for a, b in zip(one, other, strict=True)) > 90


def test_matplotlib_accepts_the_style():
    matplotlib = pytest.importorskip("matplotlib")
    with matplotlib.rc_context(matplotlib_style()):
        assert len(matplotlib.rcParams["axes.prop_cycle"]) == len(SERIES)
