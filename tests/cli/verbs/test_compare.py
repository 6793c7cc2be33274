"""``f2hdr compare`` on small EXR sequences: scores against the formulas, scales, limits and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from f2hdr_backend.cli.verbs import compare
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.errors import F2HDRError, ImageError, MissingFrames, ShotError
from tests.evaluate.page_text import facts_of

SHAPE = (24, 32, 3)
FRAMES = (1001, 1002, 1003)


def _truth(number: int) -> np.ndarray:
    return np.random.default_rng(number).uniform(0.01, 1, SHAPE).astype(np.float32)


def _write(folder: Path, name: str, pixels, header=None, **layers) -> str:
    for number in FRAMES:
        path = folder / name / f"{name}.{number}.exr"
        write_exr(path, {"RGB": pixels(number), **layers}, header or {}, pixel_type="float")
    return str(folder / name / f"{name}.####.exr")


@pytest.fixture
def shots(tmp_path):
    """A render anchored 3 stops up with a small error, another with a larger one, and the truth."""
    anchored = {"f2hdr/anchor_gain": 8.0}
    layer = np.ones(SHAPE[:2], np.float32)
    flow = {"forward.u": layer, "forward.v": layer}
    a = _write(tmp_path, "a", lambda n: 8 * (_truth(n) + np.float32(0.001)), anchored, **flow)
    b = _write(tmp_path, "b", lambda n: 8 * (_truth(n) + np.float32(0.01)), anchored)
    return a, b, _write(tmp_path, "truth", _truth)


def _run(*args: str) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    compare.register(app)
    result = CliRunner().invoke(app, ["compare", *args])
    if isinstance(result.exception, F2HDRError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def _facts(page: Path) -> dict:
    return facts_of(page.read_text(encoding="utf-8"))


def test_renders_are_scored_with_the_clip_of_the_short_exposure_at_1(shots, tmp_path):
    a, b, truth = shots
    scores = json.loads(_run(a, b, "--truth", truth, "-o", str(tmp_path / "p.html"), "--json").stdout)["scores"]
    linear = {row["source"]: row["frames"] for row in scores if row["metric"] == "PSNR_L"}
    for name, error in (("A", 0.001), ("B", 0.01)):
        for number in FRAMES:
            assert linear[name][str(number)]["value"] == pytest.approx(-20 * np.log10(error), abs=1e-3)
            assert linear[name][str(number)]["parameters"]["white"] == 8.0
    mapped = next(row for row in scores if row["metric"] == "PSNR_T" and row["source"] == "B")["frames"]["1002"]
    truth_values = _truth(1002).astype(np.float64)
    curve = [np.log1p(5000 * values) / np.log1p(5000) for values in (truth_values, truth_values + 0.01)]
    assert mapped["value"] == pytest.approx(-10 * np.log10(np.mean((curve[0] - curve[1]) ** 2)), abs=1e-3)


def test_the_page_has_the_values_of_file_a_and_scales_the_truth_to_them(shots, tmp_path):
    a, b, truth = shots
    page = tmp_path / "p.html"
    result = _run(a, b, "--truth", truth, "-o", str(page), "--title", "Take 7")
    facts = _facts(page)
    assert facts["title"] == "Take 7"
    assert [source["note"] for source in facts["sources"]] == ["", "", "× 8 to match A"]
    assert facts["layers"] == {"A/forward": {"kind": "flow", "fastest": 2}}
    assert "PSNR_T dB" in result.stdout
    assert "mu=5000" in result.stdout
    assert "white=8" in result.stdout
    assert "warning" not in result.stderr


def test_without_truth_a_is_scored_against_b(shots, tmp_path):
    a, b, _ = shots
    scores = json.loads(_run(a, b, "-o", str(tmp_path / "p.html"), "--json").stdout)["scores"]
    assert {(row["source"], row["against"]) for row in scores} == {("A", "B")}


def test_pictures_without_exposure_metadata_are_normalized_by_the_largest_reference_value(tmp_path):
    largest = max(float(_truth(number).max()) for number in FRAMES)
    a = _write(tmp_path, "a", lambda n: 4 * _truth(n) + np.float32(0.04))
    b = _write(tmp_path, "b", lambda n: 4 * _truth(n))
    row = next(
        row
        for row in json.loads(_run(a, b, "-o", str(tmp_path / "p.html"), "--json").stdout)["scores"]
        if row["metric"] == "PSNR_L"
    )
    score = row["frames"]["1001"]
    assert score["parameters"]["white"] == pytest.approx(4 * largest)
    assert score["value"] == pytest.approx(20 * np.log10(4 * largest / 0.04), abs=1e-3)


def test_a_ground_truth_of_another_exposure_is_reported_and_scaled(tmp_path):
    a = _write(tmp_path, "a", lambda n: 0.4 * _truth(n))
    truth = _write(tmp_path, "truth", lambda n: 1.6 * _truth(n))
    page = str(tmp_path / "p.html")
    answer = _run(a, a, "--truth", truth, "-o", page).stderr
    assert "truth is +2.00 stops from A" in answer
    assert "--truth-stops -2.00" in answer
    fixed = _run(a, a, "--truth", truth, "--truth-stops", "-2", "-o", page)
    assert "stops from A" not in fixed.stderr
    assert "inf" in fixed.stdout


@pytest.mark.parametrize("stops", ["1e308", "-1e308", "31", "inf", "nan"])
def test_an_exposure_of_the_truth_outside_its_range_is_refused(shots, tmp_path, stops):
    a, b, truth = shots
    app = typer.Typer()
    app.callback()(lambda: None)
    compare.register(app)
    page = tmp_path / "p.html"
    result = CliRunner().invoke(app, ["compare", a, b, "--truth", truth, "--truth-stops", stops, "-o", str(page)])
    assert result.exit_code == 2
    assert "--truth-stops" in result.stderr and "30" in result.stderr
    assert not page.exists()


def test_ground_truth_from_f2hdr_needs_no_option_and_a_constant_factor_is_reported(tmp_path):
    a = _write(tmp_path, "a", lambda n: 8 * _truth(n), {"f2hdr/anchor_gain": 8.0})
    truth = _write(tmp_path, "truth", lambda n: 4 * _truth(n), {"f2hdr/anchor_gain": 4.0})
    plain = _write(tmp_path, "plain", lambda n: 1.2 * _truth(n))
    page = str(tmp_path / "p.html")
    answer = _run(a, a, "--truth", truth, "-o", page)
    assert "inf" in answer.stdout and "warning" not in answer.stderr
    assert "+0.26 stops" in _run(a, a, "--truth", plain, "-o", page).stderr


def test_the_page_is_limited_in_frames_and_scores_are_complete(shots, tmp_path):
    a, b, truth = shots
    page = tmp_path / "p.html"
    answer = _run(a, b, "--truth", truth, "-o", str(page), "--page-frames", "2", "--page-width", "16").stderr
    assert "2 of 3 frames: 1001, 1003" in answer
    assert "16 pixels wide, averaged from 32 x 24" in answer
    facts = _facts(page)
    assert (facts["frames"], facts["sizes"], len(facts["notes"])) == ([1001, 1003], [[16, 12]] * 2, 2)
    assert [number for number, _ in facts["scores"][0]["frames"]] == list(FRAMES)


def test_frames_can_be_selected_and_missing_ones_are_named(shots, tmp_path):
    a, b, _ = shots
    page = tmp_path / "p.html"
    _run(a, b, "-o", str(page), "--frames", "1002-1003")
    assert _facts(page)["frames"] == [1002, 1003]
    Path(b.replace("####", "1002")).unlink()
    with pytest.raises(MissingFrames, match="1002"):
        _run(a, b, "-o", str(page))


def test_pictures_that_cannot_be_compared_are_refused(shots, tmp_path):
    a, b, _ = shots
    small = _write(tmp_path, "small", lambda n: _truth(n)[:20])
    with pytest.raises(ImageError, match="32 x 24 and 32 x 20"):
        _run(a, small, "-o", str(tmp_path / "p.html"))
    broken = _write(tmp_path, "broken", lambda n: np.full(SHAPE, np.nan, np.float32))
    with pytest.raises(ImageError, match="NaN"):
        _run(a, broken, "-o", str(tmp_path / "p.html"))
    with pytest.raises(ShotError, match="--white"):
        _run(a, b, "-o", str(tmp_path / "p.html"), "--white", "0")
    assert not (tmp_path / "p.html").exists()
