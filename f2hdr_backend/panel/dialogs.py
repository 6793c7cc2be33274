"""Dialogs for files and folders."""

from __future__ import annotations

from f2hdr_backend.panel.backend import Backend
from f2hdr_backend.panel.qt import QtWidgets
from f2hdr_backend.panel.session import Session
from f2hdr_backend.shot.frames import FrameRange


class Dialogs:
    """The file dialogs of one window."""

    def __init__(self, window: QtWidgets.QWidget, session: Session, backend: Backend) -> None:
        self._window, self._session, self._backend = window, session, backend

    def choose_plate(self) -> None:
        """Choose a plate or a Shot document, and open it."""
        path, _ = QtWidgets.QFileDialog.getOpenFileName(self._window, "Open a frame of the plate, a movie or a Shot")
        if path:
            self._session.open_paths([path])

    def choose_folder(self) -> None:
        """Choose a folder of frames, and open it."""
        path = QtWidgets.QFileDialog.getExistingDirectory(self._window, "Open a folder of frames")
        if path:
            self._session.open_paths([path])

    def save(self) -> None:
        """Save the Shot to its file, or choose a file."""
        if self._session.path:
            self._session.save(self._session.path)
        else:
            self.save_as()

    def save_as(self) -> None:
        """Choose a file and save the Shot."""
        path, _ = QtWidgets.QFileDialog.getSaveFileName(self._window, "Save the Shot", "shot.json", "Shot (*.json)")
        if path:
            self._session.save(path)

    def send_to_farm(self, frames: FrameRange) -> None:
        """Choose a folder, and write a job bundle for these frames into it."""
        folder = QtWidgets.QFileDialog.getExistingDirectory(self._window, "Folder for the OpenJD job bundle")
        if folder:
            self._session.send_to_farm(folder, frames)

    def locate_backend(self) -> None:
        """Choose the f2hdr command to use."""
        path, _ = QtWidgets.QFileDialog.getOpenFileName(
            self._window, "Locate the f2hdr command", "", "f2hdr (f2hdr f2hdr.exe f2hdr.cmd);;All files (*)"
        )
        if path:
            self._backend.locate(path, lambda version: self._session.reported.emit(
                f"The backend is {path}, version {version}.", "info"))  # fmt: skip
