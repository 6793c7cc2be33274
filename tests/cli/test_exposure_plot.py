"""The chart of detected exposures, by the pixels where its dots must be."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from f2hdr_backend.cli.exposure_plot import HEIGHT, WIDTH, draw_exposures
from f2hdr_backend.evaluate.pictures.style import FAULT, INK, SERIES
from f2hdr_backend.shot.exposure import ExposurePattern

FRAMES = tuple(range(1001, 1013))


def detection(pattern=None, **changed):
    facts = {
        "frames": FRAMES, "pattern": pattern, "levels": tuple(3.0 * (frame % 2) for frame in FRAMES), "cuts": (),
        "dropped": (), "source": "pixels", "confidence": 0.9, "reason": "",
    }  # fmt: skip
    return SimpleNamespace(**facts | changed)


def share(picture, color):
    """The share of pixels near a color."""
    return float((np.abs(np.asarray(picture, int) - color).max(-1) < 12).mean())


def test_each_exposure_has_its_color_and_an_unknown_cycle_none():
    found = draw_exposures(detection(ExposurePattern((0.0, 3.0), 1002)), "p.####.tif")
    assert found.size == (WIDTH, HEIGHT)
    low, high = SERIES[:2]
    assert share(found, low) > 1e-3 and share(found, high) > 1e-3
    unknown = draw_exposures(detection(reason="the exposures do not repeat"), "p.####.tif")
    assert share(unknown, low) < 1e-4 and share(unknown, high) < 1e-4


def test_longer_exposures_are_higher_in_the_chart():
    picture = np.asarray(draw_exposures(detection(ExposurePattern((0.0, 3.0), 1002)), "p"), int)[80:480]
    rows = [np.nonzero(np.abs(picture - color).max(-1) < 12)[0].mean() for color in SERIES[:2]]
    assert rows[0] > rows[1] + 100


@pytest.mark.parametrize(("changed", "color"), [({"dropped": (1005,)}, FAULT), ({"cuts": (1007,)}, INK)])
def test_cuts_and_breaks_are_marked(changed, color):
    pattern = ExposurePattern((0.0, 3.0), 1002)
    plain, marked = (draw_exposures(detection(pattern, **each), "p") for each in ({}, changed))
    assert share(marked, color) > share(plain, color) + 1e-4


def test_frames_without_a_level_and_a_single_frame_are_drawn():
    levels = (math.nan, *[0.0] * (len(FRAMES) - 1))
    assert draw_exposures(detection(levels=levels), "p").size == (WIDTH, HEIGHT)
    assert draw_exposures(detection(frames=(5,), levels=(math.nan,)), "p").size == (WIDTH, HEIGHT)
