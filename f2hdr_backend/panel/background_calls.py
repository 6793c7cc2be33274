"""Runs blocking work on threads and delivers results on the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, Optional

from f2hdr_backend.panel.qt import QtCore, Signal
from f2hdr_backend.shot.errors import F2HDRError

Work = Callable[[], None]


class Calls(QtCore.QObject):
    """Runs functions on its own threads. Create it on the window's thread.

    The threads are daemons: a host that exits does not wait for a server that is still measuring a plate.
    """

    _finished = Signal(object, object)

    def __init__(self, threads: int = 2, parent: Optional[QtCore.QObject] = None) -> None:
        super().__init__(parent)
        self._queue: SimpleQueue[Optional[Work]] = SimpleQueue()
        self._threads = threads
        self._open = True
        self._finished.connect(self._deliver, QtCore.Qt.ConnectionType.QueuedConnection)
        for number in range(threads):
            Thread(target=self._serve, name=f"F2HDR panel {number}", daemon=True).start()

    def run(
        self,
        function: Callable[[], Any],
        done: Optional[Callable[[Any], None]] = None,
        failed: Optional[Callable[[F2HDRError], None]] = None,
    ) -> None:
        """Call ``function`` on a thread, then ``done`` or ``failed`` on the window's thread; neither after
        ``close``.
        """

        def work() -> None:
            call: Optional[Callable[[Any], None]]
            value: Any
            try:
                call, value = done, function()
            except F2HDRError as error:
                call, value = failed, error
            except Exception as error:
                words = f"The panel failed with {type(error).__name__}: {error}."
                call, value = failed, F2HDRError(words, hint="This is a bug in F2HDR.")
            if self._open and call is not None:
                self._finished.emit(call, value)

        if self._open:
            self._queue.put(work)

    def close(self) -> None:
        """Start no more work, and deliver no more results."""
        self._open = False
        for _ in range(self._threads):
            self._queue.put(None)

    def _serve(self) -> None:
        for work in iter(self._queue.get, None):
            if self._open:
                work()

    def _deliver(self, call: Callable[[Any], None], value: Any) -> None:
        if self._open:
            call(value)
