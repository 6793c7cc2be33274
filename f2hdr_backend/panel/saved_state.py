"""Stored state of a window: its layout, display and view, and a located backend."""

from __future__ import annotations

from typing import Any

LAYOUT_VERSION = 1
_LAYOUT = f"layout{LAYOUT_VERSION}"


def store(window: Any, settings: Any) -> None:
    """Store the state of a workspace in QSettings."""
    settings.setValue(_LAYOUT, window.saveState())
    settings.setValue("geometry", window.saveGeometry())
    settings.setValue("backend", window.backend.located)
    settings.setValue("display", [window.viewer.bar.shown.display, window.viewer.bar.shown.view])


def restore(window: Any, settings: Any) -> None:
    """Restore the stored state of a workspace."""
    layout, geometry = settings.value(_LAYOUT), settings.value("geometry")
    if layout is not None:
        window.restoreState(layout)
    if geometry is not None and window.parent() is None:  # a host places what it docks
        window.restoreGeometry(geometry)
    window.backend.use_located(str(settings.value("backend") or ""))
    shown = settings.value("display")
    if isinstance(shown, (list, tuple)) and len(shown) == 2:
        window.viewer.bar.shown.display, window.viewer.bar.shown.view = map(str, shown)
