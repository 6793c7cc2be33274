"""Time to the first frame of a bake, and the files that a script scanner finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nuke
import numpy as np
import OpenEXR
import pytest
from nuke import fake
from nuke.session import session
from nuke_comp import Comp
from nuke_footage import FIRST, exposed, scene, write_exr

LAST = FIRST + 19
RATIO = {"exposure_mode": "ratio", "short_parity": "even", "cuts": "none"}


@pytest.fixture
def twenty(window: Comp) -> Comp:
    """A shot of 20 frames, whose exposures and clip level are given."""
    for frame in range(FIRST, LAST + 1):
        write_exr(window.script.parent / "footage" / f"plate.{frame}.exr", exposed(frame), frame)
    window.read["last"].setValue(LAST)
    window.set(color_clip_level="1", **RATIO)
    return window


def is_shown(comp: Comp, frame: int) -> bool:
    try:
        comp.rgb(frame)
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize("from_files", [True, False])
def test_the_first_of_20_frames_is_shown_while_the_others_are_computed(from_files: bool, twenty: Comp) -> None:
    if from_files:
        twenty.from_files()
    twenty.set(engine_method="f2hdr", engine_weights="standard")
    fake.press(twenty.node, "bake")
    fake.pump(lambda: is_shown(twenty, FIRST), timeout=120)
    assert not is_shown(twenty, LAST)
    assert len(twenty.results()) < 20
    assert len(twenty.plates()) < (1 if from_files else 20)
    assert session.frame >= FIRST
    twenty.set(engine_method="f2hdr", engine_weights="standard")
    session.tasks[-1].cancelled = True
    twenty.wait()


def test_the_viewer_follows_the_bake_until_the_user_changes_the_frame(twenty: Comp) -> None:
    seen: list[int] = []
    real = nuke.frame

    def frame(number: int | None = None) -> int:
        if number is not None:
            seen.append(number)
            if len(seen) == 1:
                session.frame = number
                return number
        return real() if number is None else real(number)

    nuke.frame = frame
    try:
        fake.press(twenty.node, "bake")
        fake.pump(lambda: bool(seen), timeout=120)
        session.frame = 1015
        twenty.wait()
    finally:
        nuke.frame = real
    assert seen == seen[:1]
    assert session.frame == 1015
    twenty.bake(output_anchor="short")
    assert session.frame == LAST


def test_bake_frame_bakes_and_shows_the_current_frame(window: Comp) -> None:
    session.frame = 1003
    window.press("bake_frame")
    assert window.state() == "Baked 1003."
    assert [path.name for path in window.results()] == ["hdr.main.1003.exr"]
    assert np.abs(window.rgb(1003) - scene(1003)).mean() < 0.02
    session.frame = 1
    window.press("bake_frame")
    assert "1001-1006" in window.messages()


def scanned() -> set[str]:
    """The paths that a farm's submitter finds: every enabled Read, groups included, over its frames and views."""
    found, shown = set(), session.view
    for node in nuke.allNodes(recurseGroups=True):
        if node.Class() != "Read" or node["disable"].value():
            continue
        for view in session.views:
            session.view = view
            for frame in range(int(node["first"].value()), int(node["last"].value()) + 1):
                found.add(str(node["file"].evaluate(frame)))
    session.view = shown
    return found


def test_a_sequence_scanner_finds_only_baked_frames(comp: Comp) -> None:
    footage = {str(comp.script.parent / "footage" / f"plate.{frame}.exr") for frame in range(FIRST, FIRST + 6)}
    assert scanned() == footage
    comp.bake(bake_range="custom", bake_first=1002, bake_last=1004, **RATIO)
    session.frame = 1
    assert scanned() == footage | {str(path) for path in comp.results()}
    assert len(comp.results()) == 3
    session.views[:] = ["main", "right"]
    comp.bake()
    assert len(comp.results()) == 6
    assert scanned() == footage | {str(path) for path in comp.results()}
    fake.paste_copy(comp.node)
    assert scanned() == footage | {str(path) for path in comp.results()}


def test_the_node_has_no_file_knobs_that_a_sequence_scanner_would_list(window: Comp) -> None:
    """Scanners list the value of every file knob as a file to transfer."""
    window.set(cache_dir=str(window.script.parent), backend_program="/opt/f2hdr/bin/f2hdr")
    assert not [knob for knob in window.node.knobs().values() if knob.Class() == "File_Knob"]


