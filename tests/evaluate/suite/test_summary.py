"""The table of a suite, from scores whose means are known."""

import math

import pytest

from f2hdr_backend.evaluate.suite.scoring import WindowScores
from f2hdr_backend.evaluate.suite.suite import Case
from f2hdr_backend.evaluate.suite.summary import summary
from f2hdr_backend.shot.errors import ImageError


def score(index, kind, ratio, is_long, psnr, *, sums=None, **extras):
    return WindowScores(Case(index, kind, ratio, is_long), "m", psnr, psnr + 1, 0.9, sums or {}, extras)


SCORES = [
    score(0, "static", 2.0, True, 30.0, sums={"PSNR_T clipped": (0.2, 10), "EPE": (6.0, 3)}, flicker=0.4),
    score(1, "night", 3.0, False, 40.0, sums={"PSNR_T clipped": (0.0, 10), "EPE": (0.0, 0)}),
    score(2, "static", 3.0, False, 50.0, sums={"PSNR_T clipped": (0.0, 0)}, flicker=0.2),
]


def test_rows_are_means_over_their_windows():
    rows = summary(SCORES)["m"]
    assert rows["PSNR_T"] == 40 and rows["PSNR_L"] == 41
    assert rows["PSNR_T (static)"] == 40 and rows["PSNR_T (night)"] == 40
    assert rows["PSNR_T (3 stops)"] == 45 and rows["PSNR_T (long reference)"] == 30
    assert rows["PSNR_T clipped"] == pytest.approx(-10 * math.log10(0.2 / 20))  # pixels pooled, not windows
    assert rows["EPE"] == 2 and rows["flicker"] == pytest.approx(0.3)


def test_kinds_come_before_ratios_and_ratios_before_references():
    names = [name for name in summary(SCORES)["m"] if name.endswith(")")]
    assert [name.removeprefix("PSNR_T ") for name in names] == [
        "(static)", "(night)", "(2 stops)", "(3 stops)", "(long reference)", "(short reference)",
    ]  # fmt: skip


def test_windows_without_a_finite_score_are_left_out_unless_there_are_no_others():
    assert summary([*SCORES, score(3, "night", 2.0, True, math.inf)])["m"]["PSNR_T"] == 40
    with pytest.raises(ImageError):
        summary([score(0, "static", 2.0, True, math.inf)])
