"""The timeline script, unchanged, in a stand-in for Resolve, with the real backend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from f2hdr_backend.image.write import write_image
from tests.hosts.resolve.fusion import code_values, radiance, read_exr
from tests.resolve_fuse.conftest import Backend
from tests.resolve_fuse.lua import LUA51, LUAJIT, MODULES, Lua

HOST = Path(__file__).parents[1] / "hosts" / "resolve" / "resolve.lua"
MANAGED = {"colorScienceMode": "davinciYRGBColorManagedv2", "separateColorSpaceAndGamma": "1"}


class Edit:
    """A timeline with one clip of a plate of 12 frames, numbered from 1001, of which it shows 1004-1007."""

    def __init__(self, folder: Path, backend: Backend) -> None:
        self.folder = folder
        self.backend = backend
        self.env: dict[str, str] = {}
        plate = folder / "footage ü"
        plate.mkdir()
        for number in range(1001, 1013):
            write_image(plate / f"A001.{number}.tif", code_values(number, 3.0 * (number % 2)), bits=16)
        self.media: dict[str, Any] = {
            "File Path": f"{plate}/A001.[1001-1012].tif", "Frames": "12", "FPS": 24, "Type": "Video",
            "Field Dominance": "Auto", "Clip Name": "A001",
        }  # fmt: skip
        self.clip: dict[str, Any] = {
            "name": "A001.tif", "start": 86410, "duration": 4, "offset": 3, "media": 1, "source": [3, 7],
        }  # fmt: skip
        self.more_clips: list[dict[str, Any]] = []
        self.more_media: list[dict[str, Any]] = []
        self.timeline: dict[str, Any] = {"rate": "24", "selected": [[1, 1]]}
        self.facts: dict[str, Any] = {"settings": MANAGED, "quirks": {}}
        self.data = {
            "F2HDR.folder": str(folder / "out"), "F2HDR.backend": str(backend.command), "F2HDR.method": "merge",
            "F2HDR.handles": 2,
        }  # fmt: skip

    def run(self, lua: Lua = LUAJIT, script: Path = MODULES / "F2HDR_timeline.lua") -> dict[str, Any]:
        tracks = [{"name": "Video 1", "items": [self.clip, *self.more_clips]}, *self.timeline.pop("more_tracks", [])]
        scenario = {
            "script": str(script), "media": [{"properties": one} for one in (self.media, *self.more_media)],
            "data": self.data, "timeline": {**self.timeline, "tracks": tracks}, **self.facts,
        }  # fmt: skip
        question, answer = self.folder / "scenario.json", self.folder / "report.json"
        question.write_text(json.dumps(scenario))
        answer.unlink(missing_ok=True)
        config = {"XDG_CONFIG_HOME": str(self.folder / "config é")}
        ran = lua.run(HOST, question, answer, env={**self.backend.env, **config, **self.env})
        assert answer.exists(), ran.stderr
        report: dict[str, Any] = json.loads(answer.read_text())
        assert report["settings_set"] == 0, "a project setting was changed"
        assert report["bin_restored"] and report["in_root"] == 0
        assert report["tracks"][0]["items"][0]["start"] == 86410
        return report

    def rendered(self) -> list[Path]:
        return sorted(self.folder.glob("out/**/*.exr"))


@pytest.fixture
def edit(tmp_path: Path, backend: Backend) -> Edit:
    return Edit(tmp_path, backend)


@pytest.mark.parametrize("lua", [LUAJIT, LUA51], ids=lambda lua: lua.name)
def test_a_selected_clip_is_rendered_imported_and_placed_above_the_original(lua: Lua, edit: Edit) -> None:
    edit.facts["quirks"] = {"accepts": {"FPS": True, "Input Color Space": ["Rec.709"], "Input Gamma": ["Linear"]}}
    report = edit.run(lua)
    assert [path.name for path in edit.rendered()] == [f"A001.{n:06d}.exr" for n in range(1002, 1010)], report["said"]
    picture = read_exr(edit.rendered()[3])["RGB"]
    truth = radiance(1005) * 8
    assert np.abs(np.log2((picture + 1e-3) / (truth + 1e-3))).mean() < 0.05
    placed = report["tracks"][1]
    assert placed["name"] == "F2HDR"
    item = placed["items"][0]
    assert (item["start"], item["duration"], item["offset"]) == (86410, 4, 2)
    clip = report["bins"]["F2HDR"][0]
    assert clip["File Path"].endswith("A001.[001002-001009].exr") and clip["Frames"] == "8"
    assert (clip["FPS"], clip["Input Color Space"], clip["Input Gamma"]) == (24, "Rec.709", "Linear")
    assert report["said"][0] == "F2HDR: timeline script starts"
    assert "1 selected clip, DaVinci Resolve Studio 21.0.4" in report["said"][1]
    assert "done, frames 1002-1009, placed on track 2" in report["said"][-1]
    assert any("frame" in words for words in report["words"]) and report["shown"] is False


def test_a_second_run_reuses_the_finished_frames(edit: Edit) -> None:
    edit.facts["times"] = 2
    report = edit.run()
    assert len(report["tracks"]) == 2 and len(report["tracks"][1]["items"]) == 1
    assert len(report["bins"]["F2HDR"]) == 1
    assert "already on the timeline" in report["said"][-1]
    stamps = [path.stat().st_mtime_ns for path in edit.rendered()]
    edit.facts["times"] = 1
    edit.run()
    assert [path.stat().st_mtime_ns for path in edit.rendered()] == stamps


def test_changed_settings_give_another_version_next_to_the_first(edit: Edit) -> None:
    edit.run()
    edit.data["F2HDR.anchor"] = "short"
    edit.run()
    assert len({path.parent for path in edit.rendered()}) == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"media": None}, "no clip in the media pool"),
        ({"File Path": ""}, "no media file of its own"),
        ({"File Path": "/gone/A.[1001-1012].tif"}, 'its media is offline: "/gone/A.1001.tif"'),
        ({"File Path": "/a/b.braw"}, "cannot open .braw"),
        ({"Frames": "1"}, "it is a still"),
        ({"FPS": 25}, "mixed rates"),
        ({"source": [3, 11]}, "it is retimed: 4 timeline frames show 8 source frames"),
        ({"source": [7, 3]}, "it is retimed"),
        ({"Field Dominance": "Upper Field First"}, "it is interlaced"),
    ],
)
def test_clips_that_cannot_be_rendered_are_refused_with_a_reason(
    change: dict[str, Any], reason: str, edit: Edit
) -> None:
    for name, value in change.items():
        (edit.clip if name in edit.clip else edit.media)[name] = value
    report = edit.run()
    assert "A001.tif: refused: " in report["said"][-1] and reason in report["said"][-1]
    assert len(report["tracks"]) == 1 and not edit.rendered()


def test_unknown_source_frames_are_accepted(edit: Edit) -> None:
    edit.clip["source"] = [0, 0]
    assert "done" in edit.run()["said"][-1]


@pytest.mark.parametrize(
    ("timeline", "color", "how"),
    [
        ({"marks": {"video": {"in": 86408, "out": 86420}}}, "Teal", "colored"),
        ({"marks": {"video": {"in": 86408, "out": 86420}}}, "Lime", "marked"),
        ({"current": [1, 1]}, "Lime", "current"),
    ],
)
def test_without_a_selection_clip_color_marks_or_playhead_select_the_clips(
    timeline: dict[str, Any], color: str, how: str, edit: Edit
) -> None:
    edit.timeline = {"rate": "24", **timeline}
    edit.clip["color"] = color
    report = edit.run()
    assert f"1 {how} clip" in report["said"][1] and "done" in report["said"][-1]


def test_a_missing_clip_or_timeline_is_reported(edit: Edit) -> None:
    edit.timeline = {"rate": "24"}
    assert "there is no clip to render" in edit.run()["said"][-1]
    edit.facts["no_timeline"] = True
    assert "open a timeline first" in edit.run()["said"][-1]


@pytest.mark.parametrize(
    "quirk", [{"end_counts": 1}, {"end_counts": -1}, {"start_counts": 1}, {"import_tells_nothing": True}], ids=str
)
def test_a_clip_that_resolve_places_differently_is_corrected(quirk: dict[str, Any], edit: Edit) -> None:
    edit.facts |= {"quirks": quirk, "page": "color"}
    report = edit.run()
    item = report["tracks"][1]["items"][0]
    assert (item["start"], item["duration"], item["offset"]) == (86410, 4, 2)
    assert len(report["tracks"][1]["items"]) == 1
    assert report["page"] == ("color" if "import_tells_nothing" in quirk else "edit")


def test_a_clip_that_cannot_be_corrected_is_removed_and_reported(edit: Edit) -> None:
    edit.facts["quirks"] = {"always_long": True}
    report = edit.run()
    assert "rendered, but not delivered: Resolve placed" in report["said"][-1]
    assert report["tracks"][1]["items"] == []


def test_an_occupied_or_locked_track_is_not_changed(edit: Edit) -> None:
    other = {"name": "other", "start": 86400, "duration": 100, "offset": 0, "media": None}
    edit.timeline["more_tracks"] = [
        {"name": "F2HDR", "items": [other]},
        {"name": "F2HDR 2", "locked": True, "items": []},
    ]
    report = edit.run()
    assert [track["name"] for track in report["tracks"]] == ["Video 1", "F2HDR", "F2HDR 2", "F2HDR 3"]
    assert [len(track["items"]) for track in report["tracks"]] == [1, 1, 0, 1]


def test_a_result_is_added_as_a_take_and_one_of_the_wrong_length_is_removed(edit: Edit) -> None:
    edit.data["F2HDR.placement"] = "take"
    edit.facts["times"] = 2
    report = edit.run()
    item = report["tracks"][0]["items"][0]
    assert (item["takes"], item["selected_take"], item["duration"]) == (2, 2, 4)
    assert "already a take" in report["said"][-1] and len(report["tracks"]) == 1
    edit.facts |= {"quirks": {"take_shifts": True}, "times": 1}
    report = edit.run()
    item = report["tracks"][0]["items"][0]
    assert (item["takes"], item["selected_take"], item["duration"]) == (1, 1, 4)
    assert "removed again" in report["said"][-1]


def test_results_are_imported_to_the_media_pool_only(edit: Edit) -> None:
    edit.data["F2HDR.placement"] = "pool"
    report = edit.run()
    assert len(report["bins"]["F2HDR"]) == 1 and len(report["tracks"]) == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"colorScienceMode": "davinciYRGB"}, "Color Space Transform"),
        ({"colorScienceMode": "acescct"}, "ACES input transform"),
        ({"colorScienceMode": "davinciYRGBColorManaged"}, "Rec.709"),
    ],
)
def test_color_that_the_project_does_not_take_is_reported(settings: dict[str, str], words: str, edit: Edit) -> None:
    edit.facts |= {"settings": settings, "quirks": {"accepts": {"FPS": True, "Input Color Space": ["none"]}}}
    report = edit.run()
    assert words in report["said"][-1]
    assert words in report["tracks"][1]["items"][0]["markers"][0]


TAGS = {"Input Color Space": ["Rec.709", "ACES (AP1)"], "Input Gamma": ["Linear"]}


@pytest.mark.parametrize(
    "resets", [{}, {"Input Gamma": "Input Color Space"}, {"Input Color Space": "Input Gamma"}], ids=str
)
def test_color_properties_are_set_in_an_order_that_resolve_keeps(resets: dict[str, str], edit: Edit) -> None:
    """Setting one of the two properties resets the other one in some versions."""
    edit.env["OCIO"] = "ocio://cg-config-v2.1.0_aces-v1.3_ocio-v2.3"
    edit.data |= {"F2HDR.input_space": "ACEScg", "F2HDR.handles": 0}
    edit.facts["quirks"] = {"accepts": TAGS, "resets": resets}
    clip = edit.run()["bins"]["F2HDR"][0]
    assert (clip["Input Color Space"], clip["Input Gamma"]) == ("ACES (AP1)", "Linear")


def test_a_frame_rate_that_resolve_does_not_keep_is_reported(edit: Edit) -> None:
    edit.media["FPS"], edit.timeline["rate"] = 25, "25"
    edit.facts["quirks"] = {"accepts": {"FPS": False}}
    assert "frame rate to 25 yourself" in edit.run()["said"][-1]


def test_cancel_keeps_the_finished_frames_and_places_nothing(edit: Edit) -> None:
    edit.facts["quirks"] = {"cancel_at_step": 1}
    edit.data["F2HDR.handles"] = 0
    report = edit.run()
    assert "canceled: finished frames are kept" in report["said"][-1]
    assert len(report["tracks"]) == 1 and report["bins"] == {}


def test_cancel_does_not_render_the_remaining_clips(edit: Edit) -> None:
    edit.more_clips = [{**edit.clip, "name": "second", "start": 86500}]
    edit.timeline["selected"] = [[1, 1], [1, 2]]
    edit.facts["quirks"] = {"cancel_at_step": 1}
    report = edit.run()
    assert report["said"][-1] == "F2HDR: canceled: 1 more not rendered."
    assert not any("second" in line for line in report["said"]) and report["shown"] is False


def test_an_error_in_one_clip_does_not_end_the_others_and_the_window_is_closed(edit: Edit) -> None:
    edit.more_clips = [{**edit.clip, "name": "second", "start": 86500}]
    edit.clip["raises"] = True
    edit.timeline["selected"] = [[1, 1], [1, 2]]
    report = edit.run()
    assert "A001.tif: stopped by an error in DaVinci Resolve Studio" in report["said"][-2]
    assert "Resolve does not answer" in report["said"][-2]
    assert "second: done" in report["said"][-1] and report["shown"] is False


@pytest.mark.parametrize(
    "timeline", [{"selected": [[1, 1], [2, 1]]}, {"current": [2, 1]}, {"selected": [[2, 1]]}], ids=str
)
def test_results_on_the_f2hdr_track_are_not_plates(timeline: dict[str, Any], edit: Edit) -> None:
    """The result is refused, or the clip that it covers is taken; before 21.0.4 the playhead shows the result."""
    result = {"name": "A001.[001002-001009].exr", "start": 86410, "duration": 4, "offset": 2, "media": 2}
    edit.more_media = [{**edit.media, "File Path": str(edit.folder / "A001.[001002-001009].exr"), "Frames": "8"}]
    edit.timeline = {"rate": "24", **timeline, "more_tracks": [{"name": "F2HDR", "items": [result]}]}
    said = edit.run()["said"]
    if timeline == {"selected": [[2, 1]]}:
        assert "there is no clip to render" in said[-1]
    else:
        assert "1 " in said[1] and "A001.tif: done" in said[-1]
        assert not any("A001.[001002-001009].exr: " in line for line in said)


def test_the_free_edition_opens_no_window(edit: Edit) -> None:
    edit.facts |= {"product": "DaVinci Resolve", "version": [19, 1, 2, 0, ""]}
    report = edit.run()
    assert "asked_for_windows" not in report and "done" in report["said"][-1]
    assert any("submit --cancel" in line for line in report["said"])


def test_the_settings_window_shows_the_choices_and_stores_them(edit: Edit) -> None:
    del edit.data["F2HDR.method"], edit.data["F2HDR.handles"]
    edit.facts["entered"] = {"placement": "pool", "handles": "1", "method": "merge"}
    report = edit.run()
    assert report["offered"]["placement"] == ["track", "take", "pool"]
    assert report["offered"]["handles"] == "8"
    assert "1 selected clip" in report["offered"]["Words"]
    assert len(report["tracks"]) == 1 and "frames 1003-1008" in report["said"][-1]
    del edit.facts["entered"]
    assert edit.run()["offered"]["handles"] == "1"


def test_the_settings_window_can_be_canceled(edit: Edit) -> None:
    edit.facts["presses"] = "Cancel"
    report = edit.run()
    assert "nothing was rendered" in report["said"][-1]
    assert not edit.rendered() and report["shown"] is False


FREE = {"product": "DaVinci Resolve", "version": [21, 1, 0, 0, ""]}


@pytest.mark.parametrize("lua", [LUAJIT, LUA51], ids=lambda lua: lua.name)
def test_without_a_settings_window_a_file_with_comments_is_created_opened_and_read(lua: Lua, edit: Edit) -> None:
    edit.facts |= FREE
    report = edit.run(lua)
    path = edit.folder / "config é" / "f2hdr" / "resolve.txt"
    assert report["opened"] == str(path)
    text = path.read_text(encoding="utf-8")
    assert "placement = track" in text and "# " in text
    del edit.data["F2HDR.handles"]
    path.write_text(text.replace("handles = 2", "handles = 0").replace("placement = track", "placement = pool"))
    report = edit.run(lua)
    assert "opened" not in report and "frames 1004-1007" in report["said"][-1] and len(report["tracks"]) == 1


def test_a_setting_that_cannot_be_used_is_named(edit: Edit) -> None:
    edit.facts |= FREE
    path = edit.folder / "config é" / "f2hdr" / "resolve.txt"
    path.parent.mkdir(parents=True)
    path.write_text("placement = above\nhandels = 3\nfolder =\n")
    said = " ".join(edit.run()["said"])
    assert '"above"' in said and "track, take, pool" in said and "handels" in said
    assert path.read_text().startswith("placement = above")


def test_failures_name_edition_and_place(edit: Edit) -> None:
    edit.facts["broken"] = "f2hdr_media"
    said = edit.run()["said"]
    assert said[0] == "F2HDR: timeline script starts"
    assert "f2hdr_media was not found. DaVinci Resolve Studio 21.0.4" in said[1] and str(MODULES) in said[1]
    del edit.facts["broken"]
    edit.data["F2HDR.backend"] = "/nowhere/f2hdr"
    edit.env["F2HDR_RUNTIME"] = str(edit.folder)
    assert '"/nowhere/f2hdr" cannot be started' in edit.run()["said"][-1]
    edit.facts["no_resolve"] = True
    assert "runs inside DaVinci Resolve" in edit.run()["said"][-1]
