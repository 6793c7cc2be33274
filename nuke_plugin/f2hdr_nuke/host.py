"""Where a bake runs: in a worker thread of a Nuke with a window, or in the main thread of one without.

Both classes have the same methods, so that the bake itself is written once.
"""

from __future__ import annotations

import threading
from typing import Callable, Generic, Optional, TypeVar

import nuke

from f2hdr_backend.shot.errors import Canceled, ShotError

Answer = TypeVar("Answer")
LOOK_S = 0.1
"""Seconds between two checks of the Cancel button."""


class Host:
    """Terminal mode: everything runs in the calling thread, and progress is lines of text."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._last_line = ""

    def on_main(self, call: Callable[[], Answer]) -> Answer:
        """Return the result of ``call`` in Nuke's main thread; raises its exception."""
        try:
            return call()
        except RuntimeError as error:
            raise _error_of(error) from error

    def progress(self, done: int, total: int, doing: str) -> None:
        """Report that ``doing`` is finished for ``done`` of ``total`` frames."""
        line = f"{self._title}: {doing} {done}/{total}"
        if line != self._last_line:
            nuke.tprint(line)
            self._last_line = line

    def check(self) -> None:
        """Raise Canceled if the user requested it."""

    def wait(self, call: Callable[[], Answer]) -> Answer:
        """Return what ``call`` returns, and check the Cancel button meanwhile. ``call`` must not use Nuke."""
        waiting = _Waiting(call)
        while waiting.is_alive():
            waiting.join(LOOK_S)
            self.check()
        return waiting.answer()

    def inform(self, text: str) -> None:
        """Show the user a text."""
        nuke.tprint(f"{self._title}: {text}")


class WindowHost(Host):
    """A Nuke with a window: this runs in a worker thread, and Nuke's own functions in the main thread."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._task = nuke.ProgressTask(title)

    def on_main(self, call: Callable[[], Answer]) -> Answer:
        """Return the result of ``call`` in Nuke's main thread; raises its exception."""
        waiting: Optional[_Caught[Answer]] = nuke.executeInMainThreadWithResult(_Caught, (call,))
        if waiting is None:
            raise Canceled("Nuke did not run a part of the bake.", hint="Bake again.")
        try:
            return waiting.answer()
        except RuntimeError as error:
            raise _error_of(error) from error

    def progress(self, done: int, total: int, doing: str) -> None:
        """Move the bar and write ``doing`` next to it."""
        self._task.setProgress(int(100 * done / max(1, total)))
        self._task.setMessage(f"{doing} {done}/{total}")

    def check(self) -> None:
        """Raise Canceled if the user pressed Cancel."""
        if self._task.isCancelled():
            raise Canceled("Canceled. Finished frames are kept.", hint="Bake again to resume.")

    def inform(self, text: str) -> None:
        """Show the user a text, without waiting for them to read it."""
        nuke.executeInMainThread(nuke.message, (text,))

    def close(self) -> None:
        """Close the bar. Nuke does so when its object is deleted, which the traceback of an error would prevent."""
        del self._task


class _Caught(Generic[Answer]):
    """The result of a call: Nuke returns results from its main thread, but swallows exceptions."""

    def __init__(self, call: Callable[[], Answer]) -> None:
        self._error: Optional[Exception] = None
        try:
            self._value = call()
        except Exception as error:
            self._error = error

    def answer(self) -> Answer:
        """Return the result of the call, or raise its exception."""
        if self._error is not None:
            raise self._error
        return self._value


class _Waiting(threading.Thread, Generic[Answer]):
    """A call in its own thread, which need not be waited for."""

    def __init__(self, call: Callable[[], Answer]) -> None:
        super().__init__(name="f2hdr waiting", daemon=True)
        self._call = call
        self.start()

    def run(self) -> None:
        """Make the call."""
        self._caught = _Caught(self._call)

    def answer(self) -> Answer:
        """Return the result of the call, or raise its exception; only after the thread has ended."""
        return self._caught.answer()


def _error_of(error: RuntimeError) -> Exception:
    """Nuke raises RuntimeError both when the user cancels and when it cannot render."""
    if str(error).startswith("Cancelled"):
        return Canceled("Canceled. Finished frames are kept.", hint="Bake again to resume.")
    return ShotError(f"Nuke cannot render the plate: {error}.", hint="Check that the node's input renders.")
