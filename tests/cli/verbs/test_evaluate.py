"""``f2hdr evaluate`` as a user types it."""

import json
import re

import pytest
from typer.testing import CliRunner

from f2hdr_backend.cli.main import build_app
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.errors import DeviceUnavailable, DocumentError, ShotError, UnwritableFrame
from tests.evaluate.page_text import facts_of
from tests.evaluate.reading import dataset_trees as trees
from tests.train.worlds import world


def evaluate(*arguments):
    result = CliRunner().invoke(build_app(), ["evaluate", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_dataset_prints_rows_of_the_paper_our_rows_and_parameters(tmp_path):
    root = trees.real_hdrv(tmp_path, frames=5)
    text = evaluate("dataset", "real-hdrv", root, "--method", "merge", "--metrics", "psnr,hdrvdp,flicker")
    for part in (
        "real-hdrv, reference alternate: 3 frames of 1 scenes; merge, flow dis, fp32, reference trust hard",
        "Table 2",
        "low reference",
        "high reference",
        "\nnight ",
        "mu=5000, data_range=1",
        "encoding=sRGB-display, display=28 in at 0.55 m",
        "odd/even",
    ):
        assert part in text
    columns = next(line for line in text.splitlines() if "PSNR_T" in line).split()
    assert columns == ["PSNR_T", "HDR-VDP-2", "PSNR_L"]
    paper = next(line for line in text.splitlines() if line.startswith("F2HDR (paper)")).split()
    assert paper[2:] == ["41.01", "76.93", "50.51"]


def test_json_is_one_event_a_line_and_settings_reach_the_scores(tmp_path):
    root = trees.real_hdrv(tmp_path, frames=4)
    lines = evaluate(
        "dataset", "real_hdrv", root, "--method", "merge", "--metrics", "hdrvdp", "--ref-exposure", "high",
        "--reference-trust", "off", "--hdrvdp", "round_trip=official,diagonal_in=24,distance_m=0.5", "--json",
    ).splitlines()  # fmt: skip
    *frames, finished = [json.loads(line) for line in lines]
    assert [(event["event"], event["frame"], event["exposure"]) for event in frames] == [
        ("frame_scored", 1, 8.0), ("frame_scored", 2, 8.0),
    ]  # fmt: skip
    assert finished["event"] == "evaluation_finished"
    parameters = finished["parameters"]["HDR-VDP-2"]
    assert parameters["display"] == "24 in at 0.5 m"
    assert parameters["round_trip"] == "official"
    assert parameters["reference_trust"] == "off"
    mean = sum(event["scores"]["HDR-VDP-2"]["value"] for event in frames) / 2
    assert finished["all"]["HDR-VDP-2"] == pytest.approx(mean)
    assert finished["low"] == {}


def test_metrics_none_prints_times_and_no_scores(tmp_path):
    root = trees.deephdrvideo(tmp_path, frames=5)
    text = evaluate("dataset", "deephdrvideo", root, "--method", "merge", "--metrics", "none")
    assert "PSNR" not in text
    assert "seconds" in text


def test_the_report_is_one_html_page(tmp_path):
    root = trees.real_hdrv(tmp_path / "tree", frames=5)
    page = tmp_path / "report.html"
    text = evaluate(
        "dataset", "real-hdrv", root, "--method", "merge", "--metrics", "psnr", "--report", page,
        "--page-frames", "2", "--page-width", "24",
    )  # fmt: skip
    facts = facts_of(page.read_text(encoding="utf-8"))
    assert (len(facts["frames"]), facts["sizes"]) == (2, [[24, 20]] * 2)
    assert facts["title"] == "real-hdrv: merge"
    mean = next(line for line in text.splitlines() if line.startswith("all frames")).split()[2]
    assert f"{facts['scores'][0]['value']:.2f}" == mean
    assert facts["notes"][0] == text.splitlines()[0] + "."


def test_a_suite_has_an_html_report(tmp_path):
    write_exr(tmp_path / "vestibule_1k.exr", {"RGB": world().radiance}, {}, pixel_type="float")
    page = tmp_path / "suite.html"
    evaluate("suite", "synthetic", tmp_path, "--weights", "lite", "--windows", "1", "--report", page)
    facts = facts_of(page.read_text(encoding="utf-8"))
    assert [source["label"] for source in facts["sources"]] == ["lite", "merge", "true radiance"]
    assert facts["names"] == {"0": "0 static, 2 stops, long"}


@pytest.mark.parametrize(
    ("arguments", "error", "what"),
    [
        (("suite", "kodak", "DIR"), DocumentError, "kodak"),
        (("dataset", "kodak", "DIR"), DocumentError, "kodak"),
        (("dataset", "real-hdrv", "DIR"), ShotError, "real-hdrv.*Input_0"),
        (("dataset", "real-hdrv", "DIR", "--ref-exposure", "middle"), DocumentError, "middle"),
        (("suite", "synthetic", "DIR", "--device", "cuda:99"), DeviceUnavailable, "cuda:99"),
    ],
)
def test_wrong_requests_are_refused(tmp_path, arguments, error, what):
    with pytest.raises(error, match=what):
        evaluate(*(tmp_path if argument == "DIR" else argument for argument in arguments))


def test_options_of_dataset_and_suite_are_separate(tmp_path):
    for arguments in (("dataset", "real-hdrv", "--windows", "4"), ("suite", "synthetic", "--jobs", "1")):
        result = CliRunner().invoke(build_app(), ["evaluate", *arguments, str(tmp_path)])
        assert result.exit_code == 2


@pytest.mark.parametrize("setting", ["viewer=me", "distance_m=far", "distance_m=-1", "round_trip=mine", "encoding=PQ"])
def test_wrong_hdrvdp_settings_are_refused(tmp_path, setting):
    root = trees.deephdrvideo(tmp_path, frames=5)
    with pytest.raises(ShotError, match=setting.split("=")[0]):
        evaluate("dataset", "deephdrvideo", root, "--method", "merge", "--hdrvdp", setting)


def test_a_report_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    root = trees.deephdrvideo(tmp_path / "tree", frames=5)
    merge = ("dataset", "deephdrvideo", root, "--method", "merge", "--metrics", "psnr", "-o", tmp_path / "out")
    (tmp_path / "file").write_text("")
    for page in (tmp_path / "file" / "page.html", tmp_path / "tree"):
        with pytest.raises(UnwritableFrame, match=page.name):
            evaluate(*merge, "--report", page)
    for option in (("--page-frames", "0"), ("--page-width", "15")):
        result = CliRunner().invoke(build_app(), ["evaluate", *map(str, merge), *option])
        assert result.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_frames_of_several_sizes_give_a_range_of_pixels_per_degree(tmp_path):
    root = trees.deephdrvideo(tmp_path / "tree", frames=5)
    trees.deephdrvideo(root, frames=5, size=(64, 32), scenes=("park",))
    (root / "scene_all.txt").write_text("alley\npark\n")
    page = tmp_path / "page.html"
    merge = ("dataset", "deephdrvideo", root, "--method", "merge", "--metrics", "hdrvdp", "--report", page)
    answer = next(line for line in evaluate(*merge).splitlines() if line.startswith("HDR-VDP-2 ("))
    expected = re.search(r"pixels_per_degree=([\d.]+ to [\d.]+)", answer)[1]
    assert facts_of(page.read_text(encoding="utf-8"))["scores"][0]["facts"]["pixels_per_degree"] == expected
    finished = json.loads(evaluate(*merge[:-2], "--json").splitlines()[-1])
    assert finished["parameters"]["HDR-VDP-2"]["pixels_per_degree"] == expected
    assert finished["parameters"]["seconds"]["where"] == "cpu"
