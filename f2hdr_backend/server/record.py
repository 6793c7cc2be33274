"""State and events of one job, for the clients that watch it."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any

from f2hdr_backend.client.jobs import LAST_STATES, JobStatus
from f2hdr_backend.server.answers import error_document
from f2hdr_backend.shot.errors import Cancelled, F2HDRError

EVENTS_KEPT = 4096
"""Events of a job that can still be asked for."""
WARNINGS_KEPT = 100
"""Warnings of a job that its status lists."""


class JobRecord:
    """The state and the events of one job; thread-safe."""

    def __init__(self, client: str, *, keep: bool = True, output: str = "") -> None:
        self.id = secrets.token_hex(8)
        self.client = client
        self.output = output
        """Pattern of the frames that it writes."""
        self.keep = keep
        """Whether it goes on unwatched."""
        self.seen = time.monotonic()
        """When somebody last asked for it."""
        self.watchers = 0
        """Streams open on it now."""
        self._lock = Lock()
        self._events: deque[tuple[int, dict[str, Any]]] = deque(maxlen=EVENTS_KEPT)
        self._count = 0
        self._listeners: list[Callable[[], None]] = []
        self._state = "queued"
        self._message = "Waiting for its turn."
        self._done = self._total = 0
        self._frame: int | None = None
        self._error: dict[str, Any] | None = None
        self._warnings: list[str] = []

    @property
    def is_over(self) -> bool:
        """Whether it is done, failed or canceled."""
        return self._state in LAST_STATES

    def status(self) -> JobStatus:
        """Where it stands now."""
        with self._lock:
            return JobStatus(
                self.id, self._state, self._done, self._total, self._frame, self._message, self._error,
                tuple(self._warnings), self.client, self.output,
            )  # fmt: skip

    def since(self, after: int) -> tuple[list[dict[str, Any]], int]:
        """The events behind number ``after`` that are still kept, and the number of the last."""
        with self._lock:
            return [event for number, event in self._events if number > after], self._count

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have ``listener`` called, from any thread, after each event; returns what ends that."""
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return stop

    def say(self, message: str) -> None:
        """Tell where it stands in one sentence."""
        with self._lock:
            if self._state not in LAST_STATES:
                self._message = message

    def record(self, event: dict[str, Any]) -> None:
        """Take in one event of the render, in its JSON form; whatever comes after the last one is dropped."""
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
        """End it with an error, or as canceled."""
        if isinstance(error, Cancelled):
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
            self._state, self._message = "done", f"{event['rendered']} frames rendered, {event['skipped']} were there."
        elif name == "canceled":
            self._state, self._message = "canceled", "Canceled."
        elif name == "error":
            self._state, self._message = "failed", str(event["message"])
            self._error = {key: value for key, value in event.items() if key != "event"}
