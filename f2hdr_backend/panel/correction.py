"""The menu to correct a frame's exposure."""

from __future__ import annotations

from typing import Any, Optional

from f2hdr_backend.panel.exposure_text import exposure_name, stops
from f2hdr_backend.panel.qt import QtWidgets, action
from f2hdr_backend.panel.shot_model import ShotModel
from f2hdr_backend.shot.exposure import LARGEST_EV


class CorrectionMenu:
    """Offers the exposures of the cycle for one frame, a custom exposure, and a cut."""

    def __init__(self, model: ShotModel, window: QtWidgets.QWidget) -> None:
        self._model, self._window = model, window

    def ask(self, frame: int, where: Any) -> None:
        """Show the menu for a frame at a position on screen."""
        self.menu(frame).popup(where)

    def menu(self, frame: int) -> Any:
        """Return the menu for a frame."""
        menu = QtWidgets.QMenu(self._window)
        menu.setAccessibleName(f"Exposure of frame {frame}")
        menu.setToolTipsVisible(True)
        title = menu.addAction(f"Frame {frame}")
        title.setEnabled(False)
        pattern = self._model.exposures
        if pattern is None:
            menu.addAction("Exposures are unknown: detect them first").setEnabled(False)
            return menu
        now = pattern.ev(frame)
        for ev in sorted({*pattern.cycle, *(value for _, value in pattern.exceptions)}):
            entry = action(f"{exposure_name(pattern, ev).capitalize()}, {stops(ev)} EV", menu)
            entry.setCheckable(True)
            entry.setChecked(ev == now)
            entry.triggered.connect(lambda *_, value=ev: self._model.correct(frame, value))
            menu.addAction(entry)
        menu.addAction("Custom exposure…").triggered.connect(lambda *_: self._enter(frame, now))
        back = menu.addAction("As in the cycle")
        back.setEnabled(frame in dict(pattern.exceptions))
        back.triggered.connect(lambda *_: self._model.correct(frame, None))
        menu.addSeparator()
        cut = action("A new scene begins here", menu)
        cut.setCheckable(True)
        cut.setChecked(frame in self._model.cuts)
        cut.triggered.connect(lambda *_: self._model.toggle_cut(frame))
        menu.addAction(cut)
        return menu

    def _enter(self, frame: int, now: float, window: Optional[QtWidgets.QWidget] = None) -> None:
        ev, accepted = QtWidgets.QInputDialog.getDouble(
            window or self._window, f"Exposure of frame {frame}", "EV in stops:", now, -LARGEST_EV, LARGEST_EV, 2
        )
        if accepted:
            self._model.correct(frame, ev)
