"""The table against OCIO's own exact transform, exposure, gamma and single channels."""

import numpy as np
import pytest

from f2hdr_backend.color.config import load_config
from f2hdr_backend.pictures.display_transform import Display, Look


@pytest.fixture(scope="module")
def display():
    return Display(load_config("f2hdr"), "linear")


def colors(seed=1, height=40, width=60):
    """Saturated and neutral colors over 14 stops."""
    rng = np.random.default_rng(seed)
    gray = 2.0 ** rng.uniform(-9, 5, (height, width, 1))
    return (gray * (1 + rng.normal(0, 0.35, (height, width, 3)).clip(-0.9, 0.9))).astype(np.float32)


def exact(pixels, view):
    config = load_config("f2hdr")
    return np.clip(config.display("linear", "sRGB", view).apply(pixels), 0, 1) * 255


@pytest.mark.parametrize("view", ["ACES 1.0 - SDR Video", "Un-tone-mapped"])
def test_the_lookup_table_is_within_one_code_of_the_exact_view(display, view):
    pixels = colors()
    error = np.abs(display.draw(pixels, Look("sRGB", view))[..., :3] - exact(pixels, view))
    assert error.mean() < 0.5 and np.percentile(error, 99) < 1.0


def test_one_stop_of_exposure_doubles_values_and_the_source_is_unchanged(display):
    pixels = colors()
    before = pixels.copy()
    raised = display.draw(pixels, Look("sRGB", "Un-tone-mapped", exposure=1.0))
    assert np.array_equal(raised, display.draw(pixels * 2, Look("sRGB", "Un-tone-mapped")))
    assert np.array_equal(pixels, before)


def test_gamma_is_applied_to_codes(display):
    pixels = np.full((8, 8, 3), 0.1, np.float32)
    plain = exact(pixels, "Un-tone-mapped")[0, 0, 0] / 255
    shown = display.draw(pixels, Look("sRGB", "Un-tone-mapped", gamma=2.0))
    assert shown[0, 0, 0] == pytest.approx(plain**0.5 * 255, abs=1)


@pytest.mark.parametrize(
    ("channel", "expected"), [("r", 0.2), ("g", 0.4), ("b", 0.8), ("y", 0.2126 * 0.2 + 0.7152 * 0.4 + 0.0722 * 0.8)]
)
def test_one_channel_is_shown_as_gray(display, channel, expected):
    pixels = np.broadcast_to(np.array([0.2, 0.4, 0.8], np.float32), (8, 8, 3))
    shown = display.draw(pixels, Look("sRGB", "Un-tone-mapped", channel=channel))[0, 0]
    gray = exact(np.full((1, 1, 3), expected, np.float32), "Un-tone-mapped")[0, 0, 0]
    assert shown[:3] == pytest.approx([gray] * 3, abs=1) and shown[3] == 255


def test_the_default_display_and_view_come_first(display):
    offered = display.offered()
    config = load_config("f2hdr")
    assert next(iter(offered)) == config.config.getDefaultDisplay()
    assert offered[next(iter(offered))][0] == config.config.getDefaultView(next(iter(offered)))
