"""The viewer: controls, canvas and pixel values; requests the visible part from the picture process."""

from __future__ import annotations

import dataclasses
import time
from typing import Any, Optional

from f2hdr_backend.panel import theme
from f2hdr_backend.panel.basic_widgets import Elided, button
from f2hdr_backend.panel.canvas import Canvas
from f2hdr_backend.panel.exposure_text import exposure_name, stops
from f2hdr_backend.panel.pictures_client import Pictures
from f2hdr_backend.panel.qt import Qt, QtCore, QtWidgets, Signal
from f2hdr_backend.panel.shot_model import ShotModel
from f2hdr_backend.panel.viewer_bar import ViewerBar, legend_of
from f2hdr_backend.shot.errors import F2HDRError

DRAFT_PIXELS = 1_000_000
"""Maximum number of pixels drawn during a drag."""
_SHARPEN_MS = 160
"""Delay in milliseconds after the last change at which the full resolution is drawn."""
_POINT = "Move the pointer over the picture for its scene-linear values."
_BUSY_MS = 250
"""Delay in milliseconds after which the canvas shows that a frame is being read."""


class Viewer(QtWidgets.QWidget):
    """Shows one frame of the model's plate or its result."""

    shown = Signal(int)
    """This frame is displayed."""
    dropped = Signal(object)
    plate_asked = Signal()
    folder_asked = Signal()

    def __init__(self, model: ShotModel, pictures: Pictures, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self._model, self._pictures = model, pictures
        self.frame = 0
        self.seconds = 0.0
        """Time from the request of the last picture to its display, in seconds."""
        self._is_open = self._reads_ahead = False
        self._wipe = 0.5
        self._asked = 0.0
        self._pixel = (-1, -1)
        self._probes_at = (-1, -1, -1)
        self.bar = ViewerBar()
        self.canvas = Canvas()
        self.canvas.hint = "Drop a plate here: a frame, a folder of frames, a movie, or a Shot document."
        self._values = Elided("", "mono")
        self._values.setAccessibleName("Pixel values")
        self._busy = QtCore.QTimer(self)
        self._busy.setSingleShot(True)
        self._busy.setInterval(_BUSY_MS)
        self._busy.timeout.connect(self._say_busy)
        self._sharpen = QtCore.QTimer(self)
        self._sharpen.setSingleShot(True)
        self._sharpen.setInterval(_SHARPEN_MS)
        self._sharpen.timeout.connect(self.refresh)
        self._lay_out()
        self.bar.changed.connect(self._changed)
        self.bar.fit_asked.connect(self.canvas.fit)
        self.bar.actual_asked.connect(self.canvas.actual_size)
        self.canvas.needs_picture.connect(self._refresh_quickly)
        self.canvas.zoomed.connect(self.bar.show_zoom)
        self.canvas.wiped.connect(self._wiped)
        self.canvas.pointed.connect(self._pointed)
        self.canvas.dropped.connect(self.dropped.emit)
        pictures.shown.connect(self._picture)
        pictures.failed.connect(self._failed)

    @property
    def is_waiting(self) -> bool:
        """Whether a requested picture has not arrived."""
        return self._pictures.is_drawing

    def open(self, facts: dict[str, Any]) -> None:
        """Show a plate that the picture process has opened."""
        self._is_open, self._reads_ahead = True, False
        self.bar.setEnabled(True)
        self._openers.hide()
        self._values.show_text(_POINT)
        self.canvas.note = ""
        self.bar.offer(facts["displays"])
        self.canvas.open(*facts["size"])

    def close_plate(self, hint: str) -> None:
        """Close the plate, and show the reason ``hint``."""
        self._is_open = False
        self.bar.setEnabled(False)
        self._openers.show()
        self._pixel, self._probes_at = (-1, -1), (-1, -1, -1)
        self._values.show_text("")
        self.canvas.hint, self.canvas.note, self.canvas.badge = hint, "", []
        self.canvas.open(0, 0)

    def go_to(self, frame: int) -> None:
        """Show another frame."""
        self.frame = frame
        self.refresh()

    def toggle_wipe(self) -> None:
        """Wipe between plate and result, or show only the result."""
        self.bar.set_mode("result" if self.bar.shown.mode == "wipe" else "wipe")

    def refresh(self) -> None:
        """Request the visible part."""
        self._ask(1.0)

    def read_ahead(self, frames: list[int]) -> None:
        """Read frames into memory ahead of playback, unless a request is in progress."""
        if frames and self._is_open and not self._reads_ahead:
            self._reads_ahead = True
            self._pictures.ask("fetch", self._has_read, lambda _: self._has_read({}), frames=frames)

    def _has_read(self, _: dict[str, Any]) -> None:
        self._reads_ahead = False

    def _refresh_quickly(self) -> None:
        """Request the visible part at reduced resolution if it is large, and at full resolution after the last
        change.
        """
        (left, top, right, bottom), scale = self.canvas.visible()
        pixels = (right - left) * (bottom - top) * min(scale, 1.0) ** 2
        if pixels <= DRAFT_PIXELS:
            self._ask(1.0)
            return
        self._ask((DRAFT_PIXELS / pixels) ** 0.5)
        self._sharpen.start()

    def _ask(self, share: float) -> None:
        if not self._is_open:
            return
        crop, scale = self.canvas.visible()
        scale = min(scale, 1.0) * share if share < 1 else scale
        if crop[2] <= crop[0] or crop[3] <= crop[1]:
            return
        self._asked = self._asked or time.monotonic()
        self._busy.start() if not self._busy.isActive() else None
        self._pictures.show(self._view(crop, scale))

    def _view(self, crop: tuple[int, int, int, int], scale: float) -> dict[str, Any]:
        shown, pattern = self.bar.shown, self._model.exposures
        look = {name: getattr(shown, name) for name in ("display", "view", "exposure", "gamma", "channel")}
        anchor = self._model.shot.output.anchor if self._model.shot is not None else "long"
        return {
            "frame": self.frame, "crop": list(crop), "scale": scale, "mode": shown.mode, "wipe": self._wipe,
            "overlay": shown.overlay, "match": shown.match, "look": look, "anchor": anchor,
            "exposures": None if pattern is None else dataclasses.asdict(pattern),
            "clip_level": list(self._model.clip_level),
        }  # fmt: skip

    def _changed(self) -> None:
        self.canvas.wipe = self._wipe if self.bar.shown.mode == "wipe" else None
        self._refresh_quickly()

    def _wiped(self, share: float) -> None:
        self._wipe = self.canvas.wipe = share
        self.canvas.update()
        self._refresh_quickly()

    def _picture(self, image: Any, answer: dict[str, Any]) -> None:
        self._busy.stop()
        self.seconds = time.monotonic() - self._asked
        self._asked = time.monotonic() if self.is_waiting else 0.0
        self.canvas.note = answer["note"]
        self.canvas.badge = self._badge(answer)
        self.canvas.legend = legend_of(answer["mode"], answer["overlay"])
        self.bar.show_path(answer["path"])
        self.canvas.set_picture(image, tuple(answer["crop"]))
        self.shown.emit(answer["frame"])
        self._probe()

    def _badge(self, answer: dict[str, Any]) -> list[tuple[str, str]]:
        frame, pattern = answer["frame"], self._model.exposures
        names = {"plate": "plate", "result": "result", "difference": "difference", "wipe": "plate | result"}
        found = [(f"{frame}", theme.INK), (names[answer["mode"]], theme.DIM)]
        if pattern is not None:
            ev = pattern.ev(frame)
            colors = theme.place_colors([*pattern.cycle, *(value for _, value in pattern.exceptions)])
            found.append((f"{exposure_name(pattern, ev)} {stops(ev)} EV", colors.get(ev, theme.INK)))
        if answer["exposure"]:
            found.append((f"view {answer['exposure']:+g} stops", theme.WARNING))
        return found

    def _failed(self, error: F2HDRError) -> None:
        self._busy.stop()
        self._asked = 0.0
        self.canvas.note = str(error)
        self.canvas.update()
        self.shown.emit(self.frame)

    def _say_busy(self) -> None:
        self.canvas.note = f"Reading frame {self.frame}…"
        self.canvas.update()

    def _pointed(self, x: int, y: int) -> None:
        self._pixel = (x, y)
        self._probe()

    def _probe(self) -> None:
        x, y = self._pixel
        if x < 0 or not self._is_open:
            self._values.show_text(_POINT if self._is_open else "")
            self._probes_at = (-1, -1, -1)
        elif self._probes_at == (-1, -1, -1):
            self._probes_at = (self.frame, x, y)
            self._pictures.ask("probe", self._probed, lambda _: self._probed({}), frame=self.frame, x=x, y=y)

    def _probed(self, answer: dict[str, Any]) -> None:
        asked, self._probes_at = self._probes_at, (-1, -1, -1)
        if answer and self._pixel[0] >= 0:
            words = f"x {answer['x']:>4}  y {answer['y']:>4}   plate {_values(answer['plate'])}"
            if answer["result"] is not None:
                words += f"   result {_values(answer['result'])}"
            self._values.show_text(words)
        if asked != (-1, -1, -1) and asked != (self.frame, *self._pixel):
            self._probe()

    def _lay_out(self) -> None:
        self._openers = QtWidgets.QWidget()
        choices = QtWidgets.QHBoxLayout(self._openers)
        for text, signal, help in (
            ("Open plate…", self.plate_asked, "Open a frame of the plate, a movie or a Shot document.  Ctrl+O"),
            ("Open folder…", self.folder_asked, "Open a folder of frames.  Ctrl+Shift+O"),
        ):
            choices.addWidget(button(text, signal.emit, text.rstrip("…"), help, primary=True))
        middle = QtWidgets.QVBoxLayout(self.canvas)
        middle.addStretch(3)
        middle.addWidget(self._openers, 0, Qt.AlignmentFlag.AlignHCenter)
        middle.addStretch(2)
        line = QtWidgets.QHBoxLayout()
        line.setContentsMargins(8, 3, 8, 3)
        line.addWidget(self._values, 1)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addWidget(self.canvas, 1)
        layout.addLayout(line)
        self.setFocusProxy(self.canvas)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


def _values(rgb: list[float]) -> str:
    return " ".join(f"{value:9.5f}" if abs(value) < 1000 else f"{value:9.1f}" for value in rgb)
