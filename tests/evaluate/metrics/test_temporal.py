from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f2hdr_backend.evaluate.metrics.temporal import Steadiness
from f2hdr_backend.shot.errors import ImageError, ShotError

SCENE = np.random.default_rng(0).random((6, 8, 3)) + 0.1
ALL = np.ones(SCENE.shape[:2], dtype=bool)


def temporal_scores(frames):
    steadiness = Steadiness()
    for radiance, mask in frames:
        steadiness.add(radiance, mask)
    return steadiness.scores()


def _shot(gains):
    return ((SCENE * gain, ALL) for gain in gains)


def test_a_steady_shot_scores_zero():
    scores = temporal_scores(_shot([1.0] * 5))
    assert (scores.flicker.value, scores.odd_even.value) == (0.0, 0.0)


@settings(max_examples=25)
@given(st.floats(-1, 1), st.floats(-0.3, 0.3), st.integers(3, 9))
def test_alternation_is_measured_for_either_phase_and_during_a_fade(pulse, fade, count):
    gains = [2.0 ** (fade * index + pulse * (index % 2)) for index in range(count)]
    scores = temporal_scores(_shot(gains))
    assert scores.odd_even.value == pytest.approx(abs(pulse), abs=1e-9)
    changes = [abs(math.log2(after / before)) for before, after in pairwise(gains)]
    assert scores.flicker.value == pytest.approx(sum(changes) / len(changes), abs=1e-9)
    assert dict(scores.flicker.facts)["largest"] == pytest.approx(max(changes), abs=1e-9)


def test_pixels_clipped_in_any_compared_frame_are_ignored():
    frames = []
    for index in range(4):
        radiance, mask = SCENE.copy(), ALL.copy()
        if index == 2:
            radiance[:3], mask[:3] = 50.0, False
        frames.append((radiance, mask))
    scores = temporal_scores(frames)
    assert (scores.flicker.value, scores.odd_even.value) == (0.0, 0.0)


def test_shots_that_cannot_be_measured_are_refused():
    with pytest.raises(ShotError, match="three"):
        temporal_scores(_shot([1.0, 1.0]))
    with pytest.raises(ImageError, match=r"\b0 pixels"):
        temporal_scores([(SCENE, ALL), (SCENE, ~ALL), (SCENE, ALL)])
    with pytest.raises(ImageError, match="size"):
        temporal_scores([(SCENE, ALL), (SCENE[1:], ALL[1:]), (SCENE, ALL)])
    with pytest.raises(ImageError, match="NaN"):
        temporal_scores([(SCENE, ALL), (SCENE * math.nan, ALL), (SCENE, ALL)])
