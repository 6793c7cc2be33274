"""Render controls: frame, range, estimated time, farm and command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from f2hdr_backend.panel.basic_widgets import button, label
from f2hdr_backend.panel.jobs_table import time_left
from f2hdr_backend.panel.qt import QtCore, QtGui, QtWidgets


class RenderBar(QtWidgets.QWidget):
    """Buttons below the Shot form. ``acts`` are the functions of the buttons by name."""

    def __init__(self, acts: dict[str, Callable[[], None]], parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("pane")
        self._count = 0
        self.frame = button("Render frame", acts["frame"], "Render frame", "Render the frame on screen, before any "
                            "other work of the backend.  Ctrl+R", primary=True)  # fmt: skip
        self.range = button("Render range", acts["range"], "Render range", "Render from in to out. Frames that are "
                            "done are kept.  Ctrl+Shift+R", primary=True)  # fmt: skip
        self.detect = button("Detect", acts["detect"], "Detect exposures", "Measure every frame's exposure.  Ctrl+D")
        self.command = button("Copy command", acts["command"], "Copy command", "Copy the command line that renders "
                              "this Shot.")  # fmt: skip
        self.farm = button("Send to farm…", acts["farm"], "Send to farm", "Write an OpenJD job bundle of this Shot.")
        self.estimate = label("", "dim")
        self.estimate.setAccessibleName("Estimated time")
        self.estimate.setWordWrap(True)
        first, second = QtWidgets.QHBoxLayout(), QtWidgets.QHBoxLayout()
        first.addWidget(self.frame, 1)
        first.addWidget(self.range, 1)
        for control in (self.detect, self.command, self.farm):
            second.addWidget(control, 1)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        self._settings = QtWidgets.QHBoxLayout()
        self._settings.setSpacing(10)  # as in the form above it
        layout.addLayout(self._settings)
        layout.addWidget(self.estimate)
        layout.addLayout(first)
        layout.addLayout(second)

    def add_setting(self, name: Any, editor: Any) -> None:
        """Add a field of the Shot above the estimated time."""
        name.setMinimumWidth(132)
        self._settings.addWidget(name)
        self._settings.addWidget(editor, 1)

    def show_state(self, frame: int, first: int, last: int, count: int, *, is_open: bool) -> None:
        """Show the frame and the range on the buttons."""
        for control in (self.frame, self.range, self.detect, self.command, self.farm):
            control.setEnabled(is_open)
        self.frame.setText(f"Render frame {frame}" if is_open else "Render frame")
        self.range.setText(f"Render {first}–{last}" if is_open else "Render range")
        self._count = count

    def show_estimate(self, found: Optional[tuple[float, str]]) -> None:
        """Show the estimated time of the range, from the seconds per frame and their source; None if unknown."""
        if found is None:
            self.estimate.setText("Time: known after the first frame." if self.frame.isEnabled() else "")
            return
        seconds, how = found
        each = f"{seconds:.1f} s" if seconds < 100 else time_left(seconds)
        whole = time_left(seconds * self._count)
        self.estimate.setText(f"About {whole} for {self._count} frames, {each} each ({how}).")


def reveal(path: str) -> Any:
    """Open a folder with the system's file browser."""
    return QtGui.QDesktopServices.openUrl(QtCore.QUrl.fromLocalFile(path))
