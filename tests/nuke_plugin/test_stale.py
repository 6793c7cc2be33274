"""Whether a bake is up to date, which frames are computed again, and the effect of undo, copy and paste."""

from __future__ import annotations

import nuke
import numpy as np
import OpenEXR
from nuke import fake
from nuke.session import session
from nuke_comp import Comp
from nuke_footage import FIRST, LAST, exposed, write_exr

BAKED = f"Baked {FIRST}-{LAST}."


def times(comp: Comp) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in comp.results()}


def test_a_changed_knob_of_the_input_makes_a_bake_stale_until_it_is_restored(window: Comp) -> None:
    window.bake()
    assert window.state() == BAKED
    fake.open_panel(window.node)
    fake.idle()
    window.grade["white"].setValue(0.9)
    fake.idle()
    assert window.state() == f"STALE: the input changed after {FIRST}-{LAST} was baked. Bake again."
    window.grade["white"].setValue(1.0)
    fake.idle()
    assert window.state() == BAKED


def test_a_changed_knob_of_the_node_makes_a_bake_stale_and_is_named(window: Comp) -> None:
    window.bake()
    window.set(output_anchor="short", engine_reference_trust="off")
    assert window.state() == (
        f"STALE: baked {FIRST}-{LAST}, then changed: engine_reference_trust, output_anchor. Bake again."
    )
    window.set(output_anchor="long", engine_reference_trust="soft")
    assert window.state() == BAKED


def test_a_change_that_affects_no_pixel_does_not_make_a_bake_stale(window: Comp) -> None:
    window.bake()
    window.grade["label"].setValue("my grade")
    window.grade["xpos"].setValue(300)
    window.set(gain=2.0, missing="black", engine_tile="256", cache_dir="")
    nuke.root().setProxy(True)
    fake.open_panel(window.node)
    assert window.state() == BAKED


def test_a_second_bake_renders_no_frame(comp: Comp) -> None:
    comp.bake()
    before = times(comp)
    comp.bake()
    assert times(comp) == before


def test_only_frames_with_changed_input_are_baked_again(comp: Comp) -> None:
    """From frame 1005 on the Grade differs: 1004 to 1006 see it. It also lowers their clip, which is not a knee."""
    comp.bake(exposure_mode="ratio", short_parity="even", cuts="none")
    before = {frame: comp.shown(frame).stat().st_mtime_ns for frame in range(FIRST, LAST + 1)}
    comp.grade["white"].setValueAt(1.0, FIRST)
    comp.grade["white"].setValueAt(0.97, 1005)
    comp.bake()
    assert comp.state() == BAKED
    same = [frame for frame, when in before.items() if comp.shown(frame).stat().st_mtime_ns == when]
    assert same == [1001, 1002, 1003]


def test_files_that_changed_on_disk_are_baked_again(comp: Comp) -> None:
    comp.bake(exposure_mode="ratio", short_parity="even", cuts="none")
    first = comp.rgb(FIRST)
    for frame in range(FIRST, LAST + 1):
        path = comp.script.parent / "footage" / f"plate.{frame}.exr"
        write_exr(path, exposed(frame) * np.float32(0.5), frame)
    comp.read["reload"].execute()
    comp.bake()
    assert comp.state() == BAKED
    assert comp.rgb(FIRST).mean() < 0.7 * first.mean()


def test_each_combination_of_settings_has_a_folder_and_going_back_renders_nothing(comp: Comp) -> None:
    comp.bake(exposure_mode="ratio", short_parity="even", cuts="none")
    long = comp.rgb(FIRST)
    before = times(comp)
    comp.bake(output_anchor="short")
    np.testing.assert_allclose(comp.rgb(FIRST), long / 8, rtol=1e-3, atol=1e-5)
    assert {path: time for path, time in times(comp).items() if path in before} == before
    comp.bake(output_anchor="long")
    np.testing.assert_array_equal(comp.rgb(FIRST), long)
    assert {path: time for path, time in times(comp).items() if path in before} == before


def test_undo_does_not_revert_a_bake(window: Comp) -> None:
    window.set(ev_ratio=2.5)
    window.bake(exposure_mode="ratio", short_parity="even", ev_ratio=3.0, cuts="none")
    baked = window.node["baked"].value()
    last = session.history[-1][0].name()
    assert last == "cuts"
    fake.undo()
    assert window.node["cuts"].value() == "auto"
    assert window.node["baked"].value() == baked
    assert nuke.toNode("F2HDR1.F2HDR_plate")["disable"].value() is True
    assert nuke.toNode("F2HDR1.F2HDR_result")["file"].value() != ""
    assert session.undo_disabled == 0


def test_a_pasted_copy_has_its_own_cache(comp: Comp) -> None:
    comp.bake()
    before, shown = times(comp), comp.rgb(1003)
    copy = fake.paste_copy(comp.node)
    assert copy.name() == "F2HDR2"
    assert copy["node_id"].value() != comp.node["node_id"].value()
    assert copy["status"].value() == "Not baked."
    copy["output_anchor"].setValue("short")
    fake.press(copy, "bake")
    comp.wait()
    assert copy["status"].value() == BAKED
    assert times(comp) == before
    np.testing.assert_array_equal(comp.rgb(1003), shown)
    np.testing.assert_allclose(comp.rgb(1003, node=copy), shown / 8, rtol=1e-3, atol=1e-5)
    if session.gui:
        session.answers_to_ask.append(True)
    fake.press(copy, "clear")
    np.testing.assert_array_equal(comp.rgb(1003), shown)


def test_a_reopened_script_keeps_its_ids(comp: Comp) -> None:
    comp.bake()
    name = comp.node["node_id"].value()
    nuke.scriptSaveAs(str(comp.script))
    nuke.scriptOpen(str(comp.script))
    comp.node = nuke.toNode("F2HDR1")
    assert comp.node["node_id"].value() == name
    assert comp.state() == BAKED
    comp.set(gain=1.0)
    assert comp.state() == BAKED


def test_clear_asks_and_deletes_only_the_folder_of_the_node(window: Comp) -> None:
    window.bake()
    folder = window.folder()
    (folder.parent / "other").mkdir()
    session.answers_to_ask.append(False)
    window.press("clear")
    assert folder.is_dir()
    session.answers_to_ask.append(True)
    window.press("clear")
    assert not folder.exists()
    assert (folder.parent / "other").is_dir()
    assert window.state() == "Not baked."


def test_the_clip_level_is_measured_once_for_all_ranges(comp: Comp) -> None:
    """Later frames are brighter; the clip level of the first range is used for them too."""
    for frame in range(FIRST, LAST + 1):
        path = comp.script.parent / "footage" / f"plate.{frame}.exr"
        write_exr(path, exposed(frame) * np.float32(0.3 + 0.1 * (frame - FIRST)), frame)
    ratio = {"exposure_mode": "ratio", "short_parity": "even", "cuts": "none", "bake_range": "custom"}
    comp.bake(bake_first=1001, bake_last=1002, **ratio)
    comp.bake(bake_first=1005, bake_last=1006)
    levels = {str(OpenEXR.File(str(path)).header()["f2hdr/clip_level"]) for path in comp.results()}
    assert len(comp.results()) == 4
    assert len(levels) == 1
