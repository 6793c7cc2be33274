"""Gains between plate and result, from independent arithmetic."""

import pytest

from f2hdr_backend.pictures.view import View
from f2hdr_backend.shot.exposure import ExposurePattern

WHOLE = (0, 0, 4, 4)


@pytest.mark.parametrize(
    ("anchor", "short", "long", "clip"), [("long", 8, 1, 8), ("short", 1, 1 / 8, 1), ("1", 2, 0.25, 2)]
)
def test_plate_frames_are_scaled_to_the_anchor(anchor, short, long, clip):
    view = View(1, WHOLE, 1.0, exposures=ExposurePattern((0.0, 3.0), 1), anchor=anchor)
    assert view.plate_gain(1) == short
    assert view.plate_gain(2) == long
    assert view.clip_of_result() == clip


def test_without_exposures_plate_frames_are_not_scaled():
    assert View(1, WHOLE, 1.0).plate_gain(1) == 1


@pytest.mark.parametrize("wrong", [{"mode": "sideways"}, {"overlay": "fog"}])
def test_unknown_modes_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong.values()))):
        View(1, WHOLE, 1.0, **wrong)
