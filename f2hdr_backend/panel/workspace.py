"""The panel as one widget: viewer and timeline, with Shot, waveform and jobs as docks; standalone or in a host."""

from __future__ import annotations

import os
from typing import Any, Optional

from f2hdr_backend.panel import theme
from f2hdr_backend.panel.backend import Backend
from f2hdr_backend.panel.backend_bar import BackendBar
from f2hdr_backend.panel.basic_widgets import Elided, label, restyle
from f2hdr_backend.panel.command_line import command_of
from f2hdr_backend.panel.correction import CorrectionMenu
from f2hdr_backend.panel.dialogs import Dialogs
from f2hdr_backend.panel.jobs_table import JobsTable
from f2hdr_backend.panel.live_updates import Pace, Scope, Thumbs
from f2hdr_backend.panel.menus import add_menus
from f2hdr_backend.panel.pictures_client import Pictures
from f2hdr_backend.panel.player import Player
from f2hdr_backend.panel.qt import Qt, QtCore, QtWidgets
from f2hdr_backend.panel.render_bar import RenderBar, reveal
from f2hdr_backend.panel.saved_state import restore, store
from f2hdr_backend.panel.session import Session
from f2hdr_backend.panel.shortcuts import keys_of
from f2hdr_backend.panel.shot_form import ShotForm
from f2hdr_backend.panel.shot_model import ShotModel
from f2hdr_backend.panel.timeline import Timeline
from f2hdr_backend.panel.viewer import Viewer
from f2hdr_backend.panel.waveform import Waveform
from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_backend.shot.frames import FrameRange


