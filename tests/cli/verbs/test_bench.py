"""``f2hdr bench`` as a user types it."""

import json

import cv2
import pytest
from typer.testing import CliRunner

from f2hdr_backend.cli.main import build_app
from f2hdr_backend.shot.errors import DocumentError


def bench(*arguments):
    result = CliRunner().invoke(build_app(), ["bench", "--precision", "fp32", "--frames", "1", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_text_json_and_chart_show_the_same_measurement(tmp_path):
    numbers, chart = tmp_path / "new" / "bench.json", tmp_path / "bench.png"
    text = bench("--sizes", "64x48,96x64", "--json", numbers, "--plot", chart)
    assert "weights standard, flow dis, fp32 on cpu" in text and "untrained" not in text
    answer = json.loads(numbers.read_text())
    assert [(result["size"], result["method"]) for result in answer["results"]] == [
        (size, method) for size in ([64, 48], [96, 64]) for method in ("f2hdr", "merge", "plain")
    ]
    for result in answer["results"]:
        assert result["frames_per_second"] == pytest.approx(1 / result["seconds_per_frame"])
        line = next(
            line for line in text.splitlines()
            if line.split()[:4] == [str(result["size"][0]), "x", str(result["size"][1]), result["method"]]
        )  # fmt: skip
        assert f"{result['seconds_per_frame']:.3g}" in line.split()
    assert {method: round(sum(parts.values()) / 1e9) for method, parts in answer["operations_256"].items()} == {
        "f2hdr": 110, "plain": 123,
    }  # fmt: skip
    assert "110.0" in text and "122.8" in text
    assert cv2.imread(str(chart)).shape == (640, 1500, 3)


def test_missing_flow_weights_are_replaced_by_random_ones_with_a_note(tmp_path, monkeypatch):
    monkeypatch.setenv("F2HDR_WEIGHTS", str(tmp_path))
    text = bench("--sizes", "64x48", "--flow", "sea_raft", "--no-plain")
    assert "flow sea_raft (untrained flow weights: times only)" in text
    assert "plain  " not in text and "243.4" in text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sizes", ["4k60", "64x", "0x48", "64x48,"])
def test_an_invalid_frame_size_is_refused_before_any_work(sizes):
    with pytest.raises(DocumentError, match="540p"):
        bench("--sizes", sizes)


def test_mergenet_is_measured_with_the_merge_and_without_the_baseline(tmp_path):
    bench("--weights", "mergenet", "--sizes", "96x64", "--json", tmp_path / "bench.json")
    report = json.loads((tmp_path / "bench.json").read_text())
    seconds = {result["method"]: result.get("seconds_per_frame") for result in report["results"]}
    assert seconds["f2hdr"] > 0 and seconds["merge"] > 0 and seconds["plain"] is None
    assert set(report["operations_256"]) == {"f2hdr"}
