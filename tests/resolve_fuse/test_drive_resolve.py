"""Driving Resolve Studio from outside, against a fake of its object model and the real backend."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from f2hdr_backend.image.write import write_image
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import ServerUnreachable, ShotError
from tests.hosts.resolve.fake_resolve import FakeItem, FakeMedia, FakeResolve, FakeTimeline, FakeTrack, Quirks
from tests.hosts.resolve.fusion import code_values, radiance, read_exr
from tests.resolve_fuse.conftest import ROOT, Backend
from tests.resolve_fuse.lua import LUA51

sys.path.insert(0, str(ROOT / "resolve_fuse"))

import drive_resolve  # noqa: E402
from f2hdr_resolve import adapter, clips  # noqa: E402

MANAGED = {"colorScienceMode": "davinciYRGBColorManagedv2", "separateColorSpaceAndGamma": "1"}


class Edit:
    """A timeline with one clip of a plate of 12 frames, numbered from 1001, of which it shows 1004-1007."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        plate = folder / "footage ü"
        plate.mkdir()
        for number in range(1001, 1013):
            write_image(plate / f"A001.{number}.tif", code_values(number, 3.0 * (number % 2)), bits=16)
        self.quirks = Quirks(accepts={"Input Color Space": ["Rec.709"], "Input Gamma": ["Linear"]})
        self.media = FakeMedia(
            {"File Path": f"{plate}/A001.[1001-1012].tif", "Frames": "12", "FPS": 24.0, "Field Dominance": "Auto"},
            self.quirks,
        )
        self.item = FakeItem("A001.tif", 86410, 4, 3.0, self.media)
        self.item.source, self.item.quirks = (3, 7), self.quirks
        self.timeline = FakeTimeline([FakeTrack("Video 1", [self.item])], self.quirks)
        self.timeline.selection = [self.item]
        self.resolve = FakeResolve(self.timeline, MANAGED, self.quirks)

    def run(self, *words: str) -> int:
        asked = drive_resolve._parser().parse_args(
            ["--method", "merge", "--handles", "2", "--folder", str(self.folder / "out"), *words]
        )
        return drive_resolve.run(adapter.Session(self.resolve), asked)

    @property
    def imported(self) -> FakeMedia:
        return self.resolve.root.folders[0].clips[-1]

    @property
    def placed(self) -> FakeItem:
        return self.timeline.tracks[1].items[0]

    def rendered(self) -> list[Path]:
        return sorted(self.folder.glob("out/**/*.exr"))


@pytest.fixture
def edit(tmp_path: Path, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Edit:
    for name, value in backend.env.items():
        monkeypatch.setenv(name, value)
    return Edit(tmp_path)


def test_a_clip_is_rendered_imported_placed_and_everything_set_is_read_back(
    edit: Edit, capsys: pytest.CaptureFixture[str]
) -> None:
    assert edit.run() == 0
    assert [path.name for path in edit.rendered()] == [f"A001.{n:06d}.exr" for n in range(1002, 1010)]
    truth = radiance(1005) * 8
    picture = read_exr(edit.rendered()[3])["RGB"]
    assert np.abs(np.log2((picture + 1e-3) / (truth + 1e-3))).mean() < 0.05
    assert (edit.placed.start, edit.placed.duration, edit.placed.offset) == (86410, 4, 2)
    assert edit.timeline.tracks[1].name == "F2HDR"
    assert edit.imported.properties["Input Color Space"] == "Rec.709"
    assert edit.imported.properties["Input Gamma"] == "Linear"
    assert edit.imported.set_and_unread == set()
    assert edit.resolve.bin is edit.resolve.root and not edit.resolve.root.clips
    assert "done, frames 1002-1009, placed on track 2" in capsys.readouterr().err


def test_a_second_run_reuses_the_finished_frames(edit: Edit, capsys: pytest.CaptureFixture[str]) -> None:
    edit.run()
    stamps = [path.stat().st_mtime_ns for path in edit.rendered()]
    edit.run()
    assert [path.stat().st_mtime_ns for path in edit.rendered()] == stamps
    assert len(edit.timeline.tracks[1].items) == 1 and len(edit.resolve.imports) == 1
    assert "already on the timeline" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "name", "value", "reason"),
    [
        ("item", "media", None, "no clip in the media pool"),
        ("property", "File Path", "", "no media file of its own"),
        ("property", "File Path", "/gone/A.[1001-1012].tif", 'offline: "/gone/A.1001.tif"'),
        ("property", "File Path", "/a/b.R3D", "cannot open .r3d"),
        ("property", "Frames", "1", "it is a still"),
        ("property", "FPS", 25.0, "mixed rates"),
        ("item", "source", (3, 11), "it is retimed: 4 timeline frames show 8"),
        ("property", "Field Dominance", "Lower Field First", "interlaced"),
    ],
)
def test_clips_that_cannot_be_rendered_are_refused_with_a_reason(
    place: str, name: str, value: Any, reason: str, edit: Edit, capsys: pytest.CaptureFixture[str]
) -> None:
    if place == "item":
        setattr(edit.item, name, value)
    else:
        edit.media.properties[name] = value
    assert edit.run() == ShotError.exit_code
    said = capsys.readouterr().err
    assert "A001.tif: refused: " in said and reason in said
    assert not edit.rendered() and len(edit.timeline.tracks) == 1