class Workspace(QtWidgets.QMainWindow):
    """The main widget. The layout is stored in ``settings`` (QSettings), if given."""

    def __init__(self, settings: Any = None, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("workspace")
        self.setWindowTitle("F2HDR")
        self.setPalette(theme.dark_palette())
        self.setStyleSheet(theme.STYLE)
        self._settings = settings
        self.model = ShotModel(self)
        self.pictures = Pictures(self)
        self.backend = Backend(self)
        self.session = Session(self.model, self.pictures, self.backend)
        self.viewer = Viewer(self.model, self.pictures)
        self.timeline = Timeline(self.model)
        self.player = Player(self.viewer, self.timeline)
        self.form = ShotForm(self.model)
        self.jobs = JobsTable()
        self.waveform = Waveform()
        self.dialogs = Dialogs(self, self.session, self.backend)
        self.render_bar = RenderBar({
            "frame": self.render_frame, "range": self.render_range, "detect": self.session.detect,
            "command": self.copy_command, "farm": self.send_to_farm,
        })  # fmt: skip
        self.correction = CorrectionMenu(self.model, self)
        self._title = Elided("No plate", "title")
        self._facts, self._words = label("", "dim"), Elided("", "dim")
        self._words.setAccessibleName("Message")
        self._single: str = ""
        self._thumbs = Thumbs(self.timeline, self.pictures, self.model)
        self._scope = Scope(self.waveform, self.timeline, self.pictures, self.model)
        self._pace = Pace(self.session, self._show_state)
        self._lay_out()
        for field in self.findChildren(QtWidgets.QAbstractSpinBox):
            field.setPalette(theme.dark_palette())  # in PySide6, a style sheet would give room to hidden buttons
        self._connect()
        add_menus(self)
        if settings is not None:
            restore(self, settings)
        self.backend.watch()
        self._show_state()

    def open_paths(self, paths: list[str]) -> None:
        """Open a plate or a Shot document."""
        self.session.open_paths(paths)

    def render_frame(self) -> None:
        """Render the frame on screen."""
        self._single = "asked"
        self.session.render(FrameRange((self.timeline.frame,)), urgent=True)

    def render_range(self) -> None:
        """Render from in to out."""
        self.session.render(self._range())

    def send_to_farm(self) -> None:
        """Write a job bundle for the frames from in to out."""
        if self.session.facts:
            self.dialogs.send_to_farm(self._range())

    def copy_command(self) -> None:
        """Copy the command line that renders this Shot."""
        shot = self.model.shot
        if shot is None:
            return
        try:
            text = command_of(shot, self.timeline.strip.first, self._range())
        except F2HDRError as error:
            self._report(str(error), "warning")
            return
        QtWidgets.QApplication.clipboard().setText(text)
        self._report(f"Copied: {text}", "info")

    def closeEvent(self, event: Any) -> None:
        """Store the layout and close everything that belongs to the window; jobs continue."""
        self.shut_down()
        super().closeEvent(event)

    def shut_down(self) -> None:
        """Close everything that belongs to the window."""
        self.player.pause()
        if self._settings is not None:
            store(self, self._settings)
        self.session.close()
        self.backend.close()
        self.pictures.close()

    def keyPressEvent(self, event: Any) -> None:
        """Keys as in compositing applications, unless a text field has the focus."""
        act = self._keys.get(event.key())
        if act is None or event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            super().keyPressEvent(event)
            return
        act()
        event.accept()

    def event(self, event: Any) -> bool:
        """Override a host's shortcuts for the panel's keys."""
        if event.type() == QtCore.QEvent.Type.ShortcutOverride and event.key() in self._keys:
            focus = QtWidgets.QApplication.focusWidget()
            plain = not event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
            if plain and not isinstance(focus, (QtWidgets.QLineEdit, QtWidgets.QAbstractSpinBox)):
                event.accept()
        return bool(super().event(event))

    def _range(self) -> FrameRange:
        frames = [frame for frame in self.timeline.strip.frames if self.player.contains(frame)]
        shot = self.model.shot
        if shot is not None and shot.frames is not None:
            frames = [frame for frame in frames if frame in shot.frames] or list(shot.frames)
        return FrameRange(tuple(frames))

    def _lay_out(self) -> None:
        top = QtWidgets.QHBoxLayout()
        top.setContentsMargins(10, 7, 10, 5)
        top.addWidget(self._title, 1)
        top.addWidget(self._facts)
        middle = QtWidgets.QWidget()
        middle.setObjectName("workspace")
        layout = QtWidgets.QVBoxLayout(middle)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.viewer, 1)
        layout.addWidget(self.timeline)
        layout.addWidget(self.player)
        self.setCentralWidget(middle)
        shot = QtWidgets.QWidget()
        shot.setObjectName("pane")
        column = QtWidgets.QVBoxLayout(shot)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.form, 1)
        self.render_bar.add_setting(*self.form.separate)
        column.addWidget(self.render_bar)
        right = Qt.DockWidgetArea.RightDockWidgetArea
        self.docks = {
            "shot": self._dock("Shot", shot, right), "waveform": self._dock("Waveform", self.waveform, right),
            "jobs": self._dock("Jobs", self.jobs, right),
        }  # fmt: skip
        self.tabifyDockWidget(self.docks["waveform"], self.docks["jobs"])
        self.resizeDocks([self.docks["shot"]], [360], Qt.Orientation.Horizontal)
        self.resizeDocks([self.docks["shot"], self.docks["jobs"]], [560, 240], Qt.Orientation.Vertical)
        self.statusBar().setContentsMargins(8, 0, 0, 0)
        self.statusBar().addWidget(self._words, 1)
        self.statusBar().addPermanentWidget(BackendBar(self.backend, self.dialogs.locate_backend))
        self.statusBar().setSizeGripEnabled(False)

    def _dock(self, title: str, widget: Any, area: Any) -> Any:
        dock = QtWidgets.QDockWidget(title, self)
        dock.setObjectName(f"dock {title}")
        dock.setWidget(widget)
        features = QtWidgets.QDockWidget.DockWidgetFeature
        dock.setFeatures(features.DockWidgetMovable | features.DockWidgetFloatable | features.DockWidgetClosable)
        self.addDockWidget(area, dock)
        return dock

    def _connect(self) -> None:
        session, viewer, line = self.session, self.viewer, self.timeline
        session.opened.connect(self._opened)
        session.closed.connect(self._closed)
        session.reported.connect(self._report)
        session.rendered.connect(self._marks)
        session.submitted.connect(self._submitted)
        viewer.dropped.connect(self.open_paths)
        viewer.plate_asked.connect(self.dialogs.choose_plate)
        viewer.folder_asked.connect(self.dialogs.choose_folder)
        viewer.shown.connect(self._frame_shown)
        line.correction_asked.connect(self.correction.ask)
        for signal in (self.model.changed, self.model.detected):
            signal.connect(viewer.refresh)
        self.model.changed.connect(self._show_state)
        self.player.ranged.connect(self._show_state)
        self.backend.jobs_changed.connect(self._jobs)
        self.backend.info_changed.connect(self._info)
        self.jobs.cancel_asked.connect(self.backend.cancel)
        self.jobs.again_asked.connect(session.render_again)
        self.jobs.reveal_asked.connect(lambda pattern: reveal(os.path.dirname(pattern)))
        self.jobs.open_asked.connect(self._show_result)
        self._keys = keys_of(self)

    def _opened(self, facts: dict[str, Any]) -> None:
        frames = FrameRange.parse(facts["frames"]).frames
        width, height = facts["size"]
        self._title.show_text(facts["plate"])
        self._facts.setText(f"{width} × {height}   {facts['frames']}   {facts['input_space']} → {facts['space']}")
        if facts["is_new"]:
            self.timeline.open(frames, tuple(facts["missing"]), (width, height))
            self._thumbs.open(True)
            self.viewer.open(facts)
            self.player.open()
        else:
            self.viewer.bar.offer(facts["displays"])
            self.timeline.clear_thumbs()
            self.viewer.refresh()
        self.form.offer("color.input_space", ["gamma22", "linear", *facts["spaces"]])
        self.form.offer("color.output_space", ["linear", *facts["linear_spaces"]])
        self._show_state()

    def _closed(self, why: str) -> None:
        self._title.show_text("No plate")
        self._facts.setText("")
        self._thumbs.open(False)
        self._scope.clear()
        self.timeline.open((), (), (16, 9))
        self.player.close_plate()
        self.viewer.close_plate(f"{why}\n\nDrop another plate here.")
        self._show_state()

    def _report(self, words: str, kind: str) -> None:
        restyle(self._words, {"error": "wrong", "warning": "warning"}.get(kind, "dim"))
        self._words.show_text(words)

    def _show_state(self) -> None:
        frames = self._range().frames if self.timeline.strip.frames else ()
        first, last = (frames[0], frames[-1]) if frames else (0, 0)
        is_open = bool(self.session.facts)
        self.render_bar.show_state(self.timeline.frame, first, last, len(frames), is_open=is_open)
        self.render_bar.show_estimate(self._pace.estimate() if is_open else None)

    def _frame_shown(self, frame: int) -> None:
        self.render_bar.frame.setText(f"Render frame {self.timeline.frame}")
        if not self.player.direction:
            self._scope.follow()

    def _marks(self, rendered: tuple[int, ...], cached: tuple[int, ...]) -> None:
        is_new = self.timeline.frame in rendered and self.timeline.frame not in self.timeline.strip.rendered
        self.timeline.set_marks(rendered, cached)
        if is_new or self.viewer.bar.shown.mode != "plate":
            self.viewer.refresh()

    def _submitted(self, job: str) -> None:
        if self._single == "asked":
            self._single = job
        self.docks["jobs"].raise_()
        self.jobs.select(job)
        self.backend.poll()

    def _jobs(self, jobs: list[dict[str, Any]]) -> None:
        self.jobs.show_jobs(jobs)
        self._pace.learn(jobs)
        for job in jobs:
            if job["id"] == self._single and job["state"] == "done":
                self._single = ""
                if self.viewer.bar.shown.mode == "plate":
                    self.viewer.bar.set_mode("result")

    def _info(self, facts: dict[str, Any]) -> None:
        if facts:
            self._pace.expect(facts.get("seconds_per_megapixel", {}))
            self.form.offer("engine.weights", facts.get("weights", []))
            self.form.offer("engine.device", ["auto", *facts.get("devices", [])])

    def _show_result(self, pattern: str) -> None:
        shot = self.model.shot
        if shot is not None and os.path.abspath(shot.output.pattern) == pattern:
            self.viewer.bar.set_mode("result")
        else:
            self._report(f"This is the result of another plate: {pattern}", "warning")