@pytest.mark.parametrize("policy", ["error", "black", "checkerboard", "source"])
def test_frames_outside_the_baked_range_are_treated_as_missing(policy: str, comp: Comp) -> None:
    comp.bake(bake_range="custom", bake_first=1002, bake_last=1004, missing=policy, **RATIO)
    for frame in (1001, 1006):
        if policy == "error":
            with pytest.raises(RuntimeError, match=f"frame {frame} "):
                comp.rgb(frame)
        elif policy == "source":
            np.testing.assert_array_equal(comp.rgb(frame), comp.rgb(frame, node=comp.grade))
        else:
            assert set(np.unique(comp.rgb(frame))) == ({0.0} if policy == "black" else {0.0, 1.0})
    assert np.abs(comp.rgb(1003) - scene(1003)).mean() < 0.02


def test_layers_have_their_channel_names_in_nuke(comp: Comp) -> None:
    comp.bake(layer_mask=True, **RATIO)
    planes = comp.node.picture(1003, "main").planes
    assert {"motion_mask.forward", "motion_mask.backward"} <= set(planes)
    assert not {name for name in planes if name.endswith((".R", ".G", ".B"))}


def test_the_coarse_layer_is_the_first_stage(window: Comp) -> None:
    window.bake(layer_coarse=True, engine_method="f2hdr", bake_range="custom", bake_first=1003, bake_last=1003, **RATIO)
    image = window.node.picture(1003, "main")
    coarse = np.stack([image.plane(f"coarse.{color}")[::-1] for color in ("red", "green", "blue")], axis=-1)
    assert np.abs(coarse - scene(1003)).mean() < 0.1
    assert coarse.max() > 3


def test_metadata_is_read_in_every_view(window: Comp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nuke reads the view that is shown unless one is named."""
    from nuke.nodes import Node

    session.views[:] = ["left", "right"]
    session.view = "right"
    asked: set[Any] = set()

    def metadata(node: Node, key: str, frame: float | None = None, view: str | None = None) -> Any:
        asked.add(view)
        return {"exr/expTime": "1/50" if int(frame or 0) % 2 else "1/400"}.get(key)

    monkeypatch.setattr(Node, "metadata", metadata)
    window.bake(exposure_mode="metadata", cuts="none")
    assert asked == {"left", "right"}

    def differing(node: Node, key: str, frame: float | None = None, view: str | None = None) -> Any:
        return {"exr/expTime": 0.02 if (int(frame or 0) % 2) == (view == "left") else 0.0025}.get(key)

    monkeypatch.setattr(Node, "metadata", differing)
    window.grade["white"].setValue(0.9)
    window.bake()
    assert "left" in window.messages() and "right" in window.messages()


def test_the_menus_of_a_built_in_config_come_from_the_backend(window: Comp, monkeypatch: pytest.MonkeyPatch) -> None:
    from f2hdr_nuke import spaces

    monkeypatch.setenv("OCIO", "ocio://cg-config-v2.1.0_aces-v1.3_ocio-v2.3")
    monkeypatch.setattr(spaces, "_from_backend", {})
    fake.open_panel(window.node)
    window.wait()
    offered = window.node["color_input_space"].values()
    assert {"auto", "gamma22", "linear", "ACEScg", "scene_linear"} <= set(offered)


def test_a_bake_with_a_built_in_config_uses_the_working_space(comp: Comp, monkeypatch: pytest.MonkeyPatch) -> None:
    from f2hdr_nuke import spaces

    monkeypatch.setenv("OCIO", "ocio://cg-config-v2.1.0_aces-v1.3_ocio-v2.3")
    monkeypatch.setattr(spaces, "_from_backend", {})
    nuke.root()["workingSpaceLUT"].setValue("scene_linear (ACES/ACEScg)")
    comp.from_files()
    comp.read["raw"].setValue(False)
    comp.read["colorspace"].setValue("ACES/ACEScg")
    comp.bake(bake_range="custom", bake_first=1003, bake_last=1003, **RATIO)
    assert comp.state() == "Baked 1003."
    assert comp.plates() == []
    header = OpenEXR.File(str(comp.results()[0])).header()
    assert header["chromaticities"][:2] == pytest.approx((0.713, 0.293), abs=1e-3)


def test_a_missing_backend_that_the_node_names_is_reported(window: Comp, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("F2HDR_RUNTIME", str(tmp_path / "nobody"))
    monkeypatch.delenv("F2HDR_BACKEND")
    window.bake(backend_program=str(tmp_path / "no" / "f2hdr"))
    assert f'"{tmp_path}/no/f2hdr"' in window.messages()
    assert "backend program" in window.messages()
