"""The panel inside Nuke: opens a node's plate and settings, and applies the Shot to the node."""

from __future__ import annotations

import os
from typing import Any, Optional

import nuke
from f2hdr_nuke import graph, knobs, paths, plan, settings

from f2hdr_backend.panel.basic_widgets import Elided, button
from f2hdr_backend.panel.qt import Qt, QtWidgets, user_settings
from f2hdr_backend.panel.workspace import Workspace
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import F2HDRError, ShotError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import Sequence


class NukePanel(QtWidgets.QWidget):
    """The widget that Nuke docks."""

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.workspace = Workspace(user_settings("panel in Nuke"), self)
        self.workspace.setWindowFlags(Qt.WindowType.Widget)  # otherwise a QMainWindow is a top-level window
        self._node = ""
        self._name = Elided("No F2HDR node", "dim")
        self._name.setAccessibleName("Node")
        line = QtWidgets.QHBoxLayout()
        line.setContentsMargins(8, 4, 8, 4)
        line.addWidget(self._name, 1)
        line.addWidget(button("From node", self.take, "From node", "Open the plate and the settings of the selected "
                              "F2HDR node."))  # fmt: skip
        self.apply = button(
            "Apply to node", self.give, "Apply to node", "Set the node's knobs to the values of this Shot."
        )
        self.apply.setEnabled(False)
        line.addWidget(self.apply)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(line)
        layout.addWidget(self.workspace, 1)
        self.setStyleSheet(self.workspace.styleSheet())

    def take(self) -> None:
        """Open the plate and the settings of the selected node, or of the only one."""
        try:
            node = _chosen()
            shot = shot_of(node)
        except F2HDRError as error:
            self.workspace.session.report_error(error)
            return
        self._node = node.fullName()
        self._name.show_text(f"Node {self._node}")
        self.apply.setEnabled(True)
        self.workspace.session.open_shot(shot)

    def give(self) -> None:
        """Set the node's knobs to the values of the Shot; one undo step in Nuke."""
        shot = self.workspace.model.shot
        if shot is None:
            return
        try:
            apply(knobs.find(self._node), shot, self.workspace.model.exposures, self.workspace.model.cuts)
        except F2HDRError as error:
            self.workspace.session.report_error(error)
            return
        self.workspace.session.reported.emit(f"Applied to {self._node}. Bake the node to use it.", "info")

    def closeEvent(self, event: Any) -> None:
        """Close everything that belongs to the panel."""
        self.workspace.shut_down()
        super().closeEvent(event)


def shot_of(node: nuke.Node) -> Shot:
    """Return the Shot of a node's first view, whose plate must be files on disk.

    Renders of the panel go into a separate folder, because the node's bakes are identified by the node's settings.

    Raises ShotError if the plate is generated in the graph and was not baked yet, and the errors of a bake.
    """
    source = graph.look(node)
    view = str(nuke.views()[0])
    folder = paths.node_folder(node)
    plate = plan.plate_of(node, view, folder, source)
    shot = settings.shot_of(node, source, plate, os.path.join(folder, "panel", f"hdr.{view}.####.exr"))
    if not plate.is_original and not _has_files(plate.pattern):
        raise ShotError(
            f"The plate of {node.fullName()} is generated in the graph and is not on disk yet.",
            hint="Bake a few frames of the node first, or connect it to a Read.",
        )
    return shot


def apply(node: nuke.Node, shot: Shot, exposures: Optional[ExposurePattern], cuts: tuple[int, ...]) -> None:
    """Set a node's knobs to the settings of a Shot; the plate stays the node's input.

    Raises ShotError for exposures that the node has no knobs for.
    """
    values: dict[str, Any] = {"color_input_space": shot.color.input_space, "color_output_space": _output_space(shot)}
    if shot.color.clip_level is not None:
        values["color_clip_level"] = " ".join(f"{level:g}" for level in shot.color.clip_level)
    document = shot.to_json()
    values.update({f"engine_{name}": value for name, value in document["engine"].items()})
    values.update({f"output_{name}": document["output"][name] for name in ("pixel_type", "compression")})
    values.update({f"layer_{name}": name in shot.output.layers for name in settings.LAYERS})
    anchor = shot.output.anchor
    values["output_anchor"] = anchor if anchor in ("long", "short") else "EV"
    if values["output_anchor"] == "EV":
        values["anchor_ev"] = float(anchor)
    if shot.cuts is not None:
        values["cuts"] = ", ".join(map(str, cuts)) or "none"
    if shot.exposures is not None and exposures is not None:
        values.update(_exposures(node, exposures))
    nuke.Undo().begin("F2HDR: apply the Shot")
    try:
        for name, value in values.items():
            _set(node, name, value)
    finally:
        nuke.Undo().end()


def _exposures(node: nuke.Node, pattern: ExposurePattern) -> dict[str, Any]:
    """Return knob values for these exposures: the ratio for a regular cycle of short and long, or keys of EV."""
    if len(pattern.cycle) == 2 and not pattern.exceptions:
        short = pattern.start + pattern.cycle.index(pattern.lowest)
        return {"exposure_mode": "ratio", "ev_ratio": pattern.ratio_stops, "short_parity": ("even", "odd")[short % 2]}
    first, last = graph.frame_range(node)
    node["ev"].clearAnimated()
    node["ev"].setAnimated()
    for frame in range(first, last + 1):
        node["ev"].setValueAt(pattern.ev(frame), frame)
    return {"exposure_mode": "expression"}


def _output_space(shot: Shot) -> str:
    return settings.AUTO if shot.color.output_space == "linear" else shot.color.output_space


def _set(node: nuke.Node, name: str, value: Any) -> None:
    """Set an existing knob, adding the value to its menu if missing."""
    knob = node.knob(name)
    if knob is None:
        return
    if hasattr(knob, "values") and str(value) not in knobs.choices(node, name):
        knobs.offer(node, name, [*knobs.choices(node, name), str(value)])
    if knob.value() != value:
        knob.setValue(value)


def _has_files(pattern: str) -> bool:
    return bool(len(Sequence.parse(pattern).on_disk()))


def _chosen() -> nuke.Node:
    """Return the selected F2HDR node, or the only one of the script."""
    found = knobs.all_nodes()
    selected = [node for node in found if node["selected"].value()]
    chosen = selected if selected else found
    if len(chosen) != 1:
        raise ShotError(
            "There is no F2HDR node in the script." if not found else "Several F2HDR nodes are in the script.",
            hint="Create one from the toolbar." if not found else "Select one of them.",
        )
    return chosen[0]
