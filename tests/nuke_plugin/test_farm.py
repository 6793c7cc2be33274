"""Without a window, in processes of their own: the farm's script, cache-only render nodes, plain ``-x``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nuke
import numpy as np
import OpenEXR
import pytest
from nuke import fake
from nuke.session import session
from nuke_comp import Comp
from nuke_footage import FIRST, LAST, exposed, scene

ROOT = Path(__file__).parent.parent.parent
HOST = ROOT / "tests" / "hosts" / "nuke"
FAILS_A_TASK = re.compile(r"Error:|ERROR:|Error :")
"""Lines that farm wrappers treat as a failure."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plug-in as the installer installs it."""
    folder = tmp_path_factory.mktemp("home") / ".nuke"
    program = [sys.executable, str(ROOT / "installers" / "nuke" / "install.py"), "--to", str(folder)]
    subprocess.run(program, check=True, capture_output=True)
    return folder


def with_write(comp: Comp) -> Path:
    """Put a Write after the node, save the script, and return the folder that it writes to."""
    write = nuke.createNode("Write")
    target = comp.script.parent / "comp"
    write["file"].setValue(f"{target}/out.%04d.exr")
    write["file_type"].setValue("exr")
    write["channels"].setValue("all")
    write["create_directories"].setValue(True)
    write["datatype"].setValue("32 bit float")
    write.setInput(0, comp.node)
    nuke.scriptSaveAs(str(comp.script))
    return target


