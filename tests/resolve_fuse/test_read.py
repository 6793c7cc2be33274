"""The Fuse's mode "Read rendered" and its buttons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from f2hdr_backend.image.write import write_image
from tests.hosts.resolve.fusion import Comp, code_values, radiance, read_exr, write_exr
from tests.resolve_fuse.conftest import Backend
from tests.resolve_fuse.lua import ALL, LUAJIT, Lua


@pytest.fixture
def comp(tmp_path: Path) -> Comp:
    made = Comp(tmp_path, facts={"global_start": 0, "global_end": 5}, inputs={"Mode": "read", "Offset": 1001})
    made.shoot({time: 3.0 * (time % 2) for time in range(6)})
    made.inputs["Rendered"] = str(tmp_path / "hdr ü" / "sh010.####.exr")
    (tmp_path / "hdr ü").mkdir()
    return made


def _render(comp: Comp, time: int, **options: object) -> Path:
    path = comp.folder / "hdr ü" / f"sh010.{time + 1001:04d}.exr"
    header = {"compression": OpenEXR.NO_COMPRESSION, "type": OpenEXR.scanlineimage, **options}
    light = (radiance(time) * 8).astype(np.float16)
    sides = enumerate(("forward", "backward"))
    masks = {f"motion_mask.{name}": light[..., at].astype(np.float32) for at, name in sides}
    with OpenEXR.File(header, {"RGB": light, **masks}) as file:
        file.write(str(path))
    return path


@pytest.mark.parametrize("lua", ALL, ids=lambda lua: lua.name)
@pytest.mark.parametrize("name", ["sh010.####.exr", "sh010.%04d.exr", "sh010.$F4.exr", "sh010.1001.exr"])
def test_frames_are_read_by_number(name: str, lua: Lua, comp: Comp) -> None:
    _render(comp, 3)
    comp.inputs["Rendered"] = str(comp.folder / "hdr ü" / name)
    report = comp.run(comp.frame(3), comp.frame(2), lua=lua)
    np.testing.assert_array_equal(comp.picture(3)[..., :3], (radiance(3) * 8).astype(np.float16))
    assert report["outputs"][0]["depth"] == 8
    assert "Frame 1003" in report["said"][0]
    assert "depth" not in report["outputs"][1], "the plate went through instead of the missing frame"


def test_layers_are_shown_and_a_missing_one_is_reported(comp: Comp) -> None:
    _render(comp, 3)
    comp.inputs["View"] = "motion"
    comp.run(comp.frame(3))
    np.testing.assert_array_equal(comp.picture(3)[..., 0], (radiance(3)[..., 0] * 8).astype(np.float16))
    assert comp.picture(3)[..., 2].max() == 0
    comp.inputs["View"] = "coarse"
    assert "has no channel coarse.R" in comp.run(comp.frame(3))["said"][0]


def test_a_compressed_file_is_read_by_fusion_or_refused(comp: Comp) -> None:
    path = _render(comp, 3, compression=OpenEXR.ZIP_COMPRESSION)
    report = comp.run(comp.frame(3))
    assert "compressed (ZIP)" in report["said"][0] and "no EXR reader" in report["said"][0]
    assert "depth" not in report["outputs"][0]
    write_exr(Path(f"{path}.plain"), radiance(3))
    comp.facts["exrio"] = True
    comp.run(comp.frame(3))
    np.testing.assert_array_equal(comp.picture(3)[..., :3], radiance(3))
    assert comp.picture(3)[..., 3].min() == 1
    comp.facts["data_window"] = [8, 6, 56, 40]
    comp.run(comp.frame(3))
    assert comp.picture(3)[8:42, 8:56, 3].min() == 1 and comp.picture(3)[..., 3].sum() == 34 * 48


@pytest.mark.parametrize("compression", [OpenEXR.NO_COMPRESSION, OpenEXR.ZIP_COMPRESSION], ids=str)
def test_another_size_is_refused_but_a_proxy_is_scaled(compression: object, comp: Comp) -> None:
    path = _render(comp, 3, compression=compression)
    write_exr(Path(f"{path}.plain"), (radiance(3) * 8).astype(np.float16).astype(np.float32))
    comp.facts["exrio"] = True
    comp.shoot({3: 0.0}, 40, 64)
    assert "is 64 x 48 pixels, the input is 64 x 40" in comp.run(comp.frame(3))["said"][0]
    comp.shoot({3: 0.0})
    comp.facts["proxy"] = 2
    comp.run(comp.frame(3))
    np.testing.assert_array_equal(comp.picture(3)[..., :3], (radiance(3) * 8).astype(np.float16)[1::2, 1::2])
    assert comp.picture(3)[..., 3].min() == 1


def test_an_empty_file_control_is_reported(comp: Comp) -> None:
    comp.inputs["Rendered"] = ""
    assert "Choose the rendered frames" in comp.run(comp.frame(3))["said"][0]
    comp.inputs["Rendered"] = "/a/picture.exr"
    assert "no frame number" in comp.run(comp.frame(3))["said"][0]


def test_render_range_renders_the_range_of_the_composition_from_the_plate(comp: Comp, backend: Backend) -> None:
    plate = comp.folder / "plate ü"
    plate.mkdir()
    for number in range(1001, 1007):
        write_image(plate / f"p.{number}.tif", code_values(number, 3.0 * (number % 2)), bits=16)
    comp.inputs |= {"Plate": str(plate / "p.1001.tif"), "Method": "merge", "Backend": str(backend.command)}
    presses = [{"press": "RenderRange"}, {"press": "Status", "until": "6 frames rendered"}]
    report = comp.run(*presses, comp.frame(3), env=backend.env)
    assert "Rendering" in report["said"][0]
    assert report["refresh"] >= 1
    picture = comp.picture(3)
    truth = radiance(1004) * 8
    assert np.abs(np.log2((picture[..., :3] + 1e-3) / (truth + 1e-3))).mean() < 0.05, report["said"]
    assert len(list((comp.folder / "hdr ü").glob("*.exr"))) == 6
    message = next(control["label"] for control in report["controls"] if control["id"] == "Message")
    assert message.startswith("6 frames rendered")


@pytest.mark.parametrize("by", ["resolve", "fusion", "scriptapp"])
def test_render_range_takes_the_clip_at_the_playhead(by: str, comp: Comp, backend: Backend) -> None:
    """By each way in which a Fuse finds Resolve's object; the clip begins at the plate's third frame."""
    plate = comp.folder / "plate"
    plate.mkdir()
    for number in range(1001, 1009):
        write_image(plate / f"p.{number}.tif", code_values(number, 3.0 * (number % 2)), bits=16)
    properties = {"File Path": f"{plate}/p.[1001-1008].tif", "Frames": "8", "FPS": "24", "Field Dominance": "Auto"}
    comp.facts["clip"] = {"by": by, "name": "A 1.tif", "offset": 2, "duration": 6, "properties": properties}
    comp.inputs |= {"Plate": "", "Method": "merge", "Backend": str(backend.command)}
    presses = [{"press": "RenderRange"}, {"press": "Status", "until": "6 frames rendered"}]
    report = comp.run(*presses, comp.frame(0), env=backend.env)
    values = {control["id"]: control.get("value") for control in report["controls"]}
    assert (values["Plate"], values["Offset"]) == (f"{plate}/p.####.tif", 1003)
    assert sorted(path.name for path in (comp.folder / "hdr ü").glob("*.exr"))[0] == "sh010.1003.exr"
    truth = radiance(1003) * 8
    assert np.abs(np.log2((comp.picture(0)[..., :3] + 1e-3) / (truth + 1e-3))).mean() < 0.05, report["said"]


def test_a_clip_that_cannot_be_used_is_named(comp: Comp) -> None:
    properties = {"File Path": "/a/b.braw", "Frames": "8", "FPS": "24"}
    comp.facts["clip"] = {"by": "resolve", "name": "A", "offset": 0, "duration": 6, "properties": properties}
    report = comp.run({"press": "RenderRange"})
    assert "Choose the plate's file" in report["said"][0] and ".braw" in report["said"][0]


def test_buttons_report_missing_inputs(comp: Comp) -> None:
    report = comp.run({"press": "RenderRange"}, {"press": "Cancel"}, {"press": "Status"})
    assert "Choose the plate's file" in report["said"][0]
    assert "Nothing is being rendered" in report["said"][1]
    assert report["said"][2] == "F2HDR1: Ready"


def test_the_status_button_shows_the_last_error(comp: Comp) -> None:
    comp.run(comp.frame(2))
    report = comp.run({"press": "Status"}, lua=LUAJIT)
    assert "Frame 1003" in report["said"][0]
    assert read_exr(comp.frames[2])["RGB"].shape == (48, 64, 3)
