"""The standalone application."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

from f2hdr_backend.panel import theme
from f2hdr_backend.panel.backend import PROGRAM_VARIABLE
from f2hdr_backend.panel.qt import Qt, QtWidgets, is_qt5, user_settings
from f2hdr_backend.panel.workspace import Workspace


def run(paths: list[str], command: str = "") -> NoReturn:
    """Show the panel until it is closed, then end the process.

    Args:
        paths: plates or Shot documents to open.
        command: the f2hdr command to use if neither the environment nor the user's settings name one; empty for the one
            on the PATH.
    """
    if is_qt5:
        QtWidgets.QApplication.setAttribute(Qt.ApplicationAttribute.AA_EnableHighDpiScaling)
    app = QtWidgets.QApplication(sys.argv[:1])
    app.setApplicationName("F2HDR")
    app.setStyle("Fusion")
    app.setPalette(theme.dark_palette())
    settings = user_settings("panel")
    window = Workspace(settings)
    if command:
        os.environ.setdefault(PROGRAM_VARIABLE, command)
    window.resize(1480, 900)
    window.show()
    keep_start_out_of_collections()
    if paths:
        window.open_paths(paths)
    code = int(app.exec() if hasattr(app, "exec") else app.exec_())
    settings.sync()
    sys.stdout.flush()
    os._exit(code)  # does not join threads that are waiting for the server


def keep_start_out_of_collections() -> None:
    """Exclude the objects that exist now from garbage collections: with Qt's, one takes 30 ms and handles no input."""
    gc.collect()
    gc.freeze()
