"""Playback at the plate's rate; frames that are not drawn in time are skipped."""

from __future__ import annotations

import time
from typing import Any, Optional

from f2hdr_backend.panel.basic_widgets import Elided, button, label
from f2hdr_backend.panel.qt import Qt, QtCore, QtWidgets, Signal
from f2hdr_backend.panel.timeline import Timeline
from f2hdr_backend.panel.viewer import Viewer

_TICK_MS = 8
AHEAD = 6
"""Number of frames that are read ahead of the playhead."""


class Player(QtWidgets.QWidget):
    """Buttons and timer. ``direction`` is -1, 0 or 1."""

    ranged = Signal()
    """The in or out point changed."""

    def __init__(self, viewer: Viewer, timeline: Timeline, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self._viewer, self._timeline = viewer, timeline
        self.direction = 0
        self.seen_rate = 0.0
        """Displayed frames per second during the last second of playback."""
        self._shown: list[float] = []
        self._due = 0.0
        self._timer = QtCore.QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self.rate = QtWidgets.QDoubleSpinBox()
        self.rate.setRange(1, 120)
        self.rate.setValue(24)
        self.rate.setDecimals(3)
        self.rate.setButtonSymbols(QtWidgets.QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.rate.setFixedWidth(62)
        self.rate.setAccessibleName("Frames per second")
        self.field = QtWidgets.QSpinBox()
        self.field.setRange(-999999999, 999999999)
        self.field.setKeyboardTracking(False)
        self.field.setButtonSymbols(QtWidgets.QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.field.setFixedWidth(76)
        self.field.setAccessibleName("Frame")
        self.field.valueChanged.connect(self._entered)
        self._range = Elided("", "dim", at_end=True)
        self._seen = label("", "dim")
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(3)
        layout.addWidget(self._range)
        layout.addStretch(1)
        for text, act, name, key in (
            ("|◀", self.to_start, "First frame", "Home"),
            ("◀|", lambda: self.step(-1), "Previous frame", "Left"),
            ("◀", lambda: self.play(-1), "Play backward", "J"),
            ("■", self.pause, "Pause", "K"),
            ("▶", lambda: self.play(1), "Play forward", "L"),
            ("|▶", lambda: self.step(1), "Next frame", "Right"),
            ("▶|", self.to_end, "Last frame", "End"),
        ):
            control = button(text, act, name, f"{name}  ({key})")
            control.setFixedWidth(34)
            layout.addWidget(control)
        layout.addSpacing(8)
        layout.addWidget(self.field)
        layout.addStretch(1)
        layout.addWidget(self._seen)
        layout.addWidget(self.rate)
        layout.addWidget(label("fps", "dim"))
        self.setEnabled(False)
        timeline.scrubbed.connect(self.go_to)
        viewer.shown.connect(self._frame_shown)
        timeline.summarized.connect(self.show_range)

    def open(self) -> None:
        """Start at the first frame of the timeline's plate."""
        self.pause()
        self.setEnabled(True)
        self.show_range()
        self.go_to(self._timeline.strip.first)

    def close_plate(self) -> None:
        """The plate was closed."""
        self.pause()
        self.setEnabled(False)
        self.show_range()

    def go_to(self, frame: int) -> None:
        """Show a frame."""
        frame = self._timeline.strip.nearest(frame)
        self._timeline.set_frame(frame)
        self.field.blockSignals(True)
        self.field.setValue(frame)
        self.field.blockSignals(False)
        self._viewer.go_to(frame)

    def step(self, count: int) -> None:
        """Move by some frames, and pause."""
        self.pause()
        self.go_to(self._timeline.strip.step(count))

    def to_start(self) -> None:
        """Go to the first frame of the range."""
        self.pause()
        self.go_to(self._ends()[0])

    def to_end(self) -> None:
        """Go to the last frame of the range."""
        self.pause()
        self.go_to(self._ends()[1])

    def play(self, direction: int) -> None:
        """Play forward (1) or backward (-1), in a loop over the range."""
        self.direction = direction
        self._due = time.monotonic()
        self._shown = []
        self._timer.start()

    def pause(self) -> None:
        """Pause at the current frame."""
        self.direction = 0
        self._timer.stop()
        self._seen.setText("")

    def toggle(self) -> None:
        """Play forward, or pause."""
        self.pause() if self.direction else self.play(1)

    def mark_in(self) -> None:
        """Set the in point to the current frame; if it is there already, reset it to the first frame."""
        line = self._timeline.strip
        line.in_frame = None if line.in_frame == line.frame else line.frame
        self.show_range()

    def mark_out(self) -> None:
        """Set the out point to the current frame; if it is there already, reset it to the last frame."""
        line = self._timeline.strip
        line.out_frame = None if line.out_frame == line.frame else line.frame
        self.show_range()

    def show_range(self) -> None:
        """Show the range."""
        first, last = self._ends()
        self._range.show_text(f"{first} – {last}    {self._timeline.summary()}" if self._timeline.strip.frames else "")
        self._timeline.update()
        self.ranged.emit()

    def contains(self, frame: int) -> bool:
        """Whether a frame is in the range from in to out."""
        first, last = self._ends()
        return first <= frame <= last

    def _ends(self) -> tuple[int, int]:
        line = self._timeline.strip
        first = line.first if line.in_frame is None else line.in_frame
        last = line.last if line.out_frame is None else line.out_frame
        return min(first, last), max(first, last)

    def _tick(self) -> None:
        now = time.monotonic()
        if now < self._due or self._viewer.is_waiting:
            return
        period = 1 / self.rate.value()
        late = int((now - self._due) / period) if self._due else 0
        self._due = max(self._due + period * (late + 1), now)
        first, last = self._ends()
        frame = self._timeline.strip.step(self.direction * (1 + late))
        if frame == self._timeline.frame or not first <= frame <= last:
            frame = first if self.direction > 0 else last
        self.go_to(frame)

    def _frame_shown(self, frame: int) -> None:
        if not self.direction:
            return
        self._viewer.read_ahead(self._next_frames())
        now = time.monotonic()
        self._shown = [moment for moment in self._shown if now - moment < 1] + [now]
        if len(self._shown) > 1:
            self.seen_rate = (len(self._shown) - 1) / (self._shown[-1] - self._shown[0])
            self._seen.setText(f"{self.seen_rate:.1f} of")

    def _next_frames(self) -> list[int]:
        """Return the frames that playback shows next."""
        first, last = self._ends()
        inside = [frame for frame in self._timeline.strip.frames if first <= frame <= last]
        if self._timeline.frame not in inside:
            return []
        place = inside.index(self._timeline.frame)
        count = min(AHEAD, len(inside) - 1)
        return [inside[(place + step * self.direction) % len(inside)] for step in range(1, count + 1)]

    def _entered(self, frame: int) -> None:
        self.pause()
        self.go_to(frame)

    def keys(self) -> dict[Any, Any]:
        """Return the description of each key."""
        key = Qt.Key
        return {
            key.Key_Left: lambda: self.step(-1), key.Key_Right: lambda: self.step(1), key.Key_J: lambda: self.play(-1),
            key.Key_K: self.pause, key.Key_L: lambda: self.play(1), key.Key_Space: self.toggle,
            key.Key_Home: self.to_start, key.Key_End: self.to_end, key.Key_I: self.mark_in, key.Key_O: self.mark_out,
        }  # fmt: skip
