"""The real Fuse in a stand-in for Fusion, with the real backend."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.exposure import ExposurePattern
from tests.hosts.resolve.draw_controls import DIGEST, controls, digest, draw, pages
from tests.hosts.resolve.fusion import Comp, code_values, radiance, read_exr, write_exr
from tests.resolve_fuse.conftest import Backend
from tests.resolve_fuse.lua import ALL, LUA51, LUAJIT, MODULES, WITHOUT_FFI, Lua

ALTERNATING = {time: 3.0 * (time % 2) for time in range(10)}
LIVE = {"Mode": "live", "Method": "merge"}
GIVEN = {**LIVE, "Exposures": "values", "ShortEV": 0, "LongEV": 3}
SECONDARY_TIME = 2**26
PRECALC = 8


@pytest.fixture
def comp(tmp_path: Path) -> Comp:
    folder = tmp_path / "comp, é 日本"
    folder.mkdir()
    made = Comp(folder, facts={"global_start": 0, "global_end": 9})
    made.shoot(ALTERNATING)
    return made


def _stops_off(picture: np.ndarray, time: int) -> float:
    """Mean distance in stops from the true light, anchored at the long exposure."""
    truth = radiance(time, *picture.shape[:2]) * 8
    return float(np.abs(np.log2((picture[..., :3] + 1e-3) / (truth + 1e-3))).mean())


def _rendered(comp: Comp, time: int, pattern: ExposurePattern) -> np.ndarray:
    """The same frame by the engine itself, from the same plate as files."""
    plate = comp.folder / "plate"
    plate.mkdir(exist_ok=True)
    for number, path in comp.frames.items():
        write_exr(plate / f"p.{number:04d}.exr", read_exr(path)["RGB"])
    shot = Shot(
        plate=str(plate / "p.####.exr"),
        exposures=pattern,
        cuts=(),
        color=Color(input_space="gamma22"),
        engine=Engine(method="merge"),
        output=Output(pattern=str(comp.folder / "truth.####.exr"), pixel_type="float", compression="none"),
    )
    from f2hdr_backend.shot.frames import FrameRange

    list(Renderer(shot.engine).render(shot, FrameRange((time,))))
    return read_exr(comp.folder / f"truth.{time:04d}.exr")["RGB"]


@pytest.mark.parametrize("lua", ALL, ids=lambda lua: lua.name)
def test_the_fuse_registers_as_documented_by_fusion(lua: Lua, comp: Comp) -> None:
    report = comp.run(lua=lua)
    registered = report["registered"]
    assert (registered["id"], registered["kind"]) == ("F2HDR", "Tool")
    wanted = {"REG_TimeVariant", "REG_NoPreCalcProcess", "REG_OpNoMask", "REG_NoMotionBlurCtrls", "REG_NoObjMatCtrls"}
    assert wanted <= registered["attributes"].keys()
    assert not {"REG_SupportsDoD", "REG_Unpredictable"} & registered["attributes"].keys()
    assert {"REGS_Category", "REGS_OpIconString", "REGS_OpDescription"} <= registered["attributes"].keys()


def test_the_choices_of_the_fuse_are_those_of_a_shot(comp: Comp) -> None:
    choices = {control["id"]: [choice[0] for choice in control["choices"]] for control in comp.run()["controls"]}
    fields = Engine.__dataclass_fields__
    assert choices["Method"] == list(fields["method"].metadata["choices"])
    assert choices["ReferenceTrust"] == list(fields["reference_trust"].metadata["choices"])


def test_precalculation_requests_no_neighbor_and_returns_size_and_depth(comp: Comp) -> None:
    comp.inputs = LIVE
    report = comp.run(comp.frame(4, flags=PRECALC))
    out = report["outputs"][0]
    assert (out["width"], out["height"], out["depth"], out["empty"]) == (64, 48, 8, True)
    assert [asked[0] for asked in report["asked"]] == [4]
    assert not report["said"]


@pytest.mark.parametrize("lua", ALL, ids=lambda lua: lua.name)
def test_a_live_frame_equals_a_render(lua: Lua, comp: Comp, backend: Backend) -> None:
    comp.inputs = {**GIVEN, "Backend": str(backend.command)}
    report = comp.run(comp.frame(5), lua=lua, env=backend.env)
    assert report["outputs"][0]["depth"] == 8, report["said"]
    picture = comp.picture(5)
    np.testing.assert_array_equal(picture[..., :3], _rendered(comp, 5, ExposurePattern((0.0, 3.0), 0)))
    assert _stops_off(picture, 5) < 0.05
    assert picture[..., 3].min() == 1
    neighbors = [asked for asked in report["asked"] if asked[0] != 5]
    assert neighbors == [[4, SECONDARY_TIME], [6, SECONDARY_TIME]]


@pytest.mark.parametrize("time", [0, 9])
def test_neighbors_are_mirrored_at_the_ends_of_the_plate(time: int, comp: Comp, backend: Backend) -> None:
    """Upstream returns nothing beyond the ends, and is not called there if the composition reports its range."""
    comp.inputs = GIVEN
    for facts in ({"global_start": 0, "global_end": 9}, {}):
        comp.facts = facts
        report = comp.run(comp.frame(time), env=backend.env)
        assert report["outputs"][0].get("depth") == 8, report["said"]
        np.testing.assert_array_equal(
            comp.picture(time)[..., :3], _rendered(comp, time, ExposurePattern((0.0, 3.0), 0))
        )
        beyond = {asked[0] for asked in report["asked"]} & {-1, 10}
        assert beyond == (set() if facts else {-1} if time == 0 else {10})


@pytest.mark.parametrize("first_long", [0, 1])
def test_exposures_and_phase_are_measured_on_the_pixels(first_long: int, tmp_path: Path, backend: Backend) -> None:
    """The same times with the other phase: parity of the time would be wrong in one of the two."""
    comp = Comp(tmp_path, inputs=LIVE, facts={"global_start": 0, "global_end": 9})
    comp.shoot({time: 2.0 * ((time + first_long) % 2) for time in range(10)})
    report = comp.run(comp.frame(4), comp.frame(5), env=backend.env)
    for time in (4, 5):
        picture = comp.picture(time)
        truth = radiance(time) * 4
        assert np.abs(np.log2((picture[..., :3] + 1e-3) / (truth + 1e-3))).mean() < 0.05, report["said"]
    assert [asked[0] for asked in report["asked"]].count(8) == 1, "the exposures were settled twice"


def test_a_retime_upstream_is_reported(comp: Comp, backend: Backend) -> None:
    comp.inputs = GIVEN
    comp.shoot({5: 0.0})
    report = comp.run(comp.frame(5), comp.frame(4), comp.frame(2), env=backend.env)
    assert "Frames 4 and 5" in report["said"][0]
    assert "retimed" in report["said"][1]
    assert [out.get("depth") for out in report["outputs"]] == [None, None, 8]


def test_repeated_and_blended_frames_are_reported(comp: Comp, backend: Backend) -> None:
    comp.inputs = GIVEN
    comp.frames[3] = comp.frames[2]
    write_exr(comp.folder / "blend.exr", (code_values(6, 0.0) + code_values(7, 3.0)) / 2)
    comp.frames[7] = comp.folder / "blend.exr"
    report = comp.run(comp.frame(2), comp.frame(7), env=backend.env)
    assert "Frames 2 and 3" in report["said"][0]
    assert "Frames 7 and 6 differ by" in report["said"][1] or "the same exposure" in report["said"][1]
    assert [out.get("depth") for out in report["outputs"]] == [None, None]


def test_a_phase_given_by_the_user_is_compared_with_the_pixels(comp: Comp, backend: Backend) -> None:
    comp.inputs = {**GIVEN, "Phase": "frame", "ShortFrame": 1}
    assert "by its pixels" in comp.run(comp.frame(4), env=backend.env)["said"][0]
    comp.inputs["ShortFrame"] = 2
    assert comp.run(comp.frame(4), env=backend.env)["outputs"][0]["depth"] == 8


def test_a_clip_of_one_frame_is_refused(tmp_path: Path, backend: Backend) -> None:
    comp = Comp(tmp_path, inputs=LIVE)
    comp.shoot({4: 0.0})
    report = comp.run(comp.frame(4), env=backend.env)
    assert "one frame alone" in report["said"][0].lower()
    assert "depth" not in report["outputs"][0]


@pytest.mark.parametrize("size", [(47, 63), (31, 50)])
def test_frames_of_odd_size_are_rendered(size: tuple[int, int], tmp_path: Path, backend: Backend) -> None:
    comp = Comp(tmp_path, inputs=GIVEN)
    comp.shoot(ALTERNATING, *size)
    report = comp.run(comp.frame(5), env=backend.env)
    assert comp.picture(5).shape == (*size, 4), report["said"]
    assert _stops_off(comp.picture(5), 5) < 0.05


def test_a_proxy_is_rendered_at_its_size(comp: Comp, backend: Backend) -> None:
    comp.inputs = GIVEN
    comp.facts["proxy"] = 2
    report = comp.run(comp.frame(5), env=backend.env)
    assert comp.picture(5).shape == (24, 32, 4), report["said"]
    truth = radiance(5)[::2, ::2] * 8
    assert np.abs(np.log2((comp.picture(5)[..., :3] + 1e-3) / (truth + 1e-3))).mean() < 0.05


def test_no_pixel_outside_the_data_window_is_read(comp: Comp, backend: Backend) -> None:
    comp.inputs = {**GIVEN}
    comp.facts["data_window"] = [8, 6, 56, 40]
    report = comp.run(comp.frame(5), env=backend.env)
    picture = comp.picture(5)
    assert not report["said"]
    assert picture[:8, :, 3].max() == 0 and picture[8:42, 8:56, 3].min() == 1
    inside = np.s_[14:36, 14:50]
    truth = radiance(5)[inside] * 8
    assert np.abs(np.log2((picture[inside][..., :3] + 1e-3) / (truth + 1e-3))).mean() < 0.05


def test_changed_settings_never_show_an_old_frame_and_unchanged_ones_need_no_backend(
    comp: Comp, backend: Backend
) -> None:
    comp.inputs = GIVEN
    comp.run(comp.frame(5), env=backend.env)
    long_anchor = comp.picture(5)
    comp.inputs = {**GIVEN, "Anchor": "short"}
    comp.run(comp.frame(5), env=backend.env)
    np.testing.assert_allclose(comp.picture(5)[..., :3] * 8, long_anchor[..., :3], rtol=1e-5)
    (comp.folder / "out.5.exr").unlink()
    comp.inputs = {**GIVEN, "Backend": "/nowhere/f2hdr"}
    report = comp.run(comp.frame(5), env={**backend.env, "F2HDR_RUNTIME": str(comp.folder)})
    np.testing.assert_array_equal(comp.picture(5), long_anchor)
    assert report["outputs"][0]["depth"] == 8
    comp.shoot({4: 2.9})
    report = comp.run(comp.frame(5), env={**backend.env, "F2HDR_RUNTIME": str(comp.folder)})
    assert "depth" not in report["outputs"][0], "a changed neighbor showed the old frame"


@pytest.mark.parametrize("lua", [LUAJIT, LUA51], ids=lambda lua: lua.name)
def test_a_missing_backend_is_reported_and_the_plate_is_not_shown(lua: Lua, comp: Comp, tmp_path: Path) -> None:
    comp.inputs = {**GIVEN, "Backend": "/nowhere/f2hdr"}
    report = comp.run(comp.frame(5), lua=lua, env={"F2HDR_RUNTIME": str(tmp_path)})
    assert '"/nowhere/f2hdr" cannot be started' in report["said"][0]
    assert "Backend" in report["said"][0]
    assert report["outputs"][0]["set"] and "depth" not in report["outputs"][0]
    comp.inputs["OnError"] = "card"
    report = comp.run(comp.frame(5), lua=lua, env={"F2HDR_RUNTIME": str(tmp_path)})
    card = comp.picture(5)
    assert report["outputs"][0]["depth"] == 8
    assert set(np.unique(card[..., 0].round(3))) == {np.float32(0.08), np.float32(0.9)}


def test_a_backend_of_another_version_is_refused(comp: Comp, cold_backend: Backend) -> None:
    (comp.folder / "f2hdr_install.lua").write_text('return {backend = {"f2hdr"}, version = "9.9.9"}')
    comp.inputs = {**GIVEN, "Backend": str(cold_backend.command)}
    env = {**cold_backend.env, "LUA_PATH": f"{comp.folder}/?.lua;{MODULES}/?.lua;;"}
    report = comp.run(comp.frame(5), env=env)
    assert "9.9.9" in report["said"][0] and "0." in report["said"][0]
    assert "depth" not in report["outputs"][0]


def test_a_killed_server_is_reported(comp: Comp, cold_backend: Backend) -> None:
    LUAJIT.require()
    comp.inputs = {**GIVEN, "Method": "f2hdr"}
    comp.shoot(ALTERNATING, 240, 320)
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(comp.run, comp.frame(5), env=cold_backend.env)
        os.kill(cold_backend.wait_for_server(), signal.SIGKILL)
        report = running.result(100)
    assert report["said"], report["outputs"]
    assert "server" in report["said"][0]
    assert "depth" not in report["outputs"][0]


@pytest.mark.parametrize("status", ["", "Rendering", "OK"])
def test_an_unchanged_status_does_not_stop_a_render(status: str, comp: Comp, backend: Backend) -> None:
    """Whether a tool's Status exists, and its value without an error, is not documented."""
    comp.inputs = GIVEN
    comp.facts["status"] = status
    report = comp.run(comp.frame(5), env=backend.env)
    assert report["outputs"][0].get("depth") == 8, report["said"]


