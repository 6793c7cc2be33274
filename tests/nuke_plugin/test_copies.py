"""Saved under another name, copied, pasted, loaded in any order: a node shows its own frames or none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import nuke
import numpy as np
import pytest
from f2hdr_nuke import cache, callbacks, copies
from nuke import fake
from nuke.session import session
from nuke_comp import PLUGIN, Comp
from nuke_footage import FIRST, LAST, exposed, scene, write_exr, write_plate

BAKED = f"Baked {FIRST}-{LAST}."
RATIO = {"exposure_mode": "ratio", "short_parity": "even", "cuts": "none"}


def darker(folder: Path) -> str:
    """The same shot at half the light."""
    pattern = write_plate(folder)
    for frame in range(FIRST, LAST + 1):
        write_exr(folder / f"plate.{frame}.exr", exposed(frame) * np.float32(0.5), frame)
    return pattern


def reopened(comp: Comp, path: Path) -> Comp:
    nuke.scriptOpen(str(path))
    comp.script = path
    comp.node, comp.read, comp.grade = (nuke.toNode(name) for name in ("F2HDR1", "Read1", "Grade1"))
    session.read_cache.clear()
    return comp


def test_a_script_saved_under_another_name_does_not_change_frames_of_the_first(comp: Comp, tmp_path: Path) -> None:
    comp.bake(**RATIO)
    first = comp.rgb(1003)
    nuke.scriptSaveAs(str(comp.script))
    nuke.scriptSaveAs(str(tmp_path / "shot_v002.nk"))
    comp.read["file"].setValue(darker(tmp_path / "other"))
    comp.bake()
    assert 0.3 < comp.rgb(1003).mean() / first.mean() < 0.7
    nuke.scriptSaveAs(str(tmp_path / "shot_v002.nk"))
    again = reopened(comp, tmp_path / "shot.nk")
    np.testing.assert_array_equal(again.rgb(1003), first)
    assert again.state() == BAKED
    again.set(engine_reference_trust="soft")
    assert again.state() == BAKED


@pytest.mark.parametrize("through", ["Grade1", "Read1"])
def test_a_nuke_that_shows_python_few_nodes_keeps_frames_of_different_inputs_apart(
    through: str, comp: Comp, tmp_path: Path
) -> None:
    """Indie and Non-commercial: Python must not walk to the Read, whose file Nuke's own expressions name."""
    session.flavor = "indie"
    comp.node.setInput(0, nuke.toNode(through))
    comp.bake(plate_from="graph", **RATIO)
    first = comp.rgb(1003)
    nuke.scriptSaveAs(str(comp.script))
    comp.read["file"].setValue(darker(tmp_path / "other"))
    fake.open_panel(comp.node)
    assert comp.state().startswith("STALE") or not session.gui
    comp.bake()
    assert 0.3 < comp.rgb(1003).mean() / first.mean() < 0.7
    session.frame = 1005
    fake.open_panel(comp.node)
    assert comp.state().startswith(BAKED)
    nuke.scriptSaveAs(str(tmp_path / "shot_v002.nk"))
    again = reopened(comp, tmp_path / "shot.nk")
    np.testing.assert_array_equal(again.rgb(1003), first)


def test_a_nuke_that_shows_python_few_nodes_bakes_again_after_a_change_far_above(comp: Comp) -> None:
    session.flavor = "indie"
    second = nuke.createNode("Grade")
    second.setInput(0, comp.grade)
    comp.node.setInput(0, second)
    comp.bake(color_clip_level="1", **RATIO)
    first = comp.rgb(1003)
    times = {path: path.stat().st_mtime_ns for path in comp.results()}
    comp.bake()
    assert {path: path.stat().st_mtime_ns for path in comp.results()} == times
    comp.grade["white"].setValue(0.5)
    comp.bake()
    assert comp.rgb(1003).mean() < 0.6 * first.mean()


def test_a_new_version_of_the_script_keeps_the_frames_of_the_same_input(window: Comp, tmp_path: Path) -> None:
    window.bake(**RATIO)
    shown = {path: path.stat().st_mtime_ns for path in window.results()}
    nuke.scriptSaveAs(str(tmp_path / "shot_v002.nk"))
    again = reopened(window, tmp_path / "shot_v002.nk")
    fake.open_panel(again.node)
    assert again.state() == BAKED
    again.bake()
    assert {path: path.stat().st_mtime_ns for path in again.results()} == shown


