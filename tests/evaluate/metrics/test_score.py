from __future__ import annotations

import json
import math

import pytest

from f2hdr_backend.evaluate.metrics.score import Score, average
from f2hdr_backend.shot.errors import ImageError, ShotError


def _score(value: float, **facts: float) -> Score:
    return Score("PSNR_T", value, "dB", (("mu", 5000.0),), tuple(facts.items()))


def test_the_mean_is_over_frames_and_not_over_scenes():
    scores = {"long/1": _score(30.0), "long/2": _score(30.0), "long/3": _score(30.0), "short/1": _score(50.0)}
    mean = average(scores)
    assert mean.score.value == 35.0
    assert mean.frames == 4


def test_the_mean_leaves_out_facts_that_some_frames_lack():
    mean = average({"1": _score(30.0, clamped=2.0), "2": _score(40.0)})
    assert mean.score == _score(35.0)


def test_the_mean_of_identical_frames_only_is_infinite():
    mean = average({"7": _score(math.inf), "8": _score(math.inf)})
    assert (mean.score.value, mean.frames, mean.identical) == (math.inf, 0, ("7", "8"))
    assert "identical, excluded: 7, 8" in str(mean)


def test_scores_of_different_kinds_have_no_mean():
    other = Score("PSNR_T", 30.0, "dB", (("mu", 100.0),))
    with pytest.raises(ShotError, match="mu=100.*mu=5000"):
        average({"1": _score(30.0), "2": other})
    with pytest.raises(ShotError):
        average({})


def test_a_score_that_is_not_a_number_is_refused_by_name():
    with pytest.raises(ImageError, match="a/0003"):
        average({"a/0002": _score(30.0), "a/0003": _score(math.nan)})


def test_text_and_json_contain_the_parameters():
    score = _score(43.87, clamped=2)
    assert str(score) == "PSNR_T 43.8700 dB (mu=5000, clamped=2)"
    assert str(Score("SSIM", 0.5)) == "SSIM 0.5000"
    assert float(score) == 43.87
    assert json.loads(json.dumps(score.to_json())) == {
        "metric": "PSNR_T", "value": 43.87, "unit": "dB", "parameters": {"mu": 5000.0}, "facts": {"clamped": 2},
    }  # fmt: skip
    assert _score(math.inf).to_json()["value"] == "inf"


def test_a_mean_has_the_facts_of_its_frames_or_their_range():
    frames = {
        name: Score("Q", 70.0, "", (), (("pixels_per_degree", near), ("size", size), ("encoding", "linear")))
        for name, near, size in (("a", 72.5, "48x40"), ("b", 60.0, "64x48"))
    }
    assert average(frames).score.facts == (("pixels_per_degree", "60 to 72.5"), ("encoding", "linear"))
    assert average({"a": frames["a"]}).score.facts == frames["a"].facts
