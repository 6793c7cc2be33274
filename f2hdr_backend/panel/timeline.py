"""The timeline under the viewer: thumbnails, exposure of every frame, cuts, rendered frames, playhead.

Dragging in the thumbnails scrubs. A click on an exposure opens the correction menu of that frame.
"""

from __future__ import annotations

from typing import Any, Optional

from f2hdr_backend.panel import theme
from f2hdr_backend.panel.exposure_text import stops
from f2hdr_backend.panel.qt import Qt, QtCore, QtGui, QtWidgets, Signal, position
from f2hdr_backend.panel.shot_model import ShotModel
from f2hdr_backend.panel.timeline_paint import paint_timeline
from f2hdr_backend.panel.timeline_strip import EXPOSURES, MARKS, RULER, THUMBS, Strip


class Timeline(QtWidgets.QWidget):
    """Shows the frames of a plate; ``strip`` contains their positions and states."""

    scrubbed = Signal(int)
    """Go to this frame."""
    correction_asked = Signal(int, object)
    """The exposure of this frame was clicked, at this position on screen."""
    thumbs_wanted = Signal()
    """Thumbnails are missing; see ``wanted_thumbs``."""
    summarized = Signal()
    """``summary`` may have changed."""

    def __init__(self, model: ShotModel, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self._model = model
        self.strip = Strip()
        self._scrubs = False
        self.setAccessibleName("Timeline")
        self.setFixedHeight(THUMBS + RULER + EXPOSURES + MARKS + 4)
        self.setMinimumWidth(320)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        for signal in (model.changed, model.detected):
            signal.connect(self.update)
            signal.connect(self.summarized.emit)

    def open(self, frames: tuple[int, ...], missing: tuple[int, ...], size: tuple[int, int]) -> None:
        """Show another plate; no frames for none."""
        self.strip = Strip()
        self.strip.frames, self.strip.missing = frames, frozenset(missing)
        self.strip.aspect = size[0] / size[1] if size[1] else 16 / 9
        self.strip.width = self.width()
        self.strip.frame = self.strip.first
        self.thumbs_wanted.emit()
        self.update()

    @property
    def frame(self) -> int:
        """The current frame."""
        return self.strip.frame

    def place_of_frame(self) -> Any:
        """Return the point below the exposure at the playhead."""
        return QtCore.QPoint(int(self.strip.x(self.frame)), THUMBS + RULER + EXPOSURES)

    def set_frame(self, frame: int) -> None:
        """Move the playhead."""
        self.strip.frame = frame
        self.update()

    def set_marks(self, rendered: tuple[int, ...], cached: tuple[int, ...]) -> None:
        """Mark the frames that are rendered and those that are in memory."""
        there = frozenset(self.strip.frames)
        self.strip.rendered, self.strip.cached = there.intersection(rendered), there.intersection(cached)
        self.update()

    def set_thumb(self, frame: int, image: Any) -> None:
        """Show a thumbnail; None for a frame that cannot be read."""
        self.strip.thumbs[frame] = image
        self.update()

    def thumb_size(self) -> tuple[int, int]:
        """Return the maximum width and height of a thumbnail in device pixels."""
        ratio = self.devicePixelRatioF()
        return round(self.strip.thumb_width * ratio), round(THUMBS * ratio)

    def wanted_thumbs(self) -> list[int]:
        """Return the visible frames whose thumbnails are missing."""
        return [frame for frame, _ in self.strip.thumb_places() if frame not in self.strip.thumbs]

    def clear_thumbs(self) -> None:
        """Request all thumbnails again."""
        self.strip.thumbs = {}
        self.thumbs_wanted.emit()

    def describe(self, frame: int) -> str:
        """Return the tool tip of a frame."""
        pattern, found = self._model.exposures, self._model.detection
        words = [f"Frame {frame}"]
        if pattern is not None:
            words.append(f"{stops(pattern.ev(frame))} EV")
        level = dict(zip(found.get("frames", ()), found.get("levels", ()))).get(frame)
        if level is not None:
            words.append(f"measured {level:+.2f} stops")
        facts = (
            (self._model.is_corrected(frame), "corrected manually"),
            (frame in self._model.cuts, "a new scene starts here"),
            (frame in found.get("dropped", ()), "the cycle breaks before this frame"),
            (frame in self.strip.rendered, "rendered"),
        )
        return ", ".join(words + [text for holds, text in facts if holds]) + ". Click the exposure to correct it."

    def summary(self) -> str:
        """Return the cycle and its confidence as a short text."""
        pattern, found = self._model.exposures, self._model.detection
        if pattern is None:
            return "exposures unknown"
        words = f"{', '.join(map(stops, pattern.cycle))} EV"
        if self._model.shot is not None and self._model.shot.exposures is not None:
            changed = sum(self._model.is_corrected(frame) for frame in self.strip.frames)
            return f"{words}, {changed} corrected" if changed else f"{words}, given"
        return f"{words}, confidence {found.get('confidence', 0):.2f}"

    def resizeEvent(self, event: Any) -> None:
        """The size changed: other thumbnails may be needed."""
        super().resizeEvent(event)
        self.strip.width = self.width()
        self.thumbs_wanted.emit()

    def mousePressEvent(self, event: Any) -> None:
        """Scrub, or open the correction menu."""
        if not self.strip.frames:
            return
        point = position(event)
        frame = self.strip.frame_at(point.x())
        if self._in_exposures(point):
            self.scrubbed.emit(frame)
            self.correction_asked.emit(frame, self.mapToGlobal(QtCore.QPoint(int(point.x()), int(point.y()) + 6)))
        elif event.button() == Qt.MouseButton.LeftButton:
            self._scrubs = True
            self.scrubbed.emit(frame)

    def mouseMoveEvent(self, event: Any) -> None:
        """Scrub, or show the tool tip of the frame under the pointer."""
        if not self.strip.frames:
            return
        point = position(event)
        frame = self.strip.frame_at(point.x())
        if self._scrubs:
            if frame != self.strip.frame:
                self.scrubbed.emit(frame)
            return
        if frame != self.strip.hover:
            self.strip.hover = frame
            self.setToolTip(self.describe(frame))
            self.update()
        shape = Qt.CursorShape.PointingHandCursor if self._in_exposures(point) else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)

    def mouseReleaseEvent(self, event: Any) -> None:
        """Stop scrubbing."""
        self._scrubs = False

    def leaveEvent(self, event: Any) -> None:
        """The pointer left the timeline."""
        self.strip.hover = None
        self.update()

    def paintEvent(self, event: Any) -> None:
        """Draw all lanes."""
        painter = QtGui.QPainter(self)
        painter.fillRect(self.rect(), QtGui.QColor(theme.PANE))
        if self.strip.frames:
            paint_timeline(painter, self.strip, self._model)
        else:
            painter.setPen(QtGui.QColor(theme.DIM))
            words = "The frames of the plate, and the exposure of each."
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), words)
        painter.end()

    def _in_exposures(self, point: Any) -> bool:
        return bool(point.y() > THUMBS + RULER)
