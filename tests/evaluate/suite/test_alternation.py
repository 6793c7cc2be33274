"""Alternation of consecutive results, against results that alternate by a known amount."""

import cv2
import numpy as np
import pytest

from f2hdr_backend.evaluate.suite.alternation import BANDS, alternation

RANDOM = np.random.default_rng(7)
WIDE = 2.0 ** cv2.resize(RANDOM.uniform(-6, 0, (15, 25)).astype(np.float32), (500, 300))
WIDE = np.repeat(np.float32(WIDE)[..., None], 3, -1)


def frames(shift_px):
    return WIDE[:, :400], np.ascontiguousarray(WIDE[:, shift_px : 400 + shift_px])


@pytest.mark.parametrize("shift_px", [0, 2])
def test_alternation_in_highlights_is_measured_in_their_band(shift_px):
    truths = frames(shift_px)
    results = truths[0], np.where(truths[1] > 0.4, truths[1] * np.float32(2**0.2), truths[1])
    found = alternation(results, truths)
    assert found[0] == pytest.approx(0.2, abs=0.02)
    assert all(abs(found[band]) < 0.02 for band in found if band >= 2) and max(found) >= 3


def test_changes_of_the_scene_are_not_alternation():
    truths = WIDE[:, :400], WIDE[:, :400] * np.float32(0.9)
    assert all(abs(value) < 0.02 for value in alternation(truths, truths).values())
    assert len(alternation(truths, truths)) <= BANDS


def test_a_fast_shot_is_not_measured():
    truths = frames(12)
    assert alternation(truths, truths) is None
