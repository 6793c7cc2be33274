"""Status line of the backend: state, devices, flow cache; buttons to start, stop and locate it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from f2hdr_backend.panel import theme
from f2hdr_backend.panel.backend import Backend
from f2hdr_backend.panel.basic_widgets import button, label
from f2hdr_backend.panel.qt import QtWidgets

_DOTS = {"running": theme.ACCENT, "starting": theme.WARNING, "refused": theme.ERROR}


class BackendBar(QtWidgets.QWidget):
    """Shows the backend's state."""

    def __init__(
        self, backend: Backend, locate: Callable[[], None], parent: Optional[QtWidgets.QWidget] = None
    ) -> None:
        super().__init__(parent)
        self._backend = backend
        self._dot = label("●")
        self.words = label("Looking for the backend…", "dim")
        self.words.setAccessibleName("Backend")
        self._cache = label("", "dim")
        self.switch = button("Start", self._switched, "Start or stop the backend", "Start or stop the backend.")
        self.locate = button("Locate…", locate, "Locate the backend", "Choose the f2hdr command that the panel uses.")
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 2)
        layout.addWidget(self._dot)
        layout.addWidget(self.words)
        layout.addWidget(self._cache)
        layout.addWidget(self.locate)
        layout.addWidget(self.switch)
        backend.state_changed.connect(self._show)
        backend.info_changed.connect(self._show_info)

    def _show(self, state: str, words: str) -> None:
        self._dot.setStyleSheet(f"color: {_DOTS.get(state, theme.FAINT)}")
        self.words.setText(f"Backend: {words}" if state == "running" else words)
        self.switch.setText("Stop" if state == "running" else "Start")
        self.switch.setEnabled(state != "starting")
        self.locate.setVisible(state in ("stopped", "refused"))

    def _show_info(self, facts: dict[str, Any]) -> None:
        cache = facts.get("cache") or {}
        used = cache.get("bytes", 0) / 1e9
        self._cache.setText(f"flow cache {used:.1f} GB" if used >= 0.05 else "")
        self._cache.setToolTip(str(cache.get("folder", "")))

    def _switched(self) -> None:
        if self._backend.state != "running":
            self._backend.start()
            return
        running = sum(job["state"] in ("queued", "running") for job in self._backend.jobs)
        if running and not self._may_stop(running):
            return
        self._backend.stop()

    def _may_stop(self, running: int) -> bool:
        buttons = QtWidgets.QMessageBox.StandardButton
        asked = QtWidgets.QMessageBox.question(
            self, "Stop the backend", f"{running} job(s) are not done. Stop the backend anyway? Finished frames are "
            "kept.", buttons.Yes | buttons.No,
        )  # fmt: skip
        return bool(asked == buttons.Yes)
