"""The menu bar of the standalone panel."""

from __future__ import annotations

from typing import Any

from f2hdr_backend.panel.qt import QtGui, QtWidgets, action
from f2hdr_backend.panel.shortcuts import KEYS


def add_menus(window: Any) -> None:
    """Add the menus to a workspace."""
    file = window.menuBar().addMenu("&File")
    _add(window, file, "Open plate…", window.dialogs.choose_plate, "Ctrl+O")
    _add(window, file, "Open folder…", window.dialogs.choose_folder, "Ctrl+Shift+O")
    file.addSeparator()
    _add(window, file, "Save Shot", window.dialogs.save, "Ctrl+S")
    _add(window, file, "Save Shot as…", window.dialogs.save_as, "Ctrl+Shift+S")
    edit = window.menuBar().addMenu("&Edit")
    _add(window, edit, "Undo", window.model.undo, "Ctrl+Z")
    render = window.menuBar().addMenu("&Render")
    _add(window, render, "Detect exposures", window.session.detect, "Ctrl+D")
    _add(window, render, "Render this frame", window.render_frame, "Ctrl+R")
    _add(window, render, "Render the range", window.render_range, "Ctrl+Shift+R")
    render.addSeparator()
    _add(window, render, "Copy command line", window.copy_command, "")
    _add(window, render, "Send to farm…", window.send_to_farm, "")
    backend = window.menuBar().addMenu("&Backend")
    _add(window, backend, "Start", window.backend.start, "")
    _add(window, backend, "Locate…", window.dialogs.locate_backend, "")
    _add(window, backend, "Clear the flow cache", window.backend.clear_cache, "")
    panes = window.menuBar().addMenu("&Panes")
    for dock in window.docks.values():
        panes.addAction(dock.toggleViewAction())
    help = window.menuBar().addMenu("&Help")
    _add(window, help, "Keys", lambda: show_keys(window), "")


def show_keys(window: Any) -> None:
    """Show the list of keys."""
    box = QtWidgets.QMessageBox(window)
    box.setWindowTitle("Keys")
    box.setText("Keys")
    box.setInformativeText(f"<pre>{KEYS}</pre>")
    box.open()


def _add(window: Any, menu: Any, text: str, act: Any, keys: str) -> None:
    entry = action(text, window)
    entry.triggered.connect(lambda *_: act())
    if keys:
        entry.setShortcut(QtGui.QKeySequence(keys))
    menu.addAction(entry)