@pytest.mark.parametrize("range_", ["fields", "attributes", "missing", "raises"])
def test_neighbors_before_the_composition_are_not_requested_if_its_range_is_known(
    range_: str, comp: Comp, backend: Backend
) -> None:
    comp.inputs = GIVEN
    comp.facts["comp_range"] = range_
    report = comp.run(comp.frame(0), env=backend.env)
    assert report["outputs"][0].get("depth") == 8, report["said"]
    asked = {time for time, _ in report["asked"]}
    assert (-1 in asked) == (range_ in ("missing", "raises"))


@pytest.mark.parametrize("missing", ["no_require", "no_package"])
def test_a_lua_without_require_is_reported_and_one_without_package_does_not_crash(missing: str, comp: Comp) -> None:
    comp.inputs = GIVEN
    comp.facts[missing] = True
    report = comp.run(comp.frame(5))
    assert "depth" not in report["outputs"][0] or missing == "no_package"
    if missing == "no_require":
        assert "f2hdr was not found" in report["said"][0]


def test_cancel_stops_the_job(comp: Comp, cold_backend: Backend) -> None:
    """The user presses Escape while the server is still starting."""
    import json
    import time

    comp.inputs = GIVEN
    report = comp.run({"time": 5, "status": "Aborted"}, lua=WITHOUT_FFI, env=cold_backend.env)
    assert report["outputs"][0]["set"] and "depth" not in report["outputs"][0]
    assert not report["said"]
    status = next((comp.folder / "cache" / "jobs").glob("*.status"))
    end = time.monotonic() + 60
    while json.loads(status.read_text())["state"] not in ("canceled", "done") and time.monotonic() < end:
        time.sleep(0.1)
    assert json.loads(status.read_text())["state"] == "canceled"
    assert not list(comp.folder.glob("cache/live/*/hdr.*"))
    cold_backend.wait_for_server()


