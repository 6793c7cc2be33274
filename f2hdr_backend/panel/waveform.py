"""The waveform of the current frame, in stops below the clip of its exposure."""

from __future__ import annotations

from typing import Any, Optional

from f2hdr_backend.panel import theme
from f2hdr_backend.panel.qt import Qt, QtCore, QtGui, QtWidgets

_CENTERED = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
_LEFT, _TOP, _BOTTOM = 34, 8, 26


class Waveform(QtWidgets.QWidget):
    """Shows the answer of the request ``scope`` to the picture process."""

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Waveform")
        self.setMinimumSize(200, 150)
        self._image: Any = None
        self._facts: dict[str, Any] = {}
        self._clips: list[tuple[str, float, str]] = []

    def show_scope(self, image: Any, facts: dict[str, Any]) -> None:
        """Show a waveform (QImage) with its facts; None for none."""
        self._image, self._facts = image, facts
        clipped = facts.get("clipped", [0.0, 0.0, 0.0])
        self.setAccessibleDescription(f"Clipped: red {clipped[0]:.2%}, green {clipped[1]:.2%}, blue {clipped[2]:.2%}")
        self.update()

    def set_clips(self, clips: list[tuple[str, float, str]]) -> None:
        """Set lines for the clip of other exposures: (name, stops relative to this frame's clip, color) each."""
        self._clips = clips
        self.update()

    def paintEvent(self, event: Any) -> None:
        """Draw the waveform, one line per stop, the clip, and the fraction of clipped pixels."""
        painter = QtGui.QPainter(self)
        painter.fillRect(self.rect(), QtGui.QColor(theme.CANVAS))
        if self._image is None:
            painter.setPen(QtGui.QColor(theme.DIM))
            inside = self.rect().adjusted(20, 0, -20, 0)
            painter.drawText(inside, _CENTERED, "The waveform of the frame on screen, in stops below its clip.")
            painter.end()
            return
        area = QtCore.QRectF(_LEFT, _TOP, self.width() - _LEFT - 8, self.height() - _TOP - _BOTTOM)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawImage(area, self._image)
        self._paint_lines(painter, area)
        self._paint_words(painter)
        painter.end()

    def _paint_lines(self, painter: Any, area: Any) -> None:
        high, low = self._facts["highest"], self._facts["lowest"]
        for line in range(int(high), int(low) - 1, -2 if area.height() < 220 else -1):
            y = area.top() + (high - line) / (high - low) * area.height()
            painter.setPen(QtGui.QPen(QtGui.QColor(255, 255, 255, 28), 1))
            painter.drawLine(QtCore.QPointF(area.left(), y), QtCore.QPointF(area.right(), y))
            painter.setPen(QtGui.QColor(theme.DIM))
            box = QtCore.QRectF(0, y - 8, _LEFT - 6, 16)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignRight) | int(Qt.AlignmentFlag.AlignVCenter), f"{line:+d}")
        for name, stop, color in [("clip", 0.0, theme.ERROR), *self._clips]:
            if not low <= stop <= high:
                continue
            y = area.top() + (high - stop) / (high - low) * area.height()
            painter.setPen(QtGui.QPen(QtGui.QColor(color), 1, Qt.PenStyle.DashLine if stop else Qt.PenStyle.SolidLine))
            painter.drawLine(QtCore.QPointF(area.left(), y), QtCore.QPointF(area.right(), y))
            box = QtCore.QRectF(area.left() + 2, y + 2, painter.fontMetrics().horizontalAdvance(name) + 8, 16)
            painter.fillRect(box, QtGui.QColor(0, 0, 0, 170))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), name)

    def _paint_words(self, painter: Any) -> None:
        x, y = float(_LEFT), self.height() - 9.0
        painter.setPen(QtGui.QColor(theme.DIM))
        painter.drawText(QtCore.QPointF(x, y), "clipped")
        x += painter.fontMetrics().horizontalAdvance("clipped") + 12
        for name, share, color in zip("RGB", self._facts["clipped"], ("#ff6b60", "#6fce7a", "#6aa5ff")):
            text = f"{name} {share:.2%}"
            painter.setPen(QtGui.QColor(color))
            painter.drawText(QtCore.QPointF(x, y), text)
            x += painter.fontMetrics().horizontalAdvance(text) + 12
