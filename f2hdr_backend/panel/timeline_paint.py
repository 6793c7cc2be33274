"""Drawing of the timeline's lanes."""

from __future__ import annotations

from typing import Any

from f2hdr_backend.panel import theme
from f2hdr_backend.panel.exposure_text import stops
from f2hdr_backend.panel.qt import Qt, QtCore, QtGui
from f2hdr_backend.panel.shot_model import ShotModel
from f2hdr_backend.panel.timeline_strip import EXPOSURES, MARKS, RULER, THUMBS, Strip
from f2hdr_backend.shot.exposure import ExposurePattern

_HEIGHT = THUMBS + RULER + EXPOSURES + MARKS
_TOP = THUMBS + RULER
"""Top of the exposure lane in pixels."""
_LOWEST_BAR = 0.28
"""Height of the shortest exposure's bar as a fraction of the longest's."""
_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
_CENTER = int(Qt.AlignmentFlag.AlignCenter)


def paint_timeline(painter: Any, strip: Strip, model: ShotModel) -> None:
    """Draw all lanes with a QPainter."""
    _paint_thumbs(painter, strip)
    _paint_ruler(painter, strip)
    _paint_exposures(painter, strip, model)
    _paint_breaks(painter, strip, model)
    _paint_marks(painter, strip)
    _paint_playhead(painter, strip)


def _paint_thumbs(painter: Any, strip: Strip) -> None:
    painter.fillRect(QtCore.QRectF(0, 0, strip.width, THUMBS), QtGui.QColor(theme.CANVAS))
    painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform, True)
    for frame, middle in strip.thumb_places():
        image = strip.thumbs.get(frame)
        if image is not None:
            left = middle - strip.thumb_width / 2
            painter.drawImage(QtCore.QRectF(left, 1, strip.thumb_width, THUMBS - 2), image)


def _paint_ruler(painter: Any, strip: Strip) -> None:
    room = painter.fontMetrics().horizontalAdvance(str(strip.last)) + 18
    every = next((tick for tick in _TICKS if tick * strip.slot >= room), _TICKS[-1])
    painter.setPen(QtGui.QColor(theme.DIM))
    for frame in range(-(-strip.first // every) * every, strip.last + 1, every):
        box = QtCore.QRectF(strip.x(frame + 0.5) - room / 2, THUMBS, room, RULER)
        painter.drawText(box, _CENTER, str(frame))


def _paint_exposures(painter: Any, strip: Strip, model: ShotModel) -> None:
    lane = QtCore.QRectF(0, _TOP, strip.width, EXPOSURES)
    painter.fillRect(lane, QtGui.QColor(theme.FIELD))
    pattern = model.exposures
    if pattern is None:
        painter.setPen(QtGui.QColor(theme.DIM))
        painter.drawText(lane, _CENTER, "Exposures are unknown. Detect them, or set the cycle in the Shot.")
        return
    levels = dict(zip(model.detection.get("frames", ()), model.detection.get("levels", ())))
    values = [*pattern.cycle, *(value for _, value in pattern.exceptions)]
    colors, opacity = theme.place_colors(values), _opacity(model)
    gap = 1.0 if strip.slot >= 4 else 0.0
    for frame in strip.frames:
        ev = pattern.ev(frame)
        color = QtGui.QColor(colors.get(ev, theme.DIM))
        color.setAlphaF(opacity)
        top = _height_of(ev, pattern)
        left, width = strip.x(frame) + gap / 2, max(strip.slot - gap, 0.7)
        box = QtCore.QRectF(left, top, width, _TOP + EXPOSURES - top)
        painter.fillRect(box, color.lighter(120) if frame == strip.hover else color)
        if strip.slot >= 3 and levels.get(frame) is not None:
            y = _height_of(min(max(levels[frame], -1.0), pattern.ratio_stops + 0.5) + pattern.lowest, pattern)
            painter.fillRect(QtCore.QRectF(left, y - 1, width, 2), QtGui.QColor(255, 255, 255, 190))
        if strip.slot >= 2 and model.is_corrected(frame):
            painter.fillRect(QtCore.QRectF(left, _TOP + 2, width, 3), QtGui.QColor(theme.INK))
    _paint_labels(painter, strip, pattern)


def _opacity(model: ShotModel) -> float:
    """Draw the exposure bars; doubtful ones pale, except those that the user set."""
    if model.shot is not None and model.shot.exposures is not None:
        return 1.0
    return 0.35 + 0.65 * min(max(float(model.detection.get("confidence", 1.0)), 0.0), 1.0)


def _height_of(ev: float, pattern: ExposurePattern) -> float:
    """Return the y at which an exposure's bar ends."""
    share = (ev - pattern.lowest) / max(pattern.ratio_stops, 0.5)
    return _TOP + EXPOSURES - (EXPOSURES - 10) * (_LOWEST_BAR + (1 - _LOWEST_BAR) * share)


def _paint_labels(painter: Any, strip: Strip, pattern: ExposurePattern) -> None:
    """Draw each frame's exposure as text if there is space."""
    if strip.slot < 26:
        return
    painter.setPen(QtGui.QColor("#101010"))
    for frame in strip.frames:
        box = QtCore.QRectF(strip.x(frame), _TOP + EXPOSURES - 17, strip.slot, 16)
        painter.drawText(box, _CENTER, stops(pattern.ev(frame)))


def _paint_breaks(painter: Any, strip: Strip, model: ShotModel) -> None:
    """Draw cuts dashed, breaks of the cycle red, missing frames filled."""
    marks = [(frame, theme.INK, Qt.PenStyle.DashLine) for frame in model.cuts]
    marks += [(frame, theme.ERROR, Qt.PenStyle.SolidLine) for frame in model.detection.get("dropped", ())]
    for frame, color, style in marks:
        painter.setPen(QtGui.QPen(QtGui.QColor(color), 2, style))
        painter.drawLine(QtCore.QPointF(strip.x(frame), _TOP), QtCore.QPointF(strip.x(frame), _TOP + EXPOSURES))
    for frame in strip.missing:
        box = QtCore.QRectF(strip.x(frame), _TOP, max(strip.slot, 1), EXPOSURES)
        painter.fillRect(box, QtGui.QColor(theme.ERROR))


def _paint_marks(painter: Any, strip: Strip) -> None:
    """Draw the rendered frames, and the frames in memory below."""
    top, slot = _TOP + EXPOSURES, max(strip.slot, 0.8)
    for frames, color, y, height in ((strip.rendered, theme.ACCENT, 2, 4), (strip.cached, "#7a7a7a", 8, 2)):
        for frame in frames:
            painter.fillRect(QtCore.QRectF(strip.x(frame), top + y, slot, height), QtGui.QColor(color))


def _paint_playhead(painter: Any, strip: Strip) -> None:
    if strip.in_frame is not None:
        painter.fillRect(QtCore.QRectF(0, 0, strip.x(strip.in_frame), _HEIGHT), QtGui.QColor(0, 0, 0, 120))
    if strip.out_frame is not None:
        edge = strip.x(strip.out_frame + 1)
        painter.fillRect(QtCore.QRectF(edge, 0, strip.width - edge, _HEIGHT), QtGui.QColor(0, 0, 0, 120))
    left, width = strip.x(strip.frame), max(strip.slot, 2.0)
    painter.fillRect(QtCore.QRectF(left, THUMBS, width, RULER), QtGui.QColor(235, 235, 235, 60))
    painter.setPen(QtGui.QPen(QtGui.QColor(240, 240, 240), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QtCore.QRectF(left, 0.5, width, _HEIGHT - 1))
