"""The panel: Detect, the label of the cycle, color menus from the script's config, disabled knobs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nuke
import numpy as np
import PyOpenColorIO as ocio
import pytest
from f2hdr_nuke import exposures
from nuke import fake
from nuke.session import session
from nuke_comp import Comp
from nuke_footage import FIRST, scene, write_plate

from f2hdr_backend.shot.errors import ExposureError

SHIPPED = Path(__file__).parent.parent.parent / "f2hdr_backend" / "color" / "ocio" / "f2hdr.ocio"


def test_detect_fills_ratio_phase_and_label(window: Comp) -> None:
    assert "press Detect" in window.node["cycle"].value()
    window.press("detect")
    assert abs(window.node["ev_ratio"].value() - 3) < 0.1
    assert window.node["short_parity"].value() == "even"
    session.frame = 1002
    fake.idle()
    assert window.node["cycle"].value().startswith("frame 1002 is short (+0 stops); cycle +0, +")
    session.frame = 1003
    fake.idle()
    assert window.node["cycle"].value().startswith("frame 1003 is long (+")
    assert session.messages == []


def test_detect_finds_a_plate_that_starts_long(window: Comp) -> None:
    shift = nuke.createNode("TimeOffset")
    shift["time_offset"].setValue(1)
    shift.setInput(0, window.grade)
    window.node.setInput(0, shift)
    window.press("detect")
    assert window.node["short_parity"].value() == "odd"


def test_exposures_are_read_from_metadata(comp: Comp) -> None:
    evs = [round(np.log2(0.01 * gain), 2) for gain in (2**-3, 1)]
    comp.bake(exposure_mode="metadata", cuts="none")
    assert np.abs(comp.rgb(1003) - scene(1003)).mean() < 0.01
    assert comp.node["cycle"].value() == f"frame {session.frame}: {evs[session.frame % 2]:+g} stops"


def test_metadata_without_exposures_is_reported(window: Comp) -> None:
    window.read["file"].setValue(window.read["file"].value())
    nuke.createNode("Dot")
    constant = nuke.createNode("Grade")
    window.node.setInput(0, constant)
    window.bake(exposure_mode="metadata")
    assert "no exposure time at frame" in window.messages()


def test_exposures_are_read_from_an_expression(comp: Comp) -> None:
    comp.node["ev"].setExpression("frame % 2 == 0 ? 0 : 3")
    comp.bake(exposure_mode="expression", cuts="none")
    assert np.abs(comp.rgb(1002) - scene(1002)).mean() < 0.02


@pytest.mark.parametrize("mode", ["auto", "metadata", "ratio", "expression"])
def test_only_knobs_of_the_selected_mode_are_enabled(window: Comp, mode: str) -> None:
    window.set(exposure_mode=mode)
    enabled = {name for name in ("ev_ratio", "short_parity", "ev") if window.node[name].enabled}
    assert enabled == {"ratio": {"ev_ratio", "short_parity"}, "expression": {"ev"}}.get(mode, set())


def test_color_menus_offer_the_spaces_and_roles_of_the_config(window: Comp) -> None:
    config = ocio.Config.CreateFromFile(str(SHIPPED))
    expected = set(config.getColorSpaceNames()) | set(config.getRoleNames())
    root = nuke.root()
    root["colorManagement"].setValue("OCIO")
    root["OCIOConfigPath"].setValue(str(SHIPPED))
    window.node["color_input_space"].setValue("gamma22")
    fake.open_panel(window.node)
    offered = window.node["color_input_space"].values()
    assert expected <= set(offered)
    assert offered[:3] == ["auto", "gamma22", "linear"]
    assert window.node["color_input_space"].value() == "gamma22"
    root["colorManagement"].setValue("Nuke")
    fake.open_panel(window.node)
    assert window.node["color_input_space"].values() == ["auto", "gamma22", "linear"]


def test_a_config_in_an_archive_is_read(window: Comp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = ocio.Config.CreateFromFile(str(SHIPPED))
    archive = tmp_path / "studio.ocioz"
    config.archive(str(archive))
    monkeypatch.setenv("OCIO", str(archive))
    from f2hdr_nuke import spaces

    assert set(config.getColorSpaceNames()) <= set(spaces.names())


@pytest.mark.parametrize(
    ("shown", "space"),
    [("linear", "linear"), ("default (linear)", "linear"), ("Gamma2.2", "gamma22"), ("sRGB", None), ("Cineon", None)],
)
def test_spaces_of_nukes_default_color_management_are_mapped(window: Comp, shown: str, space: str | None) -> None:
    from f2hdr_nuke import spaces

    assert spaces.of_read(shown) == space


def test_a_read_with_a_nuke_curve_is_rendered_through_the_graph(window: Comp) -> None:
    window.from_files()
    window.read["raw"].setValue(False)
    window.read["colorspace"].setValue("sRGB")
    window.bake(exposure_mode="ratio", short_parity="even", cuts="none")
    assert len(list(window.plates())) == 6


def test_a_filename_filter_moves_the_cache(window: Comp) -> None:
    there = str(window.script.parent)

    def to_storage(path: str) -> str:
        return path.replace(f"{there}/f2hdr_cache", f"{there}/storage")

    nuke.addFilenameFilter(to_storage)
    window.bake()
    assert len(list(Path(there, "storage").glob("*/*/hdr.*.exr"))) == 6
    assert np.abs(window.rgb(FIRST) - scene(FIRST)).mean() < 0.01


def test_a_folder_with_spaces_and_accented_letters_is_used(plate: str, tmp_path: Path, runtime: Path) -> None:
    folder = tmp_path / "Müllers shot 10"
    pattern = write_plate(folder / "plates", "sh 010")
    comp = Comp(pattern, folder / "comp v001.nk", gui=True)
    comp.bake()
    assert comp.messages() == ""
    assert np.abs(comp.rgb(FIRST) - scene(FIRST)).mean() < 0.01


def test_toolbar_and_callbacks_are_registered_once(window: Comp) -> None:
    before = {kind: len(calls) for kind, calls in session.callbacks.items()}
    from f2hdr_nuke import callbacks, panel

    callbacks.register()
    panel.register()
    assert {kind: len(calls) for kind, calls in session.callbacks.items()} == before
    assert session.toolbar.findItem("F2HDR") == "nuke.createNode('F2HDR')"


EVS: list[tuple[dict[int, float], Any]] = [
    ({1: 0.0, 2: 3.0, 3: 0.0}, ((0.0, 3.0), 1, ())),
    ({1: 3.0, 2: 0.0, 3: 3.0, 4: 0.0}, ((0.0, 3.0), 0, ())),
    ({1: -9.64, 2: -6.64, 3: -9.64, 4: -9.64}, ((-9.64, -6.64), 1, ((4, -9.64),))),
]


@pytest.mark.parametrize(("evs", "expected"), EVS)
def test_exposures_of_single_frames_form_a_pattern(evs: dict[int, float], expected: Any) -> None:
    pattern = exposures.from_evs(evs)
    assert (pattern.cycle, pattern.start, pattern.exceptions) == expected
    assert all(pattern.ev(frame) == ev for frame, ev in evs.items())


def test_equal_exposures_are_refused() -> None:
    with pytest.raises(ExposureError, match="2 EV"):
        exposures.from_evs({1: 2.0, 2: 2.0})


def test_a_nuke_that_shows_python_few_nodes_reports_the_limitation(window: Comp) -> None:
    session.flavor = "indie"
    window.bake()
    assert window.state() == "Baked 1001-1006. Python in this Nuke cannot detect changes above the input."