def test_an_abandoned_preview_leaves_only_its_result(comp: Comp, backend: Backend) -> None:
    import time

    comp.inputs = {**GIVEN, "Timeout": 0}
    live = comp.folder / "cache" / "live"
    report = comp.run(comp.frame(5, flags=1), env=backend.env)
    assert "Not ready yet" in report["said"][0] and "depth" not in report["outputs"][0]
    assert len(list(live.glob("*/plate.*"))) == 3
    end = time.monotonic() + 60
    while not list(live.glob("*/hdr.*")) and time.monotonic() < end:
        time.sleep(0.1)
    assert comp.run(comp.frame(5), env=backend.env)["outputs"][0]["depth"] == 8
    left = [path for path in live.rglob("*") if path.is_file()]
    assert sorted(path.name for path in left) == ["hdr.000005.exr", "hdr.5-5.f2hdr.json", "results.txt"]
    digest, size, *names = (live / "results.txt").read_text().splitlines()[-1].split(" ")
    assert {path.name for path in left} == {*names, "results.txt"}
    assert sum((live / digest / name).stat().st_size for name in names) == int(size)


def test_missing_parts_of_the_installation_are_reported(comp: Comp) -> None:
    comp.facts["broken"] = "f2hdr_live"
    report = comp.run(comp.frame(5))
    assert "f2hdr_live was not found" in report["said"][0] and str(MODULES) in report["said"][0]
    assert "depth" not in report["outputs"][0]


