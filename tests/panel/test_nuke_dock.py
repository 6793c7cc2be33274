"""The panel docked in the fake Nuke: registered, opened, filled from the node, and applied to it."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
for folder in (ROOT / "nuke_plugin", ROOT / "tests" / "hosts" / "nuke"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from nuke_comp import Comp  # noqa: E402
from nuke_footage import write_plate  # noqa: E402
from nukescripts import panels  # noqa: E402

from f2hdr_backend.shot.exposure import ExposurePattern  # noqa: E402


@pytest.fixture
def docked(qtbot, served, tmp_path):
    """The panel and the comp."""
    comp = Comp(write_plate(tmp_path / "footage"), tmp_path / "shot.nk", gui=True)
    comp.from_files()
    panel = panels.open_panel("com.f2hdr.panel")
    panel.show()
    yield panel, comp
    panel.workspace.shut_down()
    panel.deleteLater()


def test_the_panel_is_in_the_pane_menu_and_opens_without_a_shot(docked):
    panel, _ = docked
    assert panels.registered["com.f2hdr.panel"][0] == "F2HDR"
    assert panel.workspace.model.shot is None and not panel.apply.isEnabled()
    assert not panel.workspace.isWindow()
    assert panel.workspace.viewer.canvas.visibleRegion().boundingRect().height() > 100


def test_the_panel_starts_with_the_settings_of_the_node_and_writes_changes_back(docked, qtbot, tmp_path):
    panel, comp = docked
    comp.set(engine_tile="512", output_anchor="short")
    panel.take()
    shot = panel.workspace.model.shot
    assert Path(shot.plate).parent == tmp_path / "footage"
    assert (shot.engine.method, shot.engine.tile, shot.output.anchor) == ("merge", "512", "short")
    changed = replace(
        shot, exposures=ExposurePattern((0.0, 2.0), 1001), cuts=(1004,),
        engine=replace(shot.engine, precision="fp32"),
        output=replace(shot.output, anchor="1.5", layers=("flow",)),
    )  # fmt: skip
    panel.workspace.model.put(changed)
    panel.give()
    values = {name: comp.node[name].value() for name in (
        "engine_precision", "output_anchor", "anchor_ev", "layer_flow", "layer_mask", "exposure_mode", "ev_ratio",
        "short_parity", "cuts",
    )}  # fmt: skip
    assert values == {
        "engine_precision": "fp32", "output_anchor": "EV", "anchor_ev": 1.5, "layer_flow": True, "layer_mask": False,
        "exposure_mode": "ratio", "ev_ratio": 2.0, "short_parity": "odd", "cuts": "1004",
    }  # fmt: skip
    panel.take()
    again = panel.workspace.model.shot
    assert (again.exposures.ev(1001), again.exposures.ev(1002)) == (0.0, 2.0)
    assert replace(again, exposures=None) == replace(changed, exposures=None)


def test_a_corrected_frame_becomes_keys_of_the_exposure(docked):
    panel, comp = docked
    panel.take()
    shot = panel.workspace.model.shot
    panel.workspace.model.put(replace(shot, exposures=ExposurePattern((0.0, 3.0), 1001, ((1003, 3.0),))))
    panel.give()
    assert comp.node["exposure_mode"].value() == "expression"
    assert [comp.node["ev"].getValueAt(frame) for frame in range(1001, 1007)] == [0, 3, 3, 3, 0, 3]


def test_the_layout_in_nuke_is_restored(docked, qtbot):
    panel, _ = docked
    panel.workspace.docks["jobs"].hide()
    panel.workspace.shut_down()
    again = panels.open_panel("com.f2hdr.panel")
    assert again.workspace.docks["jobs"].isHidden() and not again.workspace.docks["shot"].isHidden()
    again.workspace.shut_down()


def test_a_plate_from_the_graph_is_refused_with_an_error_that_names_the_node(docked):
    panel, comp = docked
    reported = []
    panel.workspace.session.reported.connect(lambda words, kind: reported.append((kind, words)))
    comp.node.setInput(0, comp.grade)
    panel.take()
    assert reported[-1][0] == "error" and comp.node.fullName() in reported[-1][1]
    assert panel.workspace.model.shot is None