@pytest.mark.parametrize("quirk", ["end_counts", "start_counts"])
def test_a_clip_that_resolve_places_differently_is_corrected(quirk: str, edit: Edit) -> None:
    setattr(edit.quirks, quirk, 1)
    edit.timeline.page = "color"
    assert edit.run() == 0
    assert (edit.placed.start, edit.placed.duration, edit.placed.offset) == (86410, 4, 2)
    assert edit.timeline.deleted == 1


def test_a_clip_that_cannot_be_corrected_is_removed_and_reported(
    edit: Edit, capsys: pytest.CaptureFixture[str]
) -> None:
    edit.quirks.always_long = True
    assert edit.run() != 0
    assert edit.timeline.tracks[1].items == []
    assert "Resolve placed" in capsys.readouterr().err


def test_results_are_placed_as_takes_or_in_the_media_pool(edit: Edit, capsys: pytest.CaptureFixture[str]) -> None:
    assert edit.run("--placement", "pool") == 0
    assert len(edit.timeline.tracks) == 1
    assert edit.run("--placement", "take") == 0
    assert (len(edit.item.takes), edit.item.take, edit.item.duration) == (2, 2, 4)
    edit.run("--placement", "take")
    assert "already a take" in capsys.readouterr().err
    edit.item.takes.clear()
    edit.quirks.take_shifts = True
    assert edit.run("--placement", "take") != 0
    assert (len(edit.item.takes), edit.item.take, edit.item.duration) == (1, 1, 4)


@pytest.mark.parametrize(
    ("mode", "words"),
    [("davinciYRGB", "Color Space Transform"), ("acescc", "ACES input"), ("davinciYRGBColorManaged", "Rec.709")],
)
def test_a_color_space_that_cannot_be_set_is_reported(
    mode: str, words: str, edit: Edit, capsys: pytest.CaptureFixture[str]
) -> None:
    edit.resolve.settings = {"colorScienceMode": mode}
    edit.quirks.accepts["FPS"] = False
    assert edit.run() == 0
    assert words in capsys.readouterr().err
    assert words in edit.placed.markers[0]
    assert edit.imported.set_and_unread == set()


