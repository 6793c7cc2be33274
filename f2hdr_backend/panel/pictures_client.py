"""Client of the picture process: starts it, sends requests, and delivers answers."""

from __future__ import annotations

import base64
import functools
import json
import mmap
import os
from collections import deque
from collections.abc import Callable
from typing import Any, Optional

from f2hdr_backend.client.connection import rebuilt
from f2hdr_backend.client.launch import backend_command, clean_environment
from f2hdr_backend.panel.qt import QtCore, QtGui, Signal
from f2hdr_backend.shot.errors import F2HDRError, ServerError
from f2hdr_backend.shot.read_text import json_value

Answer = dict[str, Any]
Done = Callable[[Answer], None]
Failed = Callable[[F2HDRError], None]
MOST_RESTARTS = 3
"""Number of consecutive failures without an answer after which the process is not restarted."""


class Pictures(QtCore.QObject):
    """One picture process. Signals are emitted on the window's thread.

    One view is requested at a time: while it is drawn, only the latest request is kept, so that requests never
    accumulate during a drag.
    """

    shown = Signal(object, object)
    """A picture (QImage, or None) and its answer."""
    failed = Signal(object)
    """An error of a view, or of the process."""
    restarted = Signal()
    """The process was restarted: the plate must be opened again."""

    def __init__(self, parent: Optional[QtCore.QObject] = None) -> None:
        super().__init__(parent)
        self.process_id = 0
        self._process: Any = None
        self._file = ""
        self._number = 0
        self._restarts = 0
        self._closing = False
        self._rest = b""
        self._waiting: dict[int, tuple[Optional[Done], Optional[Failed]]] = {}
        self._unsent: deque[bytes] = deque()
        self._next_view: Optional[dict[str, Any]] = None
        self._view_is_open = False

    @property
    def is_drawing(self) -> bool:
        """Whether a requested view has not arrived."""
        return self._view_is_open or self._next_view is not None

    def ask(self, name: str, done: Optional[Done] = None, failed: Optional[Failed] = None, **arguments: Any) -> None:
        """Send a request; ``done`` is called with its answer, or ``failed`` with its error."""
        if self._closing:
            return
        if self._process is None:
            self._start()
        self._number += 1
        self._waiting[self._number] = (done, failed)
        line = json.dumps({"id": self._number, "do": name, **arguments}).encode() + b"\n"
        if self._file and self._process is not None:
            self._process.write(line)
        else:
            self._unsent.append(line)

    def show(self, view: dict[str, Any]) -> None:
        """Request a view; ``shown`` is emitted with its picture unless another view is requested first."""
        self._next_view = view
        self._send_view()

    def close(self) -> None:
        """End the process."""
        self._closing = True
        self._waiting.clear()
        if self._process is not None:
            self._process.closeWriteChannel()
            if not self._process.waitForFinished(1000):
                self._process.kill()
                self._process.waitForFinished(1000)
            self._process = None

    def _start(self) -> None:
        try:
            command = [*backend_command(), "panel", "--pictures"]
        except F2HDRError as error:
            QtCore.QTimer.singleShot(0, functools.partial(self._not_found, error))
            return
        self._process = QtCore.QProcess(self)
        environment = QtCore.QProcessEnvironment()
        for name, value in clean_environment().items():
            environment.insert(name, value)
        self._process.setProcessEnvironment(environment)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._ended)
        self._process.errorOccurred.connect(self._not_started)
        self._process.setProcessChannelMode(QtCore.QProcess.ProcessChannelMode.ForwardedErrorChannel)
        self._process.start(command[0], command[1:])

    def _not_found(self, error: F2HDRError) -> None:
        waiting, self._waiting = self._waiting, {}
        self._unsent.clear()
        for _, failed in waiting.values():
            (failed or self.failed.emit)(error)

    def _send_view(self) -> None:
        if self._view_is_open or self._next_view is None:
            return
        view, self._next_view = self._next_view, None
        self._view_is_open = True
        self.ask("view", self._drawn, self._not_drawn, **view)

    def _drawn(self, answer: Answer) -> None:
        self._view_is_open = False
        self.shown.emit(self._mapped_image(answer), answer)
        self._send_view()

    def _not_drawn(self, error: F2HDRError) -> None:
        self._view_is_open = False
        self.failed.emit(error)
        self._send_view()

    def _mapped_image(self, answer: Answer) -> Any:
        width, height = answer["width"], answer["height"]
        if not width or not height:
            return None
        size = width * height * 4
        image = QtGui.QImage(width, height, QtGui.QImage.Format.Format_RGBA8888)
        with open(self._file, "rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as mapped:
            with memoryview(mapped) as pixels:
                bits: Any = image.bits()
                bits[:size] = pixels
        return image

    def _read(self) -> None:
        self._rest += bytes(self._process.readAllStandardOutput().data())
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            self._take(json_value(line))

    def _take(self, answer: Answer) -> None:
        if answer.get("event") == "hello":
            self._file = answer["file"]
            self.process_id = answer["pid"]
            while self._unsent:
                self._process.write(self._unsent.popleft())
            return
        self._restarts = 0
        done, failed = self._waiting.pop(answer["id"], (None, None))
        if "error" in answer:
            error = rebuilt(answer["error"])
            (failed or self.failed.emit)(error)
        elif done is not None:
            done(answer["ok"])

    def _not_started(self, error: Any) -> None:
        if error == QtCore.QProcess.ProcessError.FailedToStart:
            self._lost("The picture process cannot be started.", "Set F2HDR_BACKEND to the path of the f2hdr command.")

    def _ended(self, *_: object) -> None:
        self._remove_file()
        if not self._closing:
            self._lost("The picture process ended unexpectedly.", "The panel starts it again; if it persists, use less "
                       "memory: close other programs.")  # fmt: skip

    def _lost(self, message: str, hint: str) -> None:
        waiting, self._waiting = self._waiting, {}
        self._process, self._file, self._rest = None, "", b""
        self._view_is_open = False
        self._unsent.clear()
        error = ServerError(message, hint=hint)
        for _, failed in waiting.values():
            if failed is not None:
                failed(error)
        self._restarts += 1
        if self._restarts <= MOST_RESTARTS and not self._closing:
            self.restarted.emit()

    def _remove_file(self) -> None:
        """Remove the mapped file; the process does this itself unless it was killed."""
        if self._file and os.path.exists(self._file):
            try:
                os.unlink(self._file)
            except OSError:
                pass  # open in another process: left to the system's cleanup of temporary files


def decoded(answer: Answer) -> Any:
    """Return the QImage of a thumbnail that is embedded in an answer."""
    return _image(base64.b64decode(answer["rgba"]), answer["width"], answer["height"])


def _image(rgba: bytes, width: int, height: int) -> Any:
    """Return a QImage that owns its pixels."""
    return QtGui.QImage(rgba, width, height, width * 4, QtGui.QImage.Format.Format_RGBA8888).copy()
