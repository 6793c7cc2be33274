"""Updates that follow the frame and the jobs: thumbnails, waveform, measured time per frame."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Optional

from f2hdr_backend.panel import theme
from f2hdr_backend.panel.exposure_text import exposure_name
from f2hdr_backend.panel.pictures_client import Pictures, decoded
from f2hdr_backend.panel.qt import QtCore
from f2hdr_backend.panel.session import Session
from f2hdr_backend.panel.shot_model import ShotModel
from f2hdr_backend.panel.timeline import Timeline
from f2hdr_backend.panel.waveform import Waveform

_SCOPE_MS = 120
"""Delay of the waveform after a frame change in milliseconds, so that it does not slow down scrubbing."""


class Thumbs(QtCore.QObject):
    """Requests the timeline's thumbnails, one at a time."""

    def __init__(self, timeline: Timeline, pictures: Pictures, model: ShotModel) -> None:
        super().__init__(timeline)
        self._timeline, self._pictures, self._model = timeline, pictures, model
        self._is_open = self._asked = False
        timeline.thumbs_wanted.connect(self.ask)
        model.detected.connect(timeline.clear_thumbs)

    def open(self, is_open: bool) -> None:
        """A plate was opened, or closed."""
        self._is_open, self._asked = is_open, False
        self.ask()

    def ask(self) -> None:
        """Request the next thumbnail."""
        wanted = self._timeline.wanted_thumbs()
        if self._asked or not wanted or not self._is_open:
            return
        self._asked = True
        width, height = self._timeline.thumb_size()
        frame = wanted[0]
        self._pictures.ask(
            "thumb", self._take, lambda _: self._unreadable(frame),
            frame=frame, width=width, height=height, stops=self._stops_to_long(frame),
        )  # fmt: skip

    def _take(self, answer: dict[str, Any]) -> None:
        self._asked = False
        if answer["stops"] == self._stops_to_long(answer["frame"]):
            self._timeline.set_thumb(answer["frame"], decoded(answer))
        self.ask()

    def _unreadable(self, frame: int) -> None:
        """Mark a frame that cannot be read."""
        self._asked = False
        self._timeline.set_thumb(frame, None)
        QtCore.QTimer.singleShot(0, self.ask)

    def _stops_to_long(self, frame: int) -> float:
        """Return the stops of a frame below the longest exposure, so that all thumbnails have equal brightness."""
        pattern = self._model.exposures
        return 0.0 if pattern is None else pattern.highest - pattern.ev(frame)


class Scope(QtCore.QObject):
    """Updates the waveform for the current frame."""

    def __init__(self, waveform: Waveform, timeline: Timeline, pictures: Pictures, model: ShotModel) -> None:
        super().__init__(waveform)
        self._waveform, self._timeline, self._pictures, self._model = waveform, timeline, pictures, model
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SCOPE_MS)
        self._timer.timeout.connect(self._ask)

    def follow(self) -> None:
        """The current frame changed."""
        self._timer.start()

    def clear(self) -> None:
        """There is no current frame."""
        self._timer.stop()
        self._waveform.show_scope(None, {})

    def _ask(self) -> None:
        if self._waveform.isVisible():
            frame, clip = self._timeline.frame, list(self._model.clip_level)
            self._pictures.ask("scope", self._take, lambda _: self.clear(), frame=frame, clip_level=clip)

    def _take(self, answer: dict[str, Any]) -> None:
        self._waveform.show_scope(decoded(answer), answer)
        pattern, clips = self._model.exposures, []
        if pattern is not None:
            now, colors = pattern.ev(answer["frame"]), theme.place_colors(list(pattern.cycle))
            clips = [(f"{exposure_name(pattern, ev)} clips", now - ev, colors[ev]) for ev in colors if ev != now]
        self._waveform.set_clips(clips)


class Pace:
    """Measures the seconds per frame from finished frames, by the Shot's engine settings and the plate's size."""

    def __init__(self, session: Session, learned: Callable[[], None]) -> None:
        self._session, self._learned = session, learned
        self._known: dict[str, float] = {}
        self._expected: dict[str, Optional[float]] = {}

    def expect(self, seconds: dict[str, Optional[float]]) -> None:
        """Set the backend's estimates: seconds for a frame of one megapixel, by quality."""
        if seconds != self._expected:
            self._expected = seconds
            self._learned()

    def estimate(self) -> Optional[tuple[float, str]]:
        """Return the seconds per frame and their source; None if unknown."""
        shot, size = self._session.model.shot, self._session.facts.get("size")
        measured = self._known.get(self._key())
        if measured is not None:
            return measured, "measured"
        if shot is None or size is None:
            return None
        method, weights, quality = shot.engine.method, shot.engine.weights, shot.engine.quality
        if method != "merge" and (method, weights) != ("auto", "auto"):
            return None
        seconds = self._expected.get("draft" if method == "merge" else quality)
        return None if seconds is None else (seconds * size[0] * size[1] / 1e6, "estimated")

    def learn(self, jobs: list[dict[str, Any]]) -> None:
        """Update the measured time from the server's jobs."""
        shot, key = self._session.model.shot, self._key()
        if shot is None or key in self._known:
            return
        output = os.path.abspath(shot.output.pattern)
        job = next((job for job in jobs if job.get("output") == output and job["done"]), None)
        if job is not None:
            self._session.backend.pace(job["id"], lambda seconds: self._take(key, seconds))

    def _take(self, key: str, seconds: float) -> None:
        self._known[key] = seconds
        self._learned()

    def _key(self) -> str:
        shot = self._session.model.shot
        return "" if shot is None else f"{self._session.facts.get('size')} {shot.engine}"