@pytest.mark.parametrize("gui", [True, False])
def test_a_copied_script_shows_no_frames_of_the_original(gui: bool, plate: str, tmp_path: Path, runtime: Path) -> None:
    """Its Read is relative to the script, so that the copy means other files."""
    comp = Comp(plate, tmp_path / "shot.nk", gui=gui)
    comp.read["file"].setValue("footage/plate.%04d.exr")
    nuke.root()["project_directory"].setValue("[python {nuke.script_directory()}]")
    comp.bake(**RATIO)
    assert comp.state() == BAKED
    nuke.scriptSaveAs(str(comp.script))
    darker(tmp_path / "elsewhere" / "footage")
    shutil.copy(comp.script, tmp_path / "elsewhere" / "shot.nk")
    copy = reopened(comp, tmp_path / "elsewhere" / "shot.nk")
    assert copy.state() == "Not baked."
    with pytest.raises(RuntimeError, match="frame 1003 "):
        copy.rgb(1003)
    copy.bake()
    assert np.abs(copy.rgb(1003) - 0.5 * scene(1003)).mean() < 0.05
    first = reopened(copy, tmp_path / "shot.nk")
    assert first.state() == BAKED
    assert np.abs(first.rgb(1003) - scene(1003)).mean() < 0.01


def without_plugin(script: Path) -> Any:
    """The node of a script that is opened in a terminal where the plug-in is not installed."""
    fake.start(gui=False)
    session.read_cache.clear()
    nuke.scriptOpen(str(script))
    return nuke.toNode("F2HDR1")


def picture(node: Any, frame: int = 1003) -> Any:
    image = node.picture(frame, "main")
    return np.stack([image.plane(f"rgba.{color}")[::-1] for color in ("red", "green", "blue")], axis=-1)


@pytest.mark.parametrize("path", ["footage/plate.%04d.exr", "[file dirname [value root.name]]/footage/plate.%04d.exr"])
def test_without_the_plugin_a_copy_with_other_files_shows_nothing_of_the_first(
    path: str, window: Comp, tmp_path: Path
) -> None:
    nuke.root()["project_directory"].setValue("[python {nuke.script_directory()}]")
    window.read["file"].setValue(path)
    window.bake(**RATIO)
    shown = window.rgb(1003)
    nuke.scriptSaveAs(str(window.script))
    darker(tmp_path / "elsewhere" / "footage")
    shutil.copytree(tmp_path / "f2hdr_cache", tmp_path / "elsewhere" / "f2hdr_cache")
    shutil.copy(window.script, tmp_path / "elsewhere" / "shot.nk")
    np.testing.assert_array_equal(picture(without_plugin(window.script)), shown)
    copy = without_plugin(tmp_path / "elsewhere" / "shot.nk")
    with pytest.raises(RuntimeError, match="frame 1003 "):
        picture(copy)
    copy["missing"].setValue("source")
    np.testing.assert_array_equal(picture(copy), picture(nuke.toNode("Grade1")))
    copy["missing"].setValue("black")
    assert not picture(copy).any()
    assert nuke.toNode("F2HDR1.F2HDR_result")["disable"].value()


def test_without_the_plugin_a_copy_with_the_same_files_shows_its_frames(window: Comp, tmp_path: Path) -> None:
    """A farm's submitter copies the script; its plates have absolute paths."""
    window.bake(**RATIO)
    shown = window.rgb(1003)
    nuke.scriptSaveAs(str(window.script))
    (tmp_path / "spool").mkdir()
    shutil.copy(window.script, tmp_path / "spool" / "copy.nk")
    np.testing.assert_array_equal(picture(without_plugin(tmp_path / "spool" / "copy.nk")), shown)


def test_without_the_plugin_a_node_pasted_after_another_plate_shows_nothing(window: Comp, tmp_path: Path) -> None:
    window.bake(**RATIO)
    shown = window.rgb(1003)
    nuke.scriptSaveAs(str(window.script))
    node = without_plugin(window.script)
    nuke.toNode("Read1")["file"].setValue(darker(tmp_path / "other"))
    with pytest.raises(RuntimeError, match="frame 1003 "):
        picture(node)
    nuke.toNode("Read1")["file"].setValue(str(tmp_path / "footage" / "plate.%04d.exr"))
    np.testing.assert_array_equal(picture(node), shown)


