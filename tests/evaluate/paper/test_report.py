"""The report page of a run: pictures against those computed here, scores against the run's, and the chosen frames."""

import numpy as np
import pytest
import torch

from f2hdr_backend.engine.method.merge import MergeMethod
from f2hdr_backend.evaluate.page.page import write_page
from f2hdr_backend.evaluate.paper.benchmark import Benchmark, Plan
from f2hdr_backend.evaluate.paper.metric import ScoreSettings
from f2hdr_backend.evaluate.paper.report import report_page
from f2hdr_backend.evaluate.paper.results import ResultsFolder
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import ShotError
from tests.evaluate.page_text import facts_of, planes_of
from tests.evaluate.reading import dataset_trees as trees
from tests.evaluate.reading.test_datasets import tog13

MERGE = Engine(method="merge", device="cpu", precision="fp32")


def run(name, folder, metrics=("psnr",), results=None):
    benchmark = Benchmark(Plan(name, folder, MERGE, ScoreSettings(metrics)))
    for _ in benchmark.run(None if results is None else ResultsFolder(results, benchmark.settings)):
        pass
    return benchmark


def written(benchmark, folder, most=8, width=None):
    path = folder / "page.html"
    write_page(path, report_page(benchmark, "what was run", most, width))
    return path.read_text(encoding="utf-8")


def channels_last(plane):
    return np.moveaxis(plane.astype(np.float32), 0, -1)


def test_pictures_are_the_result_the_recorded_reference_and_the_truth(tmp_path):
    root = trees.deephdrvideo(tmp_path / "tree", frames=5, peak=1.5)
    planes = planes_of(written(run("deephdrvideo", root), tmp_path))
    codes = np.stack([trees.read_codes(root / "alley" / f"img_{n}.tif") for n in (1, 2, 3)])
    frame = MergeMethod(MERGE, torch.device("cpu"))(codes, (8.0, 1.0, 8.0), occlusions=False)
    dark = (codes[1] @ (0.299, 0.587, 0.114) < 0.2)[..., None]
    truth = trees.read_truth(root / "alley" / "hdr_2.hdr")
    expected = {
        "A": np.where(dark, frame.radiance, codes[1] ** 2.2),
        "B": codes[1] ** 2.2,
        "truth": truth / truth.max(),
        "A/backward": frame.flows[0],
        "A/forward": frame.flows[1],
        "A/motion.backward": frame.masks[0][..., None],
        "A/motion.forward": frame.masks[1][..., None],
        "A/reconstructed": dark,
    }
    assert {name for _, name in planes} == expected.keys()
    for name, picture in expected.items():
        np.testing.assert_allclose(channels_last(planes[0, name]), picture, rtol=1e-3, atol=1e-3, err_msg=name)


def test_the_report_has_scores_scenes_exposures_and_numbers_of_the_paper(tmp_path):
    root = trees.real_hdrv(tmp_path / "tree", frames=5, scenes=("night", "square"), peak=1.5)
    benchmark = run("real-hdrv", root, ("psnr", "flicker"))
    facts = facts_of(written(benchmark, tmp_path))
    rows = {row["metric"]: row for row in facts["scores"]}
    assert list(rows) == ["PSNR_T", "PSNR_L", "flicker", "odd/even", "seconds", "peak GiB"]
    assert [value for _, value in rows["PSNR_T"]["frames"]] == [
        row.scores["PSNR_T"].value for row in benchmark.rows.frames
    ]
    assert rows["PSNR_T"]["value"] == benchmark.summary().all["PSNR_T"].score.value
    assert (rows["PSNR_T"]["against"], rows["seconds"]["against"]) == ("truth", "")
    assert rows["flicker"]["over"] == "scenes"
    assert rows["flicker"]["frames"] == [
        [first, row.scores["flicker"].value] for first, row in zip((0, 3), benchmark.rows.scenes, strict=True)
    ]
    groups = {grouping["title"]: grouping["groups"] for grouping in facts["groupings"]}
    assert groups == {
        "scene": [["night", [0, 1, 2]], ["square", [3, 4, 5]]],
        "reference": [["exposure × 1", [0, 2, 3, 5]], ["exposure × 8", [1, 4]]],
    }
    assert rows["seconds"]["parameters"] == {"where": "cpu"}
    assert facts["names"]["4"] == "square/0002"
    assert facts["published"]["PSNR_T"] == 41.01
    assert "The truth of 6 of 6 frames exceeded 1" in " ".join(facts["notes"])


def test_the_page_states_how_many_frames_were_chosen(tmp_path):
    root = trees.deephdrvideo(tmp_path / "tree", frames=8, scenes=("alley", "park"))
    benchmark = run("deephdrvideo", root)
    facts = facts_of(written(benchmark, tmp_path, most=3, width=24))
    scores = [row.scores["PSNR_T"].value for row in benchmark.rows.frames]
    ranked = np.argsort(scores)
    assert facts["frames"] == sorted([ranked[0], ranked[4], ranked[-1]])
    assert facts["sizes"] == [[24, 20]] * 3
    notes = " ".join(facts["notes"])
    assert "3 of 8 frames" in notes
    assert "at most 24 pixels wide" in notes
    with pytest.raises(ShotError, match=r"\b0\b"):
        written(benchmark, tmp_path, most=0)


def test_a_resumed_run_has_the_same_pictures(tmp_path):
    root = trees.deephdrvideo(tmp_path / "tree", frames=6)
    first, again = (planes_of(written(run("deephdrvideo", root, results=tmp_path / "out"), tmp_path)) for _ in range(2))
    assert first.keys() == again.keys()
    for key, plane in first.items():
        np.testing.assert_array_equal(again[key], plane)


def test_scenes_of_different_size_share_a_page(tmp_path):
    root = tmp_path / "tree"
    trees.deephdrvideo(root, frames=5, scenes=("alley",))
    trees.deephdrvideo(root, frames=5, scenes=("park",), size=(64, 32))
    (root / "scene_all.txt").write_text("alley\npark\n")
    assert facts_of(written(run("deephdrvideo", root), tmp_path))["sizes"] == [[48, 40], [64, 32]]


def test_without_ground_truth_frames_are_chosen_evenly(tmp_path):
    (tmp_path / "tree").mkdir()
    benchmark = run("tog13", tog13(tmp_path / "tree", frames=8), ("flicker",))
    facts = facts_of(written(benchmark, tmp_path, most=2))
    assert [source["name"] for source in facts["sources"]] == ["A", "B"]
    assert facts["frames"] == [0, 3]
    assert {row["against"] for row in facts["scores"]} == {""}
