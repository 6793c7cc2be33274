"""The Shot that the window edits: always valid, together with the detection result of its plate."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any, Optional

from f2hdr_backend.panel.qt import QtCore, Signal
from f2hdr_backend.shot.atomic import write_file
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import Sequence
from f2hdr_backend.shot.read_text import read_text

EXTENSION = ".json"


class ShotModel(QtCore.QObject):
    """Contains the Shot. ``changed`` is emitted after every change of it, ``detected`` after a detection."""

    changed = Signal()
    detected = Signal()

    def __init__(self, parent: Optional[QtCore.QObject] = None) -> None:
        super().__init__(parent)
        self.shot: Optional[Shot] = None
        self.detection: dict[str, Any] = {}
        """Detection result of the plate; empty before, and if nothing could be detected."""
        self.clip_level: tuple[float, ...] = (1.0,)
        """The Shot's clip level, or the measured one; 1 before the measurement."""
        self.is_clip_found = False
        self.first_frame: Optional[int] = None
        """The first frame of the plate; None before the plate has been read."""
        self._before: list[Shot] = []

    @property
    def exposures(self) -> Optional[ExposurePattern]:
        """The Shot's exposures, or the detected ones, or None."""
        if self.shot is not None and self.shot.exposures is not None:
            return self.shot.exposures
        return self.detected_pattern

    @property
    def detected_pattern(self) -> Optional[ExposurePattern]:
        """The detected exposures, or None."""
        found = self.detection.get("pattern")
        if not found:
            return None
        exceptions = tuple((frame, ev) for frame, ev in found.get("exceptions", ()))
        return ExposurePattern(tuple(found["cycle"]), found["start"], exceptions)

    @property
    def cuts(self) -> tuple[int, ...]:
        """First frames after cuts: the Shot's, or the detected ones."""
        if self.shot is not None and self.shot.cuts is not None:
            return self.shot.cuts
        return tuple(self.detection.get("cuts", ()))

    def open(self, shot: Shot) -> None:
        """Set another Shot; removes the detection result of the previous plate."""
        self.shot, self.detection, self._before = shot, {}, []
        self.is_clip_found, self.first_frame = False, None
        self.clip_level = shot.color.clip_level or (1.0,)
        self.changed.emit()

    def put(self, shot: Shot) -> None:
        """Change the Shot; can be undone by ``undo``."""
        if self.shot is None or shot == self.shot:
            return
        self._before = [*self._before[-99:], self.shot]
        self._set(shot)

    def undo(self) -> None:
        """Undo the last change, if there is one."""
        if self._before:
            self._set(self._before.pop())

    def set_detection(self, found: dict[str, Any]) -> None:
        """Set the detection result of the plate."""
        self.detection = found
        self.detected.emit()

    def set_clip(self, levels: tuple[float, ...]) -> None:
        """Set the measured clip level; a clip level of the Shot takes precedence."""
        if self.shot is not None and self.shot.color.clip_level is None:
            self.clip_level, self.is_clip_found = levels, True
            self.detected.emit()

    def correct(self, frame: int, ev: Optional[float]) -> None:
        """Set the exposure of one frame in stops; None restores the exposure of the cycle.

        Raises ExposureError if there are no exposures to correct, or the EV is out of range.
        """
        pattern = self.exposures
        if self.shot is None or pattern is None:
            raise DocumentError("There are no exposures to correct.", hint="Detect them, or set the cycle first.")
        exceptions = {number: value for number, value in pattern.exceptions if number != frame}
        if ev is not None and ev != pattern.cycle[(frame - pattern.start) % len(pattern.cycle)]:
            exceptions[frame] = ev
        self.put(replace(self.shot, exposures=replace(pattern, exceptions=tuple(exceptions.items()))))

    def toggle_cut(self, frame: int) -> None:
        """Start a new scene at a frame, or remove that cut."""
        if self.shot is not None:
            cuts = set(self.cuts) ^ {frame}
            self.put(replace(self.shot, cuts=tuple(cuts)))

    def is_corrected(self, frame: int) -> bool:
        """Whether a frame's exposure differs from the detected one."""
        found = self.detected_pattern
        return found is not None and self.exposures is not None and self.exposures.ev(frame) != found.ev(frame)

    def _set(self, shot: Shot) -> None:
        self.shot = shot
        if shot.color.clip_level is not None:
            self.clip_level = shot.color.clip_level
        self.changed.emit()


def read_shot(path: str) -> Shot:
    """Read a Shot document. Raises DocumentError."""
    return Shot.from_json(read_text(path))


def write_shot(path: str, shot: Shot) -> None:
    """Write a Shot document atomically. Raises UnwritableFrame."""
    write_file(path, json.dumps(shot.to_json(), indent=2) + "\n")


def new_shot(plate: str) -> Shot:
    """Return the Shot for a newly opened plate: its result is written to the folder ``hdr`` next to the frames."""
    if Sequence.is_pattern(plate):
        sequence = Sequence.parse(plate)
        folder, stem, padding = sequence.folder, sequence.prefix.rstrip("._-") or "hdr", max(sequence.padding, 4)
    else:
        folder, name = os.path.split(plate)
        stem, padding = os.path.splitext(name)[0], 4
    pattern = os.path.join(folder, "hdr", f"{stem}.{'#' * padding}.exr")
    shot = Shot(plate=plate)
    return replace(shot, output=replace(shot.output, pattern=pattern))