@pytest.mark.parametrize("fills", [True, False])
def test_a_view_variable_in_a_path_does_not_make_it_a_different_input(
    fills: bool, window: Comp, tmp_path: Path
) -> None:
    """Some versions evaluate a file knob in an expression for the current frame and view."""
    session.value_fills = fills
    session.views[:] = ["left", "right"]
    session.view = "left"
    for view in session.views:
        write_plate(tmp_path / "stereo" / view)
        write_plate(tmp_path / "other" / view)
    window.read["file"].setValue(f"{tmp_path}/stereo/%V/plate.%04d.exr")
    window.bake(**RATIO)
    assert window.state() == BAKED, window.messages()
    for session.view in ("left", "right"):
        assert np.abs(window.rgb(1003, session.view) - scene(1003)).mean() < 0.02
    window.read["file"].setValue(f"{tmp_path}/other/%V/plate.%04d.exr")
    with pytest.raises(RuntimeError, match="frame 1003 "):
        window.rgb(1003, "right")


def test_a_nuke_that_cannot_evaluate_the_input_check_shows_the_frames(
    window: Comp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test is in Nuke's script language: a version that reads it in another way must not lose its frames."""
    from f2hdr_nuke import origin

    for text in ("[unknown command]", "other"):
        monkeypatch.setattr(origin, "TOP_FILE", text)
        window.bake(output_anchor="long" if text == "other" else "short", **RATIO)
        assert window.rgb(1003).max() > 0
        assert window.node["input_now"].value() == ""


@pytest.mark.parametrize("lost", [range(FIRST, LAST + 1), [1004]], ids=["all", "one"])
def test_deleted_frames_are_not_reported_as_baked(lost: Any, window: Comp) -> None:
    window.bake(**RATIO)
    for frame in lost:
        window.shown(frame).unlink()
    fake.open_panel(window.node)
    if len(lost) == 1:
        assert window.state() == "Baked 1001-1003,1005-1006. Deleted since: 1004. Bake again."
    else:
        assert window.state().startswith("Not baked: ")
        assert str(window.folder()) in window.state()
    window.bake()
    assert window.state() == BAKED


@pytest.mark.parametrize("order", ["late", "early", "unattached"])
@pytest.mark.parametrize("gui", [True, False])
def test_a_pasted_copy_has_its_own_cache_whenever_on_create_runs(
    order: str, gui: bool, plate: str, tmp_path: Path, runtime: Path
) -> None:
    comp = Comp(plate, tmp_path / "shot.nk", gui=gui)
    comp.bake(**RATIO)
    shown = comp.rgb(1003)
    session.on_create = order
    copy = fake.paste_copy(comp.node)
    fake.idle()
    if order != "unattached" or gui:
        assert copy["node_id"].value() != comp.node["node_id"].value()
        assert copy["status"].value() == "Not baked."
        with pytest.raises(RuntimeError, match="not baked"):
            comp.rgb(1003, node=copy)
    copy["output_anchor"].setValue("short")
    fake.press(copy, "bake")
    comp.wait()
    assert copy["node_id"].value() != comp.node["node_id"].value()
    np.testing.assert_array_equal(comp.rgb(1003), shown)
    np.testing.assert_allclose(comp.rgb(1003, node=copy), shown / 8, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("order", ["late", "early", "unattached"])
@pytest.mark.parametrize("gui", [True, False])
def test_a_script_loads_whenever_on_create_runs(
    order: str, gui: bool, plate: str, tmp_path: Path, runtime: Path
) -> None:
    comp = Comp(plate, tmp_path / "shot.nk", gui=gui)
    comp.bake(**RATIO)
    identity = comp.node["node_id"].value()
    nuke.scriptSaveAs(str(comp.script))
    session.on_create = order
    again = reopened(comp, comp.script)
    assert again.node["node_id"].value() == identity
    assert again.state() == BAKED
    assert np.abs(again.rgb(1003) - scene(1003)).mean() < 0.01


@pytest.mark.parametrize("name", ["own_cache", "leave_unsaved"])
def test_an_error_in_a_callback_does_not_stop_a_load(name: str, comp: Comp, monkeypatch: pytest.MonkeyPatch) -> None:
    comp.bake(**RATIO)
    nuke.scriptSaveAs(str(comp.script))

    def fail(node: Any) -> None:
        raise ValueError("A PythonObject is not attached to a node")

    with monkeypatch.context() as patch:
        patch.setattr(copies, name, fail)
        nuke.scriptOpen(str(comp.script))
    assert nuke.toNode("F2HDR1.F2HDR_result") is not None
    assert nuke.toNode("Grade1") is not None
    assert not any("Error:" in line for line in session.printed)


def test_an_unavailable_root_does_not_stop_a_load(comp: Comp, monkeypatch: pytest.MonkeyPatch) -> None:
    nuke.scriptSaveAs(str(comp.script))

    def refuse(*_: Any, **__: Any) -> Any:
        raise RuntimeError("there is no root now")

    with monkeypatch.context() as patch:
        patch.setattr(nuke, "allNodes", refuse)
        nuke.scriptOpen(str(comp.script))
    assert nuke.toNode("F2HDR1.F2HDR_result") is not None


@pytest.mark.parametrize("names_late", [False, True])
def test_the_cache_of_an_unsaved_script_moves_when_it_is_saved(
    names_late: bool, window: Comp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUKE_TEMP_DIR", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    from f2hdr_nuke import paths

    paths._unsaved.cache_clear()
    session.root.script = ""
    window.bake(**RATIO)
    assert window.state() == BAKED
    shown, temporary = window.rgb(1003), window.shown(1003)
    assert tmp_path / "temp" in temporary.parents
    session.names_late = names_late
    (tmp_path / "job").mkdir()
    nuke.scriptSaveAs(str(tmp_path / "job" / "shot.nk"))
    fake.idle()
    session.read_cache.clear()
    assert window.shown(1003).parent.parent.parent == tmp_path / "job" / "f2hdr_cache"
    assert not temporary.exists()
    assert window.state() == BAKED
    np.testing.assert_array_equal(window.rgb(1003), shown)
    again = reopened(window, tmp_path / "job" / "shot.nk")
    np.testing.assert_array_equal(again.rgb(1003), shown)
    paths._unsaved.cache_clear()


def holding(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the first two calls of a function of ``os`` fail for each path, as on Windows while a scanner has it open."""
    from f2hdr_backend.shot import rename

    tries: list[str] = []
    real = getattr(os, name)

    def held(*paths: str, **folders: int | None) -> None:
        tries.append(str(paths[-1]))
        if tries.count(str(paths[-1])) < 3:
            raise PermissionError(13, "held by another process")
        real(*paths, **folders)

    monkeypatch.setattr(rename.sys, "platform", "win32")
    monkeypatch.setattr(os, name, held)


@pytest.mark.parametrize("before", ["nothing", "same", "earlier"])
@pytest.mark.parametrize("name", ["replace", "unlink"])
def test_a_plate_that_a_virus_scanner_has_open_is_moved_later(
    name: str, before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, pattern, earlier = tmp_path / "new.exr", str(tmp_path / "p.%04d.exr"), str(tmp_path / "q.%04d.exr")
    written.write_bytes(b"plate")
    if before != "nothing":
        (tmp_path / ("p.0007.exr" if before == "same" else "q.0007.exr")).write_bytes(b"plate")
    holding(monkeypatch, name)
    cache.accept_plate(str(written), pattern, 7, "digest", earlier)
    assert (tmp_path / "p.0007.exr").read_bytes() == b"plate"
    assert cache.has_plate(pattern, 7, "digest")
    assert {path.name for path in tmp_path.iterdir()} - {"q.0007.exr"} == {"p.0007.exr", "p.0007.exr.input"}
    assert (tmp_path / "p.0007.exr").stat().st_nlink == (2 if before == "earlier" else 1)


def test_an_unconfirmed_result_that_a_virus_scanner_has_open_is_deleted_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hdr.0007.exr").write_bytes(b"of another input")
    holding(monkeypatch, "unlink")
    cache.disown(str(tmp_path / "hdr.%04d.exr"), [7, 8])
    assert not list(tmp_path.iterdir())


def test_callbacks_are_registered_in_a_terminal_session() -> None:
    fake.start(gui=False, plugin=PLUGIN)
    assert {kind for kind, calls in session.callbacks.items() if calls} == {
        "onCreate", "onScriptLoad", "onScriptSave", "beforeFrameRender",
    }  # fmt: skip
    callbacks.settle()
