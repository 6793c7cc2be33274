"""The menu bar of the standalone panel."""

from __future__ import annotations

from typing import Any

from f2hdr_backend.panel.qt import QtGui, QtWidgets, action

KEYS = """\
Left, Right          one frame back, on
J  K  L              play backward, pause, play forward;  Space: play or pause
Home, End            first, last frame of the range
I, O                 range begins, ends here (again: not any more)
1  2  3  W           plate, result, difference, wipe
F, H                 whole picture, actual size;  wheel: zoom;  drag: pan
.  ,  0              exposure half a stop up, down, reset
M                    match the plate's exposure to the result
R  G  B  Y           one channel, luminance (again: RGB)
Ctrl+R               render this frame;  Ctrl+Shift+R: render the range
Ctrl+D               detect exposures;  Ctrl+Z: undo a change of the Shot"""


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
    _add(window, render, "Send to farm…", window.dialogs.send_to_farm, "")
    _add(window, render, "Clear the flow cache", window.backend.clear_cache, "")
    panes = window.menuBar().addMenu("&Panes")
    for dock in window.docks.values():
        panes.addAction(dock.toggleViewAction())
    help = window.menuBar().addMenu("&Help")
    _add(window, help, "Keys", lambda: show_keys(window), "")


def show_keys(window: Any) -> None:
    """Show what the keys do."""
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
