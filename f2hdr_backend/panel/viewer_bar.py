"""The viewer's controls."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, Optional

from f2hdr_backend.panel.basic_widgets import button, check_box, label
from f2hdr_backend.panel.qt import Qt, QtWidgets, Signal
from f2hdr_backend.panel.slider import NumberSlider

MODES = (
    ("plate", "Plate", "1", "The plate without changes."),
    ("result", "Result", "2", "The rendered HDR frame."),
    ("difference", "Difference", "3", "Absolute difference of result and plate, exposures matched, scene-linear."),
    ("wipe", "Wipe", "W", "Plate to the left of the line, result to the right; drag the line."),
)
CHANNELS = (("RGB", "rgb"), ("Red", "r"), ("Green", "g"), ("Blue", "b"), ("Luminance", "y"))
OVERLAYS = (
    ("No overlay", "none"), ("Range", "clip"), ("Motion mask", "mask"), ("Occlusion", "occlusion"), ("Flow", "flow")
)  # fmt: skip
_RANGE = (("all channels clip", "#ff4036"), ("a channel clips", "#ffb020"), ("noise floor, 8 stops below", "#4078ff"))
_LEGENDS = {
    ("clip", False): _RANGE,
    ("clip", True): (*_RANGE, ("recorded only by shorter exposures", "#be78ff")),
    ("mask", True): (("motion", "#ff961e"),),
    ("occlusion", True): (("hidden in a neighbor", "#ff3cc8"),),
    ("flow", True): (
        ("to the right", "#ff0000"), ("up", "#80ff00"), ("to the left", "#00ffff"), ("down", "#8000ff"),
        ("opaque: 16 pixels or more", ""),
    ),
}  # fmt: skip
"""Legend of an overlay (text, color), for the plate and for views with a result."""
RANGE_HELP = (
    "Range: pixels that clip, pixels within the noise floor (8 stops below the clip) and, in a result, pixels that "
    "only exposures shorter than the anchor recorded.\nMotion mask, occlusion and flow are layers of the result: "
    "switch them on there."
)


@dataclass
class Shown:
    """The chosen display options."""

    mode: str = "plate"
    overlay: str = "none"
    match: bool = False
    exposure: float = 0.0
    gamma: float = 1.0
    channel: str = "rgb"
    display: str = ""
    view: str = ""
    displays: dict[str, list[str]] = field(default_factory=dict)


def legend_of(mode: str, overlay: str) -> tuple[tuple[str, str], ...]:
    """Return the legend of an overlay: (text, color) pairs."""
    return () if mode == "difference" else _LEGENDS.get((overlay, mode in ("result", "wipe")), ())


class ViewerBar(QtWidgets.QWidget):
    """Two rows of controls. ``changed`` is emitted after every change of ``shown``."""

    changed = Signal()
    fit_asked = Signal()
    actual_asked = Signal()

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.shown = Shown()
        self._modes: dict[str, Any] = {}
        self._match = check_box("Match exposure")
        self._match.setAccessibleName("Match exposure")
        self._match.setToolTip("Show plate frames on the result's scale: short frames are brightened by the stops "
                               "they are below the anchor. Always on in difference and wipe.  M")  # fmt: skip
        self._match.toggled.connect(self._matched)
        self._channel = self._combo("Channel", CHANNELS, self._channel_chosen, "R, G, B, Y keys; again for RGB.")
        self._overlay = self._combo("Overlay", OVERLAYS, self._overlay_chosen, RANGE_HELP)
        self._display = self._combo("Display", (), self._display_chosen, "OCIO display of your monitor.")
        self._view = self._combo(
            "View", (), self._view_chosen, "OCIO view: conversion from scene-linear to the display."
        )
        self.exposure = NumberSlider("Exposure", (-10.0, 10.0), 0.0, 0.5)
        self.exposure.set_help("Stops, for viewing only. Keys: . and , by half a stop, 0 to reset.")
        self.gamma = NumberSlider("Gamma", (0.2, 4.0), 1.0, 0.1)
        self.gamma.set_help("For viewing only. Double-click the slider to reset.")
        self.exposure.changed.connect(self._looked)
        self.gamma.changed.connect(self._looked)
        self._view.setMinimumWidth(90)
        self._zoom = label("", "dim")
        self._zoom.setMinimumWidth(44)
        self.path = label("", "dim")
        self.path.setAccessibleName("Display transform")
        self._lay_out()

    def set_mode(self, mode: str) -> None:
        """Show plate, result, difference or wipe."""
        self.shown.mode = mode
        for name, control in self._modes.items():
            control.setChecked(name == mode)
        forced = mode in ("difference", "wipe")
        self._match.setEnabled(not forced and mode != "result")
        self._match.blockSignals(True)
        self._match.setChecked(forced or self.shown.match)
        self._match.blockSignals(False)
        self.changed.emit()

    def toggle_match(self) -> None:
        """Switch exposure matching on or off."""
        self._match.toggle()

    def toggle_channel(self, channel: str) -> None:
        """Show one channel, or all channels if it is already shown."""
        wanted = "rgb" if self.shown.channel == channel else channel
        self._channel.setCurrentIndex([value for _, value in CHANNELS].index(wanted))

    def set_overlay(self, overlay: str) -> None:
        """Set the overlay by its name."""
        self._overlay.setCurrentIndex([value for _, value in OVERLAYS].index(overlay))

    def offer(self, displays: dict[str, list[str]]) -> None:
        """Set the displays and views, defaults first; keeps the current choice if it is among them."""
        self.shown.displays = displays
        self._fill(self._display, list(displays), self.shown.display)
        self.shown.display = self._display.currentText()
        self._offer_views()

    def show_path(self, words: str) -> None:
        """Show whether the GPU or the CPU computes the display transform; ``words`` is the description."""
        self.path.setText(words.partition(":")[0].rstrip("."))
        self.path.setToolTip(f"Display transform: {words}")
        self.path.setAccessibleDescription(words)

    def show_zoom(self, zoom: float) -> None:
        """Display the zoom factor."""
        self._zoom.setText(f"{zoom:.0%}")

    def _offer_views(self) -> None:
        self._fill(self._view, self.shown.displays.get(self.shown.display, []), self.shown.view)
        self.shown.view = self._view.currentText()

    def _fill(self, combo: Any, names: list[str], chosen: str) -> None:
        combo.blockSignals(True)
        combo.clear()
        combo.addItems(names)
        combo.setCurrentIndex(max(0, names.index(chosen) if chosen in names else 0))
        combo.blockSignals(False)

    def _combo(self, name: str, items: Any, chosen: Any, help: str) -> Any:
        combo = QtWidgets.QComboBox()
        combo.setAccessibleName(name)
        combo.setToolTip(help)
        combo.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        combo.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToContents)
        for text, value in items:
            combo.addItem(text, value)
        combo.currentIndexChanged.connect(lambda _: chosen())
        return combo

    def _lay_out(self) -> None:
        modes = QtWidgets.QHBoxLayout()
        modes.setSpacing(0)
        for name, text, key, help in MODES:
            control = button(text, functools.partial(self.set_mode, name), f"Show {name}", f"{help}  {key}")
            control.setCheckable(True)
            modes.addWidget(control)
            self._modes[name] = control
        self._modes["plate"].setChecked(True)
        first, second = QtWidgets.QHBoxLayout(), QtWidgets.QHBoxLayout()
        first.addLayout(modes)
        for widget in (self._overlay, self._channel):
            first.addWidget(widget)
        first.addStretch(1)
        for widget in (self._display, self._view):
            first.addWidget(widget)
        self.setEnabled(False)
        second.addWidget(self._match)
        second.addSpacing(12)
        second.addWidget(self.exposure, 3)
        second.addSpacing(12)
        second.addWidget(self.gamma, 2)
        second.addSpacing(12)
        second.addWidget(self.path)
        second.addSpacing(6)
        second.addWidget(self._zoom)
        second.addWidget(button("Fit", self.fit_asked.emit, "Fit", "The whole picture.  F"))
        second.addWidget(button("1:1", self.actual_asked.emit, "Actual size", "A pixel of the plate on a pixel of the "
                                "display.  H"))  # fmt: skip
        whole = QtWidgets.QVBoxLayout(self)
        whole.setContentsMargins(8, 6, 8, 6)
        whole.setSpacing(5)
        whole.addLayout(first)
        whole.addLayout(second)

    def _matched(self, is_on: bool) -> None:
        self.shown.match = is_on
        self.changed.emit()

    def _looked(self, _: float) -> None:
        self.shown.exposure, self.shown.gamma = self.exposure.value, self.gamma.value
        self.changed.emit()

    def _channel_chosen(self) -> None:
        self.shown.channel = self._channel.currentData()
        self.changed.emit()

    def _overlay_chosen(self) -> None:
        self.shown.overlay = self._overlay.currentData()
        self.changed.emit()

    def _display_chosen(self) -> None:
        self.shown.display = self._display.currentText()
        self._offer_views()
        self.changed.emit()

    def _view_chosen(self) -> None:
        self.shown.view = self._view.currentText()
        self.changed.emit()
