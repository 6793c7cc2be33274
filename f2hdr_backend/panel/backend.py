"""Client of the shared server for the window: its state, its jobs and requests. Never blocks the window."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Optional

from f2hdr_backend.client.connection import Connection
from f2hdr_backend.client.jobs import Job, detect, info, submit
from f2hdr_backend.client.launch import backend_command, clean_environment, connect
from f2hdr_backend.panel.background_calls import Calls
from f2hdr_backend.panel.qt import QtCore, Signal
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import F2HDRError, ServerError, ServerUnreachable
from f2hdr_backend.shot.frames import FrameRange

POLL_MS = 700
"""Polling interval of the jobs in milliseconds."""
CANCEL_POLLS_MS = (0, 150, 300, 450, 600, 800, 1000)
"""Polling interval in milliseconds after a cancel, until the job has ended."""
POLLS_A_CACHE = 10
"""Requests for the jobs per request for the flow cache, whose folder may be large."""
COMMAND_S = 120.0
"""Timeout in seconds of a backend command."""
PROGRAM_VARIABLE = "F2HDR_BACKEND"
"""Environment variable with the path of the f2hdr command."""
STATES = ("unknown", "stopped", "starting", "running", "refused")
JobFacts = dict[str, Any]


class Backend(QtCore.QObject):
    """Connection to this user's server. Signals are emitted on the window's thread."""

    state_changed = Signal(str, str)
    """One of ``STATES``, and a message."""
    jobs_changed = Signal(object)
    """All jobs of the server, newest first, in the format of the server."""
    info_changed = Signal(object)
    """Facts about the server, with ``cache``; empty if none runs."""
    failed = Signal(object)
    """An error of a user's action."""

    def __init__(self, parent: Optional[QtCore.QObject] = None) -> None:
        super().__init__(parent)
        self.state = "unknown"
        self.located = ""
        """The f2hdr command that the user chose; empty for the one that is found."""
        self.jobs: list[JobFacts] = []
        self._slow = Calls(2, self)
        self._quick = Calls(1, self)
        self._is_polling = False
        self._polls = 0
        self._cache: dict[str, Any] = {}
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)

    def watch(self) -> None:
        """Start polling the server and its jobs; does not start the server."""
        self.poll()
        self._timer.start()

    def close(self) -> None:
        """Stop polling. The server and its jobs continue."""
        self._timer.stop()
        self._slow.close()
        self._quick.close()

    def poll(self) -> None:
        """Poll once, unless a poll is in progress."""
        if not self._is_polling and self.state != "starting":
            self._is_polling = True
            with_cache = self._polls % POLLS_A_CACHE == 0
            self._polls += 1
            self._quick.run(lambda: _look(with_cache), self._looked, self._not_there)

    def start(self) -> None:
        """Start the server if none runs."""
        self._set_state("starting", "The backend is starting.")
        self._slow.run(lambda: connect().address, lambda address: self._started(), self._not_started)

    def stop(self) -> None:
        """Stop the server and all running jobs."""
        self._slow.run(lambda: run_command(["serve", "--stop"]), lambda _: self.poll(), self.failed.emit)

    def locate(self, program: str, done: Callable[[str], None]) -> None:
        """Use the f2hdr command at this path; ``done`` receives its version. A command that fails is not used."""

        def found(version: str) -> None:
            os.environ[PROGRAM_VARIABLE] = self.located = program
            done(version)
            self.poll()

        self._slow.run(lambda: run_command(["--version"], program), found, self.failed.emit)

    def use_located(self, program: str) -> None:
        """Use the command that the user chose earlier, unless it is set in the environment or no longer exists."""
        if os.path.isfile(program) and not os.environ.get(PROGRAM_VARIABLE):
            os.environ[PROGRAM_VARIABLE] = self.located = program

    def submit(
        self,
        shot: Shot,
        frames: Optional[FrameRange],
        done: Callable[[str], None],
        *,
        force: bool = False,
        urgent: bool = False,
    ) -> None:
        """Submit a render, starting the server if needed; ``done`` receives the job's id."""

        def work() -> str:
            priority = "interactive" if urgent else "batch"
            return submit(connect(), shot, frames, force=force, client="panel", priority=priority).id

        self._waking()
        self._slow.run(work, lambda job: self._submitted(job, done), self._refused)

    def detect(self, shot: Shot, done: Callable[[dict[str, Any]], None], failed: Callable[[F2HDRError], None]) -> None:
        """Detect the exposures of a Shot's plate."""

        def found(answer: dict[str, Any]) -> None:
            self._started()
            done(answer)

        def not_found(error: F2HDRError) -> None:
            self._started()
            failed(error)

        self._waking()
        color = shot.color
        self._slow.run(
            lambda: detect(connect(), shot.plate, color.input_space, color.config, shot.layer), found, not_found
        )

    def cancel(self, job: str) -> None:
        """Cancel a job."""
        self._quick.run(lambda: Job(connect(start=False), job).cancel(), self._canceled, self.failed.emit)

    def pace(self, job: str, done: Callable[[float], None]) -> None:
        """Call ``done`` with the mean seconds per frame over a job's last frames, if it rendered any."""

        def work() -> list[float]:
            _, events, _ = Job(connect(start=False), job).poll(0)
            return [event["seconds"] for event in events if event["event"] == "frame_done"][-8:]

        def found(seconds: list[float]) -> None:
            if seconds:
                done(sum(seconds) / len(seconds))

        self._quick.run(work, found)

    def clear_cache(self) -> None:
        """Delete all stored optical flow; it is computed again when needed."""
        self._quick.run(
            lambda: connect(start=False).request("DELETE", "/v1/cache", timeout=60.0),
            lambda _: self.poll(), self.failed.emit,
        )  # fmt: skip

    def command(self, words: list[str], done: Callable[[str], None]) -> None:
        """Run a backend command; ``done`` receives its standard output."""
        self._slow.run(lambda: run_command(words), done, self.failed.emit)

    def _canceled(self, _: Any) -> None:
        """Poll more often until the job has ended."""
        for milliseconds in CANCEL_POLLS_MS:
            QtCore.QTimer.singleShot(milliseconds, self.poll)

    def _waking(self) -> None:
        if self.state in ("unknown", "stopped"):
            self._set_state("starting", "The backend is starting.")

    def _submitted(self, job: str, done: Callable[[str], None]) -> None:
        self._started()
        done(job)

    def _refused(self, error: F2HDRError) -> None:
        self._started()
        self.failed.emit(error)

    def _started(self) -> None:
        if self.state == "starting":
            self.state = "unknown"
        self.poll()

    def _not_started(self, error: F2HDRError) -> None:
        self._set_state("stopped", str(error))
        self.failed.emit(error)

    def _looked(self, seen: dict[str, Any]) -> None:
        self._is_polling = False
        self.jobs = list(reversed(seen["jobs"]))
        busy = sum(job["state"] in ("queued", "running") for job in self.jobs)
        about = f"version {seen['info'].get('version', '?')}, {', '.join(seen['info'].get('devices', []))}"
        words = "idle" if not busy else f"{busy} job{'s' if busy > 1 else ''}"
        self._set_state("running", f"{words} · {about}")
        self._cache = seen["cache"] or self._cache
        self.info_changed.emit({**seen["info"], "cache": self._cache})
        self.jobs_changed.emit(self.jobs)

    def _not_there(self, error: F2HDRError) -> None:
        self._is_polling = False
        if self.state == "starting":
            return
        if isinstance(error, ServerUnreachable):
            self._set_state("stopped", "The backend is not running. It starts with the first render.")
        else:
            self._set_state("refused", str(error))
        self.info_changed.emit({})
        lost = [job for job in self.jobs if job["state"] in ("queued", "running")]
        for job in lost:
            job.update(state="lost", message="The backend ended unexpectedly. Render again: finished frames are kept.")
        self.jobs_changed.emit(self.jobs)

    def _set_state(self, state: str, words: str) -> None:
        self.state = state
        self.state_changed.emit(state, words)


def run_command(words: list[str], program: str = "") -> str:
    """Run a command of the backend, at the path ``program`` if given, and return its standard output.

    Raises ServerError with its message.
    """
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW
    try:
        done = subprocess.run(
            [*backend_command(program), *words], env=clean_environment(), stdin=subprocess.DEVNULL, capture_output=True,
            timeout=COMMAND_S, creationflags=flags, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        hint = "Locate the f2hdr command: Backend > Locate."
        raise ServerError(f"The backend cannot be run: {error}.", hint=hint) from error
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["The command failed without a message."]
        raise ServerError(lines[0].removeprefix("error: "), hint=" ".join(lines[1:3]))
    return done.stdout.decode("utf-8", "replace").strip()


def _look(with_cache: bool) -> dict[str, Any]:
    connection: Connection = connect(start=False)
    return {
        "info": info(connection),
        "jobs": connection.request("GET", "/v1/jobs")["jobs"],
        "cache": connection.request("GET", "/v1/cache") if with_cache else None,
    }
