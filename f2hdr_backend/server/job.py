"""State and events of one job, for the clients that watch it."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any

from f2hdr_backend.client.jobs import LAST_STATES, JobStatus
from f2hdr_backend.server.error_responses import error_document
from f2hdr_backend.shot.errors import Canceled, F2HDRError

EVENTS_KEPT = 4096
"""Events of a job that can be requested; older ones are dropped."""
WARNINGS_KEPT = 100
"""Maximum number of warnings in a job's status."""


class JobRecord:
    """The state and the events of one job; thread-safe."""

    def __init__(self, client: str, *, keep: bool = True, output: str = "") -> None:
        self.id = secrets.token_hex(8)
        self.client = client
        self.output = output
        """Pattern of its output frames."""
        self.keep = keep
        """Whether it continues when no client watches it."""
        self.seen = time.monotonic()
        """Time of the last request for it."""
        self.watchers = 0
        """Number of open event streams."""
        self._lock = Lock()
        self._events: deque[tuple[int, dict[str, Any]]] = deque(maxlen=EVENTS_KEPT)
        self._count = 0
        self._listeners: list[Callable[[], None]] = []
        self._state = "queued"
        self._message = "Waiting in the queue."
        self._done = self._total = 0
        self._frame: int | None = None
        self._error: dict[str, Any] | None = None
        self._warnings: list[str] = []

    @property
    def is_over(self) -> bool:
        """Whether it is done, failed or canceled."""
        return self._state in LAST_STATES

    def status(self) -> JobStatus:
        """Return its current status."""
        with self._lock:
            return JobStatus(
                self.id, self._state, self._done, self._total, self._frame, self._message, self._error,
                tuple(self._warnings), self.client, self.output,
            )  # fmt: skip

    def since(self, after: int) -> tuple[list[dict[str, Any]], int]:
        """Return the stored events with a number above ``after``, and the number of the last event."""
        with self._lock:
            return [event for number, event in self._events if number > after], self._count

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after each event, from any thread; return a function that removes it."""
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return stop

    def set_message(self, message: str) -> None:
        """Set the status message, one sentence; ignored after the job has ended."""
        with self._lock:
            if self._state not in LAST_STATES:
                self._message = message

    def record(self, event: dict[str, Any]) -> None:
        """Add one event of the render in its JSON form; events after the last one are ignored."""
        with self._lock:
            if self._state in LAST_STATES:
                return
            self._take(event)
            self._count += 1
            self._events.append((self._count, event))
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def fail(self, error: F2HDRError) -> None:
        """End the job with an error, or as canceled."""
        if isinstance(error, Canceled):
            self.record({"event": "canceled"})
        else:
            self.record({"event": "error", **error_document(error)})

    def _take(self, event: dict[str, Any]) -> None:
        name = event["event"]
        if name == "render_started":
            self._state, self._total, self._message = "running", event["total"], "Rendering."
        elif name in ("frame_done", "frame_skipped"):
            self._frame, self._done, self._total = event["frame"], event["done"], event["total"]
            self._message = f"{self._done} of {self._total} frames."
        elif name == "warned":
            self._warnings = [*self._warnings, event["message"]][:WARNINGS_KEPT]
        elif name == "render_finished":
            self._state, self._message = "done", f"{event['rendered']} frames rendered, {event['skipped']} skipped."
        elif name == "canceled":
            self._state, self._message = "canceled", "Canceled."
        elif name == "error":
            self._state, self._message = "failed", str(event["message"])
            self._error = {key: value for key, value in event.items() if key != "event"}