def terminal(*arguments: str, nuke_path: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the fake Nuke's command line, with no path to this repository but the fake's own."""
    environment = {**os.environ, "PYTHONPATH": str(HOST), "NUKE_PATH": nuke_path, **variables}
    program = [sys.executable, "-P", str(HOST / "terminal.py"), *arguments]
    return subprocess.run(program, env=environment, cwd="/", capture_output=True, text=True, check=False)


def picture(path: Path) -> np.ndarray:
    channels = OpenEXR.File(str(path), separate_channels=True).channels()
    return np.stack([channels[name].pixels for name in "RGB"], axis=-1)


@pytest.mark.parametrize("variables", [{}, {"FAKE_NUKE_NO_FILE": "1"}], ids=["with __file__", "without"])
@pytest.mark.parametrize("path", ["installed", "not installed"])
def test_the_farm_script_bakes_and_nuke_renders(
    variables: dict[str, str], path: str, window: Comp, installed: Path
) -> None:
    target = with_write(window)
    program = installed / "f2hdr" / "f2hdr_farm.py"
    folders = str(installed) if path == "installed" else ""
    ran = terminal("-F", "1002-1003", "-x", str(program), str(window.script), nuke_path=folders, **variables)
    assert ran.returncode == 0, ran.stderr
    assert not FAILS_A_TASK.search(ran.stdout + ran.stderr)
    assert "F2HDR: rendering main 2/2" in ran.stdout
    assert sorted(path.name for path in target.iterdir()) == ["out.1002.exr", "out.1003.exr"]
    assert np.abs(picture(target / "out.1003.exr") - scene(1003)).mean() < 0.02


def test_chunks_of_the_farm_equal_one_bake(window: Comp, installed: Path) -> None:
    window.set(exposure_mode="ratio", short_parity="even", cuts="none")
    target = with_write(window)
    program = str(installed / "f2hdr" / "f2hdr_farm.py")
    for chunk in ("1001-1002", "1005-1006", "1003-1004"):
        ran = terminal("-F", chunk, "-x", program, str(window.script), nuke_path=str(installed))
        assert ran.returncode == 0, ran.stderr
    window.bake(cache_dir=str(window.script.parent / "once"))
    for frame in range(FIRST, LAST + 1):
        np.testing.assert_array_equal(picture(target / f"out.{frame}.exr"), window.rgb(frame))


def test_the_farm_script_fails_the_task_when_it_cannot_bake(window: Comp, installed: Path, tmp_path: Path) -> None:
    target = with_write(window)
    program = str(installed / "f2hdr" / "f2hdr_farm.py")
    lonely = {"F2HDR_RUNTIME": str(tmp_path / "nobody"), "F2HDR_BACKEND": str(tmp_path / "none")}
    ran = terminal("-F", "1002-1003", "-x", program, str(window.script), nuke_path=str(installed), **lonely)
    assert ran.returncode != 0
    assert FAILS_A_TASK.search(ran.stdout)
    assert "F2HDR_BACKEND" in ran.stdout
    assert not target.exists()


def test_a_script_that_cannot_be_opened_fails_with_one_line(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.nk").write_text("NoSuchNode {\n}\n")
    program = str(installed / "f2hdr" / "f2hdr_farm.py")
    ran = terminal("-F", "1-2", "-x", program, str(tmp_path / "broken.nk"), nuke_path=str(installed))
    assert ran.returncode != 0
    assert "broken.nk cannot be opened" in ran.stdout


def test_the_farm_script_without_a_nuke_script_fails_with_a_message(installed: Path) -> None:
    ran = terminal("-F", "1-2", "-x", str(installed / "f2hdr" / "f2hdr_farm.py"), nuke_path=str(installed))
    assert ran.returncode != 0
    assert "f2hdr_farm.py shot.nk" in ran.stdout


def test_a_baked_script_renders_without_plugin_and_backend(window: Comp, tmp_path: Path) -> None:
    window.bake()
    shown = window.rgb(1003)
    target = with_write(window)
    lonely = {"F2HDR_RUNTIME": str(tmp_path / "nobody"), "F2HDR_BACKEND": str(tmp_path / "none")}
    ran = terminal("-F", "1001-1006", "-x", str(window.script), **lonely)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    np.testing.assert_array_equal(picture(target / "out.1003.exr"), shown)


def test_a_saved_script_contains_a_group(window: Comp) -> None:
    nuke.scriptSaveAs(str(window.script))
    saved = window.script.read_text()
    assert "Group {" in saved
    assert not re.search(r"^\s*F2HDR(\.gizmo)? \{", saved, re.MULTILINE)


@pytest.mark.parametrize("policy", ["error", "black", "checkerboard", "source"])
def test_a_missing_frame_is_an_error_or_is_replaced_as_the_knob_says(window: Comp, policy: str) -> None:
    window.bake(bake_range="custom", bake_first=1001, bake_last=1003, missing=policy)
    target = with_write(window)
    ran = terminal("-F", "1003-1004", "-x", str(window.script))
    assert np.abs(picture(target / "out.1003.exr") - scene(1003)).mean() < 0.02
    if policy == "error":
        assert ran.returncode != 0
        assert "frame 1004 is not baked" in ran.stdout
        assert not (target / "out.1004.exr").exists()
        return
    assert ran.returncode == 0, ran.stdout
    found = picture(target / "out.1004.exr")
    if policy == "source":
        np.testing.assert_array_equal(found, exposed(1004))
    else:
        assert set(np.unique(found)) == ({0.0} if policy == "black" else {0.0, 1.0})


def test_a_terminal_render_requests_each_frame_of_original_files(window: Comp, installed: Path) -> None:
    window.from_files()
    window.set(on_demand=True, exposure_mode="ratio", short_parity="even", cuts="none", color_clip_level="1")
    target = with_write(window)
    ran = terminal("-F", "1002-1003", "-x", str(window.script), nuke_path=str(installed))
    assert ran.returncode == 0, ran.stderr + ran.stdout
    assert not FAILS_A_TASK.search(ran.stdout)
    assert len(window.results()) == 2
    assert np.abs(picture(target / "out.1003.exr") - scene(1003)).mean() < 0.02


def test_on_demand_frames_follow_the_knobs_also_after_undoing_a_change(
    plate: str, tmp_path: Path, runtime: Path
) -> None:
    """Files of earlier settings exist when the knobs change back; the node must show those and no others."""
    comp = Comp(plate, tmp_path / "shot.nk", gui=False)
    comp.from_files()
    comp.set(on_demand=True, exposure_mode="ratio", short_parity="even", cuts="none", color_clip_level="1")
    target = with_write(comp)
    pictures = []
    for anchor in ("long", "short", "long"):
        comp.set(output_anchor=anchor)
        fake.render(1003, 1003)
        pictures.append(picture(target / "out.1003.exr"))
    np.testing.assert_allclose(pictures[1], pictures[0] / 8, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(pictures[2], pictures[0])


@pytest.mark.parametrize("has_node", [True, False])
def test_a_render_without_on_demand_nodes_does_not_walk_the_graph(
    has_node: bool, plate: str, tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every Write of every script calls the plug-in at every frame."""
    from f2hdr_nuke import graph

    comp = Comp(plate, tmp_path / "shot.nk", gui=False)
    target = with_write(comp)
    if not has_node:
        nuke.toNode("Write1").setInput(0, comp.grade)
        nuke.delete(comp.node)
    comp.set(missing="black") if has_node else None

    def refuse(*_: Any) -> Any:
        raise RuntimeError("the graph was walked")

    monkeypatch.setattr(graph, "upstream", refuse)
    fake.render(1003, 1003)
    assert (target / "out.1003.exr").exists()


def test_a_terminal_render_does_not_measure_exposures_on_one_frame(window: Comp, installed: Path) -> None:
    window.from_files()
    window.set(on_demand=True, exposure_mode="ratio", short_parity="even", cuts="none")
    target = with_write(window)
    ran = terminal("-F", "1002-1003", "-x", str(window.script), nuke_path=str(installed))
    assert ran.returncode != 0
    assert "cannot be measured in one frame" in ran.stdout
    window.bake(bake_range="custom", bake_first=1001, bake_last=1004)
    nuke.scriptSaveAs(str(window.script))
    ran = terminal("-F", "1005-1006", "-x", str(window.script), nuke_path=str(installed))
    assert ran.returncode == 0, ran.stderr + ran.stdout
    assert sorted(path.name for path in target.iterdir()) == ["out.1005.exr", "out.1006.exr"]


def test_a_terminal_render_with_nodes_above_fails_with_the_reason(window: Comp, installed: Path) -> None:
    window.set(on_demand=True)
    target = with_write(window)
    ran = terminal("-F", "1002-1003", "-x", str(window.script), nuke_path=str(installed))
    assert ran.returncode != 0
    assert "not an original file" in ran.stdout
    assert not target.exists()


def test_a_terminal_render_of_an_unbaked_script_fails_and_never_shows_the_plate(window: Comp, installed: Path) -> None:
    target = with_write(window)
    ran = terminal("-F", "1002-1003", "-x", str(window.script), nuke_path=str(installed))
    assert ran.returncode != 0
    assert not (target / "out.1002.exr").exists()


def test_the_plugin_prints_nothing_at_the_start_of_a_render_node(installed: Path, window: Comp) -> None:
    window.bake()
    with_write(window)
    ran = terminal("-F", "1001-1001", "-x", str(window.script), nuke_path=str(installed))
    assert ran.returncode == 0
    assert "F2HDR" not in ran.stdout + ran.stderr


def test_frame_range_arguments_are_parsed() -> None:
    from f2hdr_nuke import farm

    session.root["first_frame"].setValue(5)
    session.root["last_frame"].setValue(7)
    assert str(farm.asked_frames(["nuke", "-x", "a.nk"])) == "5-7"
    assert str(farm.asked_frames(["nuke", "-F", "1001-1003", "-F", "1007", "-x", "a.nk"])) == "1001-1003,1007"
    assert str(farm.asked_frames(["nuke", "-F", "1-9x2", "-x", "a.nk"])) == "1-9x2"
    assert str(farm.asked_frames(["nuke", "-F", "1,9,4", "-x", "a.nk"])) == "1-9x4"
