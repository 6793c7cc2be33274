"""The canvas: displays the picture; pan, zoom, wipe and pointer position.

The picture process draws at display resolution; the canvas only positions the picture. A pan or zoom moves the last
picture immediately and requests a sharp one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Optional

from f2hdr_backend.panel import theme
from f2hdr_backend.panel.qt import Qt, QtCore, QtGui, QtWidgets, Signal, position

SMALLEST_ZOOM, LARGEST_ZOOM = 0.02, 64.0
GRAB_PX = 7
"""Distance from the wipe's line, in pixels of the display, within which a click grabs it."""
Rect = tuple[int, int, int, int]


class Canvas(QtWidgets.QWidget):
    """Displays one picture. Positions in it are in plate pixels, from the top left."""

    needs_picture = Signal()
    """The visible part changed."""
    pointed = Signal(int, int)
    """The pointer is over this pixel; (-1, -1) when it leaves the picture."""
    wiped = Signal(float)
    """The wipe was dragged to this fraction of the width."""
    zoomed = Signal(float)
    """Display pixels per plate pixel, after a change."""
    dropped = Signal(object)
    """Files or folders were dropped."""

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Viewer")
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(320, 180)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.hint = ""
        """Text shown while there is no picture."""
        self.note = ""
        """Text shown over the picture."""
        self.badge: list[tuple[str, str]] = []
        """(text, color) pairs at the top left."""
        self.legend: Sequence[tuple[str, str]] = ()
        """(text, color) pairs at the bottom left."""
        self.wipe: Optional[float] = None
        """Position of the wipe as a fraction of the width; None without a wipe."""
        self._size = (0, 0)
        self._image: Any = None
        self._crop: Rect = (0, 0, 0, 0)
        self._fits = True
        self._zoom = 1.0
        self._center = QtCore.QPointF()
        self._drag: Optional[QtCore.QPointF] = None
        self._drags_wipe = False

    @property
    def zoom(self) -> float:
        """Device pixels per plate pixel."""
        return self._zoom * self.devicePixelRatioF()

    def open(self, width: int, height: int) -> None:
        """Show a plate of this size in pixels, fitted to the window. 0 x 0 for none."""
        self._size, self._image = (width, height), None
        self.fit()

    def set_picture(self, image: Any, crop: Rect) -> None:
        """Show a QImage that covers this part of the plate."""
        self._image, self._crop = image, crop
        self.update()

    def fit(self) -> None:
        """Fit the whole plate, also when the window is resized."""
        self._fits = True
        width, height = self._size
        if width and height:
            self._zoom = min(self.width() / width, self.height() / height)
            self._center = QtCore.QPointF(width / 2, height / 2)
        self._moved()

    def actual_size(self) -> None:
        """Show one plate pixel per device pixel."""
        self._zoom_to(1 / self.devicePixelRatioF(), QtCore.QPointF(self.width() / 2, self.height() / 2))

    def visible(self) -> tuple[Rect, float]:
        """Return the visible part of the plate, and display pixels per plate pixel."""
        width, height = self._size
        first, last = self._to_plate(QtCore.QPointF(0, 0)), self._to_plate(QtCore.QPointF(self.width(), self.height()))
        left, top = min(max(math.floor(first.x()), 0), width), min(max(math.floor(first.y()), 0), height)
        right, bottom = min(max(math.ceil(last.x()), 0), width), min(max(math.ceil(last.y()), 0), height)
        return (left, top, max(right, left), max(bottom, top)), self.zoom

    def _to_plate(self, point: Any) -> Any:
        middle = QtCore.QPointF(self.width() / 2, self.height() / 2)
        return self._center + (point - middle) / self._zoom

    def _to_widget(self, x: float, y: float) -> Any:
        middle = QtCore.QPointF(self.width() / 2, self.height() / 2)
        return (QtCore.QPointF(x, y) - self._center) * self._zoom + middle

    def _zoom_to(self, zoom: float, fixed: Any) -> None:
        """Zoom with the point ``fixed`` unchanged."""
        self._fits = False
        place = self._to_plate(fixed)
        ratio = self.devicePixelRatioF()
        self._zoom = min(max(zoom, SMALLEST_ZOOM / ratio), LARGEST_ZOOM / ratio)
        middle = QtCore.QPointF(self.width() / 2, self.height() / 2)
        self._center = place - (fixed - middle) / self._zoom
        self._moved()

    def _moved(self) -> None:
        self.zoomed.emit(self.zoom)
        self.needs_picture.emit()
        self.update()

    def _wipe_x(self) -> float:
        return float(self._to_widget((self.wipe or 0.0) * self._size[0], 0).x())

    def _is_on_wipe(self, point: Any) -> bool:
        return self.wipe is not None and abs(point.x() - self._wipe_x()) <= GRAB_PX

    def resizeEvent(self, event: Any) -> None:
        """Fit the plate again if it was fitted."""
        super().resizeEvent(event)
        if self._fits:
            self.fit()
        else:
            self._moved()

    def wheelEvent(self, event: Any) -> None:
        """Zoom at the pointer."""
        steps = event.angleDelta().y() / 120
        if steps and self._size[0]:
            self._zoom_to(self._zoom * 1.25**steps, position(event))
        event.accept()

    def mousePressEvent(self, event: Any) -> None:
        """Start to drag the wipe or the picture."""
        self.setFocus()
        self._drag = position(event)
        self._drags_wipe = event.button() == Qt.MouseButton.LeftButton and self._is_on_wipe(self._drag)

    def mouseMoveEvent(self, event: Any) -> None:
        """Drag, or report the pixel under the pointer."""
        point = position(event)
        if self._drag is not None and self._drags_wipe:
            share = self._to_plate(point).x() / max(self._size[0], 1)
            self.wiped.emit(min(max(share, 0.0), 1.0))
        elif self._drag is not None and self._size[0]:
            self._fits = False
            self._center = self._center - (point - self._drag) / self._zoom
            self._drag = point
            self._moved()
        else:
            shape = Qt.CursorShape.SplitHCursor if self._is_on_wipe(point) else Qt.CursorShape.CrossCursor
            self.setCursor(shape)
        place = self._to_plate(point)
        x, y = math.floor(place.x()), math.floor(place.y())
        inside = 0 <= x < self._size[0] and 0 <= y < self._size[1]
        self.pointed.emit(x if inside else -1, y if inside else -1)

    def mouseReleaseEvent(self, event: Any) -> None:
        """End the drag."""
        self._drag, self._drags_wipe = None, False

    def leaveEvent(self, event: Any) -> None:
        """The pointer left the canvas."""
        self.pointed.emit(-1, -1)

    def dragEnterEvent(self, event: Any) -> None:
        """Accept files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        """Open the dropped files."""
        self.dropped.emit([url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()])

    def paintEvent(self, event: Any) -> None:
        """Draw the picture, then the wipe and the texts."""
        painter = QtGui.QPainter(self)
        painter.fillRect(self.rect(), QtGui.QColor(theme.CANVAS))
        if self._image is not None:
            self._paint_picture(painter)
        elif self.hint:
            painter.setPen(QtGui.QColor(theme.DIM))
            area = self.rect().adjusted(30, 30, -30, -30)
            painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), self.hint)
        if self._image is not None and self.wipe is not None:
            self._paint_wipe(painter)
        self._paint_badge(painter)
        if self.legend and self._image is not None:
            self._paint_legend(painter)
        if self.note:
            self._paint_box(painter, self.note, self.height() - 34, theme.WARNING)
        painter.end()

    def _paint_picture(self, painter: Any) -> None:
        left, top, right, bottom = self._crop
        ratio = self.devicePixelRatioF()
        first, last = self._to_widget(left, top), self._to_widget(right, bottom)
        target = QtCore.QRectF(first, last)
        wide, high = self._image.width() / ratio, self._image.height() / ratio
        if abs(wide - target.width()) < 1.5 and abs(high - target.height()) < 1.5 and self.zoom <= 1:
            snapped = QtCore.QPointF(round(first.x() * ratio) / ratio, round(first.y() * ratio) / ratio)
            target = QtCore.QRectF(snapped, QtCore.QSizeF(wide, high))  # aligned to device pixels: no interpolation
        is_smooth = self.zoom < 1 or self._image.width() < right - left
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform, is_smooth)
        painter.drawImage(target, self._image)

    def _paint_wipe(self, painter: Any) -> None:
        x = self._wipe_x()
        painter.setPen(QtGui.QPen(QtGui.QColor(0, 0, 0, 140), 3))
        painter.drawLine(QtCore.QPointF(x, 0), QtCore.QPointF(x, self.height()))
        painter.setPen(QtGui.QPen(QtGui.QColor(235, 235, 235), 1))
        painter.drawLine(QtCore.QPointF(x, 0), QtCore.QPointF(x, self.height()))
        painter.setBrush(QtGui.QColor(235, 235, 235))
        painter.drawEllipse(QtCore.QPointF(x, self.height() / 2), 5, 5)
        metrics = painter.fontMetrics()
        y = self.height() - 12 - (26 if self.note else 0)
        for text, offset in (("plate", -10 - metrics.horizontalAdvance("plate")), ("result", 10)):
            box = QtCore.QRectF(x + offset - 5, y - 14, metrics.horizontalAdvance(text) + 10, 19)
            painter.fillRect(box, QtGui.QColor(0, 0, 0, 150))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)

    def _paint_badge(self, painter: Any) -> None:
        if not self.badge:
            return
        metrics = painter.fontMetrics()
        width = sum(metrics.horizontalAdvance(text) for text, _ in self.badge) + 12 * (len(self.badge) - 1) + 20
        painter.fillRect(QtCore.QRectF(10, 10, width, metrics.height() + 10), QtGui.QColor(0, 0, 0, 150))
        x = 20.0
        for text, color in self.badge:
            painter.setPen(QtGui.QColor(color))
            painter.drawText(QtCore.QPointF(x, 15 + metrics.ascent()), text)
            x += metrics.horizontalAdvance(text) + 12

    def _paint_legend(self, painter: Any) -> None:
        metrics = painter.fontMetrics()
        height = 18 * len(self.legend) + 8
        width = max(metrics.horizontalAdvance(text) for text, _ in self.legend) + 36
        top = self.height() - height - 10
        painter.fillRect(QtCore.QRectF(10, top, width, height), QtGui.QColor(0, 0, 0, 170))
        for row, (text, color) in enumerate(self.legend):
            y = top + 4 + 18 * row
            if color:
                painter.fillRect(QtCore.QRectF(18, y + 4, 10, 10), QtGui.QColor(color))
            painter.setPen(QtGui.QColor(theme.INK))
            painter.drawText(QtCore.QPointF(35, y + 13), text)

    def _paint_box(self, painter: Any, text: str, y: float, color: str) -> None:
        width = painter.fontMetrics().horizontalAdvance(text) + 24
        box = QtCore.QRectF((self.width() - width) / 2, y, width, 24)
        painter.fillRect(box, QtGui.QColor(0, 0, 0, 180))
        painter.setPen(QtGui.QColor(color))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)
