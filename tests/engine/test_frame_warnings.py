"""Warnings about single frames."""

from __future__ import annotations

import numpy as np
import pytest

from f2hdr_backend.engine.frame_warnings import input_warnings, level_warnings, range_warnings
from f2hdr_backend.engine.window import Window
from f2hdr_backend.image.frame import PlateImage

WINDOW = Window(10, 11, 12, (8.0, 1.0, 8.0))
IMAGE = PlateImage(11, "p.0011.exr", np.zeros((0, 2, 3), np.float32), "float")


def test_a_frame_without_problems_gives_no_warning():
    assert [*input_warnings(11, IMAGE, 0), *level_warnings(WINDOW, (1.02, 0.99)), *range_warnings(WINDOW, 0)] == []


@pytest.mark.parametrize(
    ("matched", "side", "way"), [((0.8, 1.0), 10, "25% brighter"), ((1.0, 1.25), 12, "20% darker")]
)
def test_the_neighbor_of_another_level_is_named(matched, side, way):
    (warned,) = level_warnings(WINDOW, matched)
    assert warned.code == "exposures_off" and warned.frame == 11
    assert f"{side}" in warned.message and way in warned.message


def test_clipped_pixels_are_counted():
    (above,) = input_warnings(11, IMAGE, 7)
    (beyond,) = range_warnings(WINDOW, 5)
    assert above.code == "above_clip" and above.message.startswith("7 ") and "p.0011.exr" in above.message
    assert beyond.code == "half_range" and beyond.message.startswith("5 ")