@pytest.mark.parametrize(
    "resets", [{}, {"Input Gamma": "Input Color Space"}, {"Input Color Space": "Input Gamma"}], ids=str
)
def test_color_properties_are_set_in_an_order_that_resolve_keeps(
    resets: dict[str, str], edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCIO", "ocio://cg-config-v2.1.0_aces-v1.3_ocio-v2.3")
    edit.quirks.accepts = {"Input Color Space": ["Rec.709", "ACES (AP1)"], "Input Gamma": ["Linear"]}
    edit.quirks.resets = resets
    assert edit.run("--input-space", "ACEScg") == 0
    tagged = edit.imported.properties
    assert (tagged["Input Color Space"], tagged["Input Gamma"]) == ("ACES (AP1)", "Linear")


def test_clips_to_render_are_the_selected_else_colored_else_marked_else_current(edit: Edit) -> None:
    session = adapter.Session(edit.resolve)
    other = FakeItem("other", 86500, 9, 0, None)
    other.color = "Teal"
    edit.timeline.tracks[0].items.append(other)
    rendered = FakeMedia({"File Path": "/hdr/A001.[001002-001009].exr"}, edit.quirks)
    ours = FakeItem("ours", 86410, 4, 0, rendered)
    edit.timeline.tracks.append(FakeTrack("F2HDR", [ours]))
    names = lambda: ([item.name for item in clips.collect(session, "Teal")[0]], clips.collect(session, "Teal")[1])  # noqa: E731
    assert names() == (["A001.tif"], "selected")
    edit.timeline.selection = [ours, edit.item]
    assert names() == (["A001.tif"], "selected")
    edit.timeline.selection = [ours]
    assert names() == ([], "selected")
    edit.timeline.selection = None
    assert names() == (["other"], "colored")
    other.color = ""
    edit.timeline.marks = {"video": {"in": 86400, "out": 86412}}
    assert names() == (["A001.tif"], "marked")
    edit.timeline.marks = {}
    edit.timeline.current = other
    assert names() == (["other"], "current")
    edit.timeline.current = ours
    assert names() == (["A001.tif"], "current")
    edit.timeline.current = None
    assert names() == ([], "current")


def test_occupied_and_locked_tracks_are_not_changed(edit: Edit) -> None:
    blocker = FakeItem("blocker", 86400, 100, 0, None)
    edit.timeline.tracks += [FakeTrack("F2HDR", [blocker]), FakeTrack("F2HDR 2", locked=True)]
    assert edit.run() == 0
    assert [len(track.items) for track in edit.timeline.tracks] == [1, 1, 0, 1]
    assert edit.timeline.tracks[3].name == "F2HDR 3"


def test_the_options_have_the_defaults_and_choices_of_the_timeline_script() -> None:
    code = """
local json, list = require("f2hdr_json"), {}
for _, field in ipairs(require("f2hdr_settings").FIELDS) do
    list[field.name] = {field.default, json.array(field.choices)}
end
print(json.encode(list))
"""
    actions = {action.dest: action for action in drive_resolve._parser()._actions}
    for name, (default, choices) in json.loads(LUA51.evaluate(code)).items():
        assert list(actions[name].choices or ()) == choices, name
        assert actions[name].default == (default if name != "folder" else "~/F2HDR"), name
    fields = Engine.__dataclass_fields__
    assert actions["quality"].choices == fields["quality"].metadata["choices"]
    assert actions["method"].choices == fields["method"].metadata["choices"]


def test_a_missing_backend_named_by_an_option_is_reported(
    edit: Edit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("F2HDR_RUNTIME", str(tmp_path / "nobody"))
    monkeypatch.delenv("F2HDR_BACKEND")
    named = str(tmp_path / "no" / "f2hdr")
    assert edit.run("--backend", named) == ServerUnreachable.exit_code
    assert named in capsys.readouterr().err


def test_a_missing_timeline_or_resolve_is_reported(
    edit: Edit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    edit.resolve.timeline = None
    with pytest.raises(ServerUnreachable, match="(?i)timeline"):
        adapter.Session(edit.resolve)
    monkeypatch.setenv("RESOLVE_SCRIPT_LIB", "/nowhere/fusionscript.so")
    assert drive_resolve.main([]) == ServerUnreachable.exit_code
    assert "/nowhere/fusionscript.so" in capsys.readouterr().err


def test_a_failed_render_delivers_nothing(edit: Edit, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (edit.folder / "footage ü").glob("*"):
        write_image(path, np.full((48, 64, 3), 0.5, np.float32), bits=16)
    assert edit.run() == ShotError.exit_code
    assert "exposures" in capsys.readouterr().err
    assert len(edit.timeline.tracks) == 1 and not edit.resolve.imports


def test_the_script_needs_only_the_host_safe_packages() -> None:
    script = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "resolve_fuse")!r}]
import drive_resolve
print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
"""
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True)
    ours = {"f2hdr_backend", "f2hdr_resolve", "drive_resolve", "__main__"}
    assert set(ran.stdout.split()) - set(sys.stdlib_module_names) == ours
