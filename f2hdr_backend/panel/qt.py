"""The available Qt: the choice of qtpy, or the host's own PySide6 or PySide2 (hosts do not have qtpy)."""

from __future__ import annotations

from typing import Any

try:
    from qtpy import QtCore, QtGui, QtWidgets
except ImportError:
    try:
        from PySide6 import QtCore, QtGui, QtWidgets  # type: ignore[no-redef]
    except ImportError:
        from PySide2 import QtCore, QtGui, QtWidgets  # type: ignore[no-redef]

__all__ = ["Qt", "QtCore", "QtGui", "QtWidgets", "Signal", "action", "is_qt5", "position", "user_settings"]

Qt = QtCore.Qt
Signal: Any = QtCore.Signal  # type: ignore[attr-defined]
is_qt5 = int(QtCore.qVersion().split(".")[0]) < 6


def action(text: str, parent: Any) -> Any:
    """Return a QAction, which is in QtGui since Qt 6."""
    kind: Any = (QtWidgets if is_qt5 else QtGui).QAction
    return kind(text, parent)


def position(event: Any) -> Any:
    """Return the position of a mouse or wheel event in its widget, as a QPointF."""
    if hasattr(event, "position"):
        return event.position()
    return event.localPos() if hasattr(event, "localPos") else QtCore.QPointF(event.pos())


def user_settings(name: str) -> Any:
    """Return the QSettings of this user for one kind of window; a file in the user's configuration folder."""
    kind = QtCore.QSettings
    return kind(kind.Format.IniFormat, kind.Scope.UserScope, "F2HDR", name)
