"""One contract for all metrics of the benchmark, and a metric added as one file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from f2hdr_backend.evaluate.paper import metrics
from f2hdr_backend.evaluate.paper.benchmark import Benchmark, Plan
from f2hdr_backend.evaluate.paper.metric import FrameMetric, SceneMetric, ScoreSettings, load_metric
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import DocumentError
from tests.evaluate.reading import dataset_trees as trees

DUMMY = """
import numpy as np
from f2hdr_backend.evaluate.metrics.score import Score
from f2hdr_backend.evaluate.paper.metric import FrameMetric

def _largest(scored):
    error = float(np.abs(scored.result - scored.truth.radiance).max())
    return {"largest error": Score("largest error", error, "", (("data_range", 1.0),))}

METRIC = FrameMetric(_largest)
"""


def _scored(root: Path, *names: str) -> list:
    plan = Plan("real-hdrv", root, Engine(method="merge", precision="fp32"), ScoreSettings(names))
    benchmark = Benchmark(plan)
    list(benchmark.run())
    return list(benchmark.rows.frames) + list(benchmark.rows.scenes)


def test_the_published_metrics_exist() -> None:
    assert {"psnr", "ssim", "hdrvdp", "warp", "epe", "flicker", "cvvdp", "ssim-standard"} <= set(metrics.names())


@pytest.mark.parametrize("name", metrics.names())
def test_every_metric_declares_its_data_and_settings(name: str) -> None:
    metric = load_metric(name)
    assert isinstance(metric, (FrameMetric, SceneMetric)) and metric.needs
    if name != "cvvdp":  # another program, which need not be installed
        json.dumps(metric.settings(ScoreSettings((name,))))


@pytest.mark.parametrize("name", [name for name in metrics.names() if name not in ("cvvdp", "hdrvdp")])
def test_every_metric_scores_a_scene_with_its_parameters(tmp_path: Path, name: str) -> None:
    rows = _scored(trees.real_hdrv(tmp_path, frames=5), name)
    plain = {column for row in _scored(tmp_path) for column in row.scores}
    scores = {column: score for row in rows for column, score in row.scores.items() if column not in plain}
    assert scores
    for score in scores.values():
        assert score.parameters and score.value == score.value


def test_a_new_metric_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "largest_error.py").write_text(DUMMY, encoding="utf-8")
    monkeypatch.setattr(metrics, "__path__", [*metrics.__path__, str(tmp_path / "more")])
    assert "largest-error" in metrics.names()
    rows = _scored(trees.real_hdrv(tmp_path / "tree", frames=5), "largest-error")
    assert all(row.scores["largest error"].value > 0 for row in rows)


def test_an_unknown_metric_is_refused_with_the_known_names() -> None:
    with pytest.raises(DocumentError, match="psnr"):
        replace(ScoreSettings(()), metrics=("psnrr",))
