"""Operations of the user (open, correct, render): the steps between widgets, server and files."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Optional

from f2hdr_backend.panel.backend import Backend
from f2hdr_backend.panel.background_calls import Calls
from f2hdr_backend.panel.pictures_client import Pictures
from f2hdr_backend.panel.plates import plate_of
from f2hdr_backend.panel.qt import QtCore, Signal
from f2hdr_backend.panel.shot_model import EXTENSION, ShotModel, new_shot, read_shot, write_shot
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.paths import absolute


class Session(QtCore.QObject):
    """Opens, measures and renders without blocking; signals are emitted on the window's thread."""

    opened = Signal(object)
    """The picture process opened the plate: its facts."""
    closed = Signal(str)
    """No plate is open, with the reason."""
    reported = Signal(str, str)
    """A message for the user, and its kind: info, warning or error."""
    rendered = Signal(object, object)
    """Rendered frames, and frames in memory."""
    submitted = Signal(str)
    """A job's id."""

    def __init__(self, model: ShotModel, pictures: Pictures, backend: Backend) -> None:
        super().__init__()
        self.model, self.pictures, self.backend = model, pictures, backend
        self.facts: dict[str, Any] = {}
        self.path = ""
        """The document that the Shot was loaded from or saved to."""
        self._calls = Calls(1, self)
        self._as_opened: Any = None
        self._output = ""
        self._last: Optional[tuple[Shot, Optional[FrameRange], bool]] = None
        self._done = -1
        model.changed.connect(self._shot_changed)
        pictures.restarted.connect(self._reopen)
        backend.failed.connect(self.report_error)
        backend.jobs_changed.connect(self._jobs_changed)

    def close(self) -> None:
        """Close the session."""
        self._calls.close()

    def open_paths(self, paths: list[str]) -> None:
        """Open dropped or chosen files: frames, a folder, a movie or a Shot document."""

        def work() -> tuple[Shot, str]:
            path = plate_of(paths)
            return (read_shot(path), path) if path.lower().endswith(EXTENSION) else (new_shot(path), "")

        self._calls.run(work, lambda found: self.open_shot(*found), self._not_found)

    def open_shot(self, shot: Shot, path: str = "") -> None:
        """Open a Shot and its plate; detect the exposures if it has none."""
        self.path = path
        self.facts = {}
        self._as_opened, self._output = _as_opened(shot), shot.output.pattern
        self.model.open(shot)
        self.reported.emit("Opening the plate…", "info")
        self._open_pictures(shot, is_new=True)

    def detect(self) -> None:
        """Detect the plate's exposures."""
        shot = self.model.shot
        if shot is None:
            return
        self.reported.emit("Measuring the exposures of every frame…", "info")
        self.backend.detect(shot, lambda found: self._detected(shot, found), self._not_detected)

    def render(self, frames: Optional[FrameRange], *, urgent: bool = False, force: bool = False) -> None:
        """Render frames of the Shot, or all of them if ``frames`` is None."""
        shot = self.model.shot
        if shot is None:
            self.reported.emit("Open a plate first.", "warning")
            return
        shot = self._with_detected(shot)
        self._last = (shot, frames, urgent)
        self.reported.emit("Submitting the render…", "info")
        self.backend.submit(shot, frames, self._submitted, force=force, urgent=urgent)

    def render_again(self) -> None:
        """Submit the last render again; finished frames are kept."""
        if self._last is not None:
            shot, frames, urgent = self._last
            self.backend.submit(shot, frames, self._submitted, urgent=urgent)

    def save(self, path: str) -> None:
        """Write the Shot document."""
        shot = self.model.shot
        if shot is None:
            return

        def saved(_: Any) -> None:
            self.path = path
            self.reported.emit(f"Saved {path}", "info")

        self._calls.run(lambda: write_shot(path, shot), saved, self.report_error)

    def _with_detected(self, shot: Shot) -> Shot:
        """Return the Shot with the detected exposures and cuts if it has none, so that they are not measured again."""
        if shot.exposures is None and self.model.detected_pattern is not None:
            return replace(shot, exposures=self.model.detected_pattern, cuts=self.model.cuts)
        return shot

    def send_to_farm(self, folder: str, frames: FrameRange) -> None:
        """Settle the Shot and write an OpenJD job bundle for these frames into a folder."""
        if self.model.shot is None:
            return
        shot = replace(self._with_detected(self.model.shot), frames=frames)
        document = os.path.join(folder, "shot.json")

        def write() -> None:
            os.makedirs(folder, exist_ok=True)
            write_shot(document, shot)

        def export(_: Any) -> None:
            words = ["farm", "export", document, "--engine", "openjd", "-o", os.path.join(folder, "bundle")]
            done = f"The job bundle is in {folder}/bundle. Submit it with your scheduler's OpenJD command."
            self.backend.command(words, lambda _: self.reported.emit(done, "info"))

        def prepare(_: Any) -> None:
            self.reported.emit("Preparing the Shot for the farm…", "info")
            self.backend.command(["prepare", document, "-o", document], export)

        self._calls.run(write, prepare, self.report_error)

    def update_rendered(self) -> None:
        """Update the list of rendered frames."""
        if self.facts:
            self.pictures.ask("rendered", self._marks, lambda _: None)

    def report_error(self, error: F2HDRError) -> None:
        """Report an error to the user."""
        self.reported.emit(str(error), "error")

    def _open_pictures(self, shot: Shot, *, is_new: bool) -> None:
        def opened(facts: dict[str, Any]) -> None:
            current = self.model.shot
            if current is None or current.plate != shot.plate:
                return
            self.facts = {**facts, "is_new": is_new}
            self.model.first_frame = FrameRange.parse(facts["frames"]).first
            self.opened.emit(self.facts)
            for doubt in facts["doubts"]:
                self.reported.emit(doubt, "warning")
            if not facts["doubts"]:
                count = len(FrameRange.parse(facts["frames"]))
                gaps = f", {len(facts['missing'])} missing" if facts["missing"] else ""
                self.reported.emit(f"{count} frames{gaps}, read as {facts['input_space']}.",
                               "warning" if gaps else "info")  # fmt: skip
            self.update_rendered()
            self.pictures.ask("clip", self._clip_found, lambda _: None)
            if is_new and shot.exposures is None:
                self.detect()

        self.pictures.ask("open", opened, self._not_opened, shot=absolute(shot).to_json())

    def _not_found(self, error: F2HDRError) -> None:
        """The dropped files are not a plate; an open plate is kept."""
        if self.facts:
            self.report_error(error)
        else:
            self._not_opened(error)

    def _not_opened(self, error: F2HDRError) -> None:
        self.facts = {}
        self.closed.emit(str(error))
        self.report_error(error)

    def _reopen(self) -> None:
        if self.model.shot is not None:
            self._open_pictures(self.model.shot, is_new=False)

    def _shot_changed(self) -> None:
        """Open the plate again if its color changed, and update the results if the output changed."""
        shot = self.model.shot
        if shot is None or not self.facts:
            return
        if shot.plate != self._as_opened.plate:
            self.open_shot(shot, self.path)
        elif _as_opened(shot) != self._as_opened:
            self._as_opened, self._output = _as_opened(shot), shot.output.pattern
            self._open_pictures(shot, is_new=False)
        elif shot.output.pattern != self._output:
            self._output = shot.output.pattern
            pattern = os.path.abspath(shot.output.pattern) if shot.output.pattern else ""
            self.pictures.ask("output", self._marks, self.report_error, pattern=pattern)

    def _marks(self, answer: dict[str, Any]) -> None:
        self.rendered.emit(tuple(answer["rendered"]), tuple(answer["cached"]))

    def _clip_found(self, answer: dict[str, Any]) -> None:
        self.model.set_clip(tuple(answer["clip_level"]))

    def _detected(self, shot: Shot, found: dict[str, Any]) -> None:
        current = self.model.shot
        if current is None or current.plate != shot.plate:
            return
        self.model.set_detection(found)
        source = "file headers" if found["source"] == "metadata" else "pixels"
        words = f"Exposures found from {source}, confidence {found['confidence']:.2f}."
        if found["dropped"]:
            words += f" The cycle breaks before {', '.join(map(str, found['dropped']))}."
        self.reported.emit(" ".join([words, *(f"Note: {note}." for note in found.get("notes", ()))]), "info")

    def _not_detected(self, error: F2HDRError) -> None:
        self.model.set_detection({})
        hint = "Set the cycle, such as 0, 3, under Exposures in the Shot."
        self.reported.emit(f"{error.message} {hint}", "error")

    def _submitted(self, job: str) -> None:
        self.reported.emit("", "info")
        self._done = -1
        self.submitted.emit(job)

    def _jobs_changed(self, jobs: list[dict[str, Any]]) -> None:
        """New frames may have been rendered."""
        done = sum(job["done"] for job in jobs)
        if done != self._done:
            self._done = done
            self.update_rendered()


def _as_opened(shot: Shot) -> Shot:
    """Return the Shot without the settings that do not affect how its plate is read."""
    bare = Shot(plate=shot.plate)
    return replace(
        shot, exposures=None, frames=None, handles=bare.handles, cuts=None, engine=bare.engine, output=bare.output
    )
