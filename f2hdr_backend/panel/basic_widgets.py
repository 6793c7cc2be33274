"""Small widgets shared by all parts of the window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from f2hdr_backend.panel import theme
from f2hdr_backend.panel.qt import Qt, QtCore, QtGui, QtWidgets


def label(text: str, kind: str = "") -> Any:
    """Return a label; ``kind`` is a name of the style sheet: dim, wrong, warning, title or mono."""
    found = QtWidgets.QLabel(text)
    found.setObjectName(kind)
    return found


def restyle(widget: Any, kind: str) -> None:
    """Set a widget's name in the style sheet."""
    widget.setObjectName(kind)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def button(text: str, clicked: Callable[[], object], name: str, help: str = "", *, primary: bool = False) -> Any:
    """Return a push button; ``name`` is its accessible name."""
    found = QtWidgets.QPushButton(text)
    found.setAccessibleName(name)
    found.setToolTip(help)
    found.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if primary:
        found.setObjectName("primary")
    found.clicked.connect(lambda *_: clicked())
    return found


def check_box(text: str = "") -> Any:
    """Return a check box whose outline is visible on a dark pane: Qt draws it darker than the window color."""
    found = QtWidgets.QCheckBox(text)
    palette = found.palette()
    roles = QtGui.QPalette.ColorRole
    for role, color in ((roles.Window, "#a8a8a8"), (roles.Base, theme.FIELD), (roles.Text, theme.INK)):
        palette.setColor(role, QtGui.QColor(color))
    found.setPalette(palette)
    return found


class Wrapped(QtWidgets.QLabel):
    """A wrapped label with the height of its lines; Qt's forms give a wrapped label too little height."""

    def __init__(self, text: str = "", kind: str = "") -> None:
        super().__init__(text)
        self.setObjectName(kind)
        self.setWordWrap(True)

    def setText(self, text: str) -> None:
        """Set the text."""
        super().setText(text)
        self._fit()

    def resizeEvent(self, event: Any) -> None:
        """Adapt the height to the lines."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setMinimumHeight(self.heightForWidth(max(self.width(), 1)) if self.text() else 0)


class Elided(QtWidgets.QLabel):
    """One line of text that is shortened if it is too long, in the middle or at its end; its tool tip is the whole
    text.
    """

    def __init__(self, text: str = "", kind: str = "", *, at_end: bool = False) -> None:
        super().__init__()
        self._mode = Qt.TextElideMode.ElideRight if at_end else Qt.TextElideMode.ElideMiddle
        self.setObjectName(kind)
        self.setMinimumWidth(40)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Preferred)
        self._whole = ""
        self.show_text(text)

    def show_text(self, text: str) -> None:
        """Set the text."""
        self._whole = text
        self.setToolTip(text)
        self.updateGeometry()
        self._fit()

    def whole(self) -> str:
        """Return the text before eliding."""
        return self._whole

    def sizeHint(self) -> Any:
        """Return the size of the whole text."""
        return QtCore.QSize(self.fontMetrics().horizontalAdvance(self._whole) + 2, super().sizeHint().height())

    def resizeEvent(self, event: Any) -> None:
        """Shorten the text to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._whole, self._mode, max(self.width(), 40)))
