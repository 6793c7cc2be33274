"""The comparison page as a file: embedded data, decoded here by the documented layout, and refusals."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from f2hdr_backend.evaluate.metrics.score import Score
from f2hdr_backend.evaluate.page.page import (
    MOST_BYTES,
    Grouping,
    Page,
    PageFrame,
    ScoreRow,
    Source,
    bytes_of,
    pick_frames,
    shrink,
    write_page,
)
from f2hdr_backend.shot.errors import ImageError, ShotError
from tests.evaluate.page_text import facts_of, planes_of

SOURCES = (Source("A", "a.####.exr"), Source("B", "b.####.exr", "× 8 to match A"))


def _frame(number: int, seed: int, shape: tuple[int, int] = (9, 14)) -> PageFrame:
    random = np.random.default_rng(seed)
    radiance = {name: np.exp2(random.uniform(-20, 15, (*shape, 3))).astype(np.float32) for name in ("A", "B")}
    flow = random.uniform(-3, 3, (*shape, 2)).astype(np.float32)
    return PageFrame(number, {**radiance, "A/forward": flow, "A/motion.forward": random.random(shape, np.float32)})


def _written(folder: Path, page: Page) -> str:
    path = folder / "page.html"
    write_page(path, page)
    return path.read_text(encoding="utf-8")


def test_every_value_is_in_the_page_as_a_half_float(tmp_path):
    frames = [_frame(1001, 1), _frame(1005, 2)]
    planes = planes_of(_written(tmp_path, Page("t", SOURCES, frames)))
    assert len(planes) == 8
    for frame in frames:
        for name, plane in frame.planes.items():
            shown = np.moveaxis(planes[frame.number, name], 0, -1).reshape(plane.shape)
            np.testing.assert_array_equal(shown, plane.astype(np.float16))


def test_values_beyond_the_range_of_half_floats_become_the_largest_half_float(tmp_path):
    plane = np.full((4, 4, 3), 1e6, np.float32)
    planes = planes_of(_written(tmp_path, Page("t", SOURCES, [PageFrame(1, {"A": plane, "B": -plane})])))
    assert (planes[1, "A"] == 65504).all()
    assert (planes[1, "B"] == -65504).all()


def test_the_facts_name_frames_layers_and_scores_with_parameters(tmp_path):
    parameters = (("mu", 5000.0),)
    scores = {1001: Score("PSNR_T", 40.0, "dB", parameters), 1002: Score("PSNR_T", np.inf, "dB", parameters)}
    page = Page("t", SOURCES, [_frame(1001, 1)], (ScoreRow("A", "B", scores),), 8.0, ("A note.",))
    facts = facts_of(_written(tmp_path, page))
    assert (facts["frames"], facts["sizes"], facts["white"], facts["notes"]) == ([1001], [[14, 9]], 8.0, ["A note."])
    assert facts["layers"]["A/motion.forward"]["kind"] == "mask"
    flow = page.frames[0].planes["A/forward"]
    assert facts["layers"]["A/forward"] == {"kind": "flow", "fastest": np.ceil(np.percentile(np.hypot(*flow.T), 99))}
    row = facts["scores"][0]
    assert (row["metric"], row["value"], row["parameters"]) == ("PSNR_T", 40.0, {"mu": 5000.0})
    assert (row["identical"], row["frames"]) == (["1002"], [[1001, 40.0], [1002, "inf"]])


def test_the_page_refers_to_no_other_file_or_address(tmp_path):
    text = _written(tmp_path, Page("t", SOURCES, [_frame(1, 1)]))
    assert not re.findall(r"(?:src|href)\s*=|@import|url\(|\bfetch\(|XMLHttpRequest|import\(", text)
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in text


def test_names_are_escaped_in_the_page(tmp_path):
    evil = '</script><script>alert("1")</script>'
    text = _written(tmp_path, Page(evil, (Source("A", evil, evil), SOURCES[1]), [_frame(1, 1)], notes=(evil,)))
    assert evil not in text
    assert facts_of(text)["sources"][0]["label"] == evil


def test_a_title_that_is_not_text_is_written(tmp_path):
    text = _written(tmp_path, Page("m\udcffller\x1b[2J", SOURCES, [_frame(1, 1)]))
    assert "m\\udcffller\\x1b[2J" in text


def test_flows_of_all_sources_share_a_scale_and_frames_may_differ_in_size(tmp_path):
    def frame(number, shape, px):
        planes = {"A": np.zeros((*shape, 3), np.float32), "B": np.zeros((*shape, 3), np.float32)}
        flows = {f"{name}/forward": np.full((*shape, 2), speed, np.float32) for name, speed in px.items()}
        return PageFrame(number, planes | flows)

    frames = [frame(1, (4, 6), {"A": 3, "B": 0}), frame(2, (8, 5), {"A": 0, "B": 9})]
    facts = facts_of(_written(tmp_path, Page("t", SOURCES, frames)))
    assert facts["sizes"] == [[6, 4], [5, 8]]
    assert {name: layer["fastest"] for name, layer in facts["layers"].items()} == {"A/forward": 13, "B/forward": 13}


def test_groups_keep_the_order_of_frames_and_names_reach_the_page(tmp_path):
    rows = {0: "10", 1: "2", 2: "10"}
    grouping = Grouping.of("scene", rows, lambda row: row)
    score = Score("flicker", 0.5, "stops")
    page = Page(
        "t", SOURCES, [_frame(0, 1)], (ScoreRow("A", "", {0: score}, "my flicker", "scenes"),),
        names={0: "night/0001"}, groupings=(grouping,), published={"my flicker": 0.25},
    )  # fmt: skip
    facts = facts_of(_written(tmp_path, page))
    assert facts["groupings"] == [{"title": "scene", "groups": [["10", [0, 2]], ["2", [1]]], "splits_scenes": False}]
    assert (facts["names"], facts["published"]) == ({"0": "night/0001"}, {"my flicker": 0.25})
    row = facts["scores"][0]
    assert (row["metric"], row["over"], row["decimals"]) == ("my flicker", "scenes", 4)


def test_frames_are_chosen_evenly_and_include_both_ends():
    assert pick_frames(range(1001, 1049), 1, 8) == (1001, 1008, 1014, 1021, 1028, 1035, 1041, 1048)
    assert pick_frames((3, 5, 9), 1, 8) == (3, 5, 9)
    assert pick_frames(range(10), 1, 1) == (0,)
    assert len(pick_frames(range(100), MOST_BYTES // 5, 50)) == 5


def test_a_frame_too_large_for_a_page_is_refused_with_an_action():
    with pytest.raises(ShotError, match="--page-width"):
        pick_frames((1,), MOST_BYTES + 1)
    with pytest.raises(ShotError, match=r"\b0\b"):
        pick_frames((1,), 1, 0)


def test_shrinking_averages_and_scales_flow():
    picture = np.arange(32 * 64 * 3, dtype=np.float32).reshape(32, 64, 3)
    small = shrink(PageFrame(1, {"A": picture, "A/forward": np.full((32, 64, 2), 6, np.float32)}), 32).planes
    np.testing.assert_allclose(small["A"], picture.reshape(16, 2, 32, 2, 3).mean((1, 3)), rtol=1e-6)
    np.testing.assert_allclose(small["A/forward"], np.full((16, 32, 2), 3), rtol=1e-6)
    assert shrink(PageFrame(1, {"A": picture}), 100).planes["A"] is picture


def test_a_value_takes_two_bytes():
    assert bytes_of(_frame(1, 1)) == 2 * 9 * 14 * (3 + 3 + 2 + 1)


@pytest.mark.parametrize(
    "plane", [np.zeros((9, 13, 3), np.float32), np.zeros((9, 14, 4), np.float32), np.full((9, 14, 3), np.nan)]
)
def test_invalid_planes_are_refused_and_no_file_is_written(tmp_path, plane):
    frame = PageFrame(7, {"A": np.zeros((9, 14, 3), np.float32), "B": plane})
    with pytest.raises(ImageError, match="B.*7"):
        write_page(tmp_path / "page.html", Page("t", SOURCES, [frame]))
    assert list(tmp_path.iterdir()) == []


def test_a_page_without_frames_is_refused(tmp_path):
    with pytest.raises(ShotError):
        write_page(tmp_path / "page.html", Page("t", SOURCES, []))
