"""The standalone application."""

from __future__ import annotations

import sys

from f2hdr_backend.panel import theme
from f2hdr_backend.panel.qt import Qt, QtCore, QtWidgets, is_qt5
from f2hdr_backend.panel.workspace import Workspace


def run(paths: list[str]) -> int:
    """Show the panel until it is closed; ``paths`` are opened. Returns the exit code."""
    if is_qt5:
        QtWidgets.QApplication.setAttribute(Qt.ApplicationAttribute.AA_EnableHighDpiScaling)
    app = QtWidgets.QApplication(sys.argv[:1])
    app.setApplicationName("F2HDR")
    app.setStyle("Fusion")
    app.setPalette(theme.dark_palette())
    window = Workspace(QtCore.QSettings("F2HDR", "panel"))
    window.resize(1480, 900)
    window.show()
    if paths:
        window.open_paths(paths)
    return int(app.exec() if hasattr(app, "exec") else app.exec_())