def test_controls_are_visible_when_they_apply(comp: Comp) -> None:
    comp.inputs = dict(LIVE)
    changes = [{"change": "Mode", "value": "live"}, {"change": "Exposures", "value": "values"}]
    shown = {control["id"]: control["visible"] for control in comp.run(*changes)["controls"]}
    assert shown["ShortEV"] and shown["LongEV"] and not shown["Rendered"]
    shown = {c["id"]: c["visible"] for c in comp.run({"change": "Mode", "value": "read"})["controls"]}
    assert shown["Rendered"] and shown["Offset"]


def test_the_page_of_controls_shows_every_control(tmp_path: Path) -> None:
    read = controls(tmp_path)
    live = controls(tmp_path, Mode="live", Exposures="values", Phase="frame", Space="named", UseRange=1, Anchor="ev")
    every = {control["id"] for control in Comp(tmp_path).run()["controls"]} - {"Input", "Refresh"}
    assert {control["id"] for control in [*read, *live]} == every
    assert draw([("Controls", live)]).height > 32 * len(live)


def test_the_picture_in_the_docs_shows_these_controls(tmp_path: Path) -> None:
    """After a change: ``python -m tests.hosts.resolve.draw_controls docs/images/resolve_controls.png``."""
    with Image.open(MODULES.parent / "docs" / "images" / "resolve_controls.png") as picture:
        assert picture.info[DIGEST] == digest(pages(tmp_path))


def test_a_missing_connection_is_reported(comp: Comp) -> None:
    report = comp.run(comp.frame(77))
    assert "Connect the plate" in report["said"][0]
