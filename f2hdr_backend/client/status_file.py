"""Status files: the state of a job as JSON, for programs that can only read files."""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any, Optional

from f2hdr_backend.client.jobs import JobStatus
from f2hdr_backend.shot.atomic import replacing
from f2hdr_backend.shot.errors import Canceled, DocumentError, F2HDRError

VERSION = 1
"""Version of the file's format."""
WRITE_S = 1.0
"""Maximum interval in seconds between two updates while a job is running."""
RECENT = 20
"""Number of frames averaged in ``seconds_per_frame``."""


class StatusFile:
    """The status of one job, written atomically; creating a file ``path + ".cancel"`` cancels the job."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        self.cancel_path = self.path + ".cancel"
        self._seconds: list[float] = []
        self._written = 0.0
        self._last: Optional[JobStatus] = None

    def asks_to_cancel(self) -> bool:
        """Return whether the cancel file exists."""
        return os.path.exists(self.cancel_path)

    def forget_cancel(self) -> None:
        """Delete the cancel file."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.cancel_path)

    def starting(self) -> None:
        """Report that the server is being found or started."""
        self.update(JobStatus("", "starting", 0, 0, None, "Starting.", None, ()), [])

    def update(self, status: JobStatus, events: list[dict[str, Any]]) -> None:
        """Update the file if the status changed or the last update is older than ``WRITE_S``.

        Raises DocumentError if the file cannot be written.
        """
        self._seconds += [event["seconds"] for event in events if event["event"] == "frame_done"]
        if status != self._last or time.monotonic() - self._written > WRITE_S:
            self._last = status
            self._write(status)

    def failed(self, error: F2HDRError) -> None:
        """Report that the job failed or was canceled."""
        before = self._last or JobStatus("", "", 0, 0, None, "", None, ())
        is_canceled = isinstance(error, Canceled)
        self._write(
            JobStatus(
                before.id,
                "canceled" if is_canceled else "failed",
                before.done,
                before.total,
                before.frame,
                str(error),
                None if is_canceled else error.to_json(),
                before.warnings,
            )
        )

    def _write(self, status: JobStatus) -> None:
        recent = self._seconds[-RECENT:]
        document = {
            "version": VERSION,
            "state": status.state,
            "job": status.id,
            "done": status.done,
            "total": status.total,
            "frame": status.frame,
            "seconds_per_frame": round(sum(recent) / len(recent), 3) if recent else None,
            "message": status.message,
            "warnings": list(status.warnings),
            "error": status.error,
            "updated": time.time(),
            "pid": os.getpid(),
        }
        try:
            with replacing(self.path, durable=False) as file:
                file.write(json.dumps(document).encode())
        except OSError as error:
            raise DocumentError(
                f'The status file "{self.path}" cannot be written: {error.strerror}.',
                hint="Choose a folder that you may write to.",
                path=self.path,
            ) from error
        self._written = time.monotonic()
