"""Submit, watch and cancel jobs; measure a plate; request information about the server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Optional
from urllib.parse import quote

from f2hdr_backend.client.connection import Connection
from f2hdr_backend.shot import paths
from f2hdr_backend.shot.document import Color, Shot
from f2hdr_backend.shot.errors import DocumentError, ServerUnreachable
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.ocio_context import context_of
from f2hdr_backend.shot.read_text import read_text

LAST_EVENTS = ("render_finished", "error", "canceled")
"""The names of the events after which a job's stream ends."""
LAST_STATES = ("done", "failed", "canceled")
"""The final states of a job."""
_OLD_STATES = {"cancelled": "canceled"}
"""States in the spelling of older versions."""
SILENCE_S = 5.0
"""Seconds without data, heartbeats included, after which the server is considered unreachable."""
DETECT_S = 600.0
"""Timeout in seconds for measuring a plate."""


@dataclass(frozen=True)
class JobStatus:
    """The status of a job; see ``Job.status``."""

    id: str
    state: str
    """``queued``, ``running``, ``done``, ``failed`` or ``canceled``."""
    done: int
    """Number of completed frames, including those that were already done."""
    total: int
    """Number of requested frames; 0 until it is known."""
    frame: Optional[int]
    """The frame that was completed last, or None."""
    message: str
    """Short status message for the user."""
    error: Optional[dict[str, Any]]
    """``F2HDRError.to_json`` of the error if the job failed, or None."""
    warnings: tuple[str, ...]
    """Warnings for the user."""
    client: str = ""
    """Name of the client that submitted the job."""
    output: str = ""
    """Pattern of its output frames."""

    @property
    def is_over(self) -> bool:
        """Whether the job has ended."""
        return self.state in LAST_STATES

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> JobStatus:
        """Parse the server's response; unknown fields are ignored."""
        return cls(
            id=answer["id"],
            state=_OLD_STATES.get(answer["state"], answer["state"]),
            done=answer["done"],
            total=answer["total"],
            frame=answer["frame"],
            message=answer["message"],
            error=answer["error"],
            warnings=tuple(answer["warnings"]),
            client=answer.get("client", ""),
            output=answer.get("output", ""),
        )


@dataclass(frozen=True)
class Job:
    """A job on a server, returned by ``submit``, or created from a known id."""

    connection: Connection
    id: str

    @property
    def _path(self) -> str:
        return f"/v1/jobs/{quote(self.id, safe='')}"

    def status(self) -> JobStatus:
        """Return the current status of the job. Raises ServerUnreachable, or ServerError for an unknown id."""
        return JobStatus.from_json(self.connection.request("GET", self._path))

    def poll(self, after: int = 0) -> tuple[JobStatus, list[dict[str, Any]], int]:
        """Return the status, the events with a number above ``after``, and the value of ``after`` for the next call.

        Raises the errors of ``status``.
        """
        answer = self.connection.request("GET", f"{self._path}?after={after}", timeout=SILENCE_S)
        return JobStatus.from_json(answer), answer["events"], answer["next"]

    def watch(self, timeout: float = SILENCE_S) -> Iterator[dict[str, Any]]:
        """Yield every event of the job from the first, in the form of ``Event.to_json``; ends after the last.

        The last one is ``render_finished``, ``error`` (with the fields of ``F2HDRError.to_json``) or ``canceled``.
        ``timeout`` is the time in seconds without data, after which the server is considered unreachable; it sends a
        heartbeat once a second.

        Raises:
            ServerUnreachable: the server is unreachable; submit again to resume.
        """
        for event in self.connection.stream(f"{self._path}/events?after=0", timeout=timeout):
            yield event
            if event["event"] in LAST_EVENTS:
                return
        raise ServerUnreachable(
            f"The F2HDR server at {self.connection.address} closed the connection.",
            hint="Submit again: finished frames are kept and the others are rendered.",
            address=self.connection.address,
        )

    def cancel(self) -> None:
        """Cancel the job, also within a frame; it leaves no partial file. A job that has ended is unchanged."""
        self.connection.request("DELETE", self._path)


def submit(
    connection: Connection,
    shot: Shot,
    frames: Optional[FrameRange] = None,
    *,
    force: bool = False,
    client: str = "",
    priority: str = "batch",
    keep: bool = True,
) -> Job:
    """Submit a Shot to the server and return at once.

    Submitting the same Shot and frames again returns the same job until it has ended. Relative paths in the Shot are
    relative to this process's folder.

    Args:
        connection: from ``launch.connect``.
        shot: the Shot to render.
        frames: frames to render; None for those of ``shot``.
        force: render frames again that are already done.
        client: name of the client, for fair scheduling; by default this process.
        priority: ``interactive`` jobs run before ``batch`` jobs, from the next frame on.
        keep: whether the job continues when no client watches it; if not, it is canceled after 10 s.

    Raises:
        ServerError: the server cannot be reached or accepts no more jobs.
        ShotError: the request is invalid.
    """
    body = {
        "shot": absolute(shot).to_json(),
        "frames": None if frames is None else str(frames),
        "force": force,
        "client": client or f"process {os.getpid()}",
        "priority": priority,
        "keep": keep,
    }
    return Job(connection, connection.request("POST", "/v1/jobs", body)["id"])


def detect(
    connection: Connection, plate: str, input_space: str = "auto", config: str = "", layer: str = ""
) -> dict[str, Any]:
    """Measure the exposures of a plate on the server; returns the result of ``f2hdr detect --json``.

    ``input_space`` and ``config`` are those of a Shot's color, ``layer`` is the Shot's; the default config is this
    process's ``$OCIO``.
    Raises ExposureError if the exposures could not be determined, and errors of the plate and the server.
    """
    body = {"plate": os.path.abspath(plate), "input_space": input_space, "config": _config(config), "layer": layer}
    return connection.request("POST", "/v1/detect", body, timeout=DETECT_S)


def info(connection: Connection) -> dict[str, Any]:
    """Return version, process id, devices, roots and the number of jobs of the server."""
    return connection.request("GET", "/v1/info")


def color_spaces(connection: Connection, config: str) -> list[str]:
    """Return the color spaces and roles of an OCIO config, sorted, as the server reads it.

    ``config`` is a path or a built-in name (``ocio://...``). Raises ColorError if it cannot be loaded.
    """
    answer = connection.request("GET", f"/v1/spaces?config={quote(_config(config), safe='')}")
    return [str(name) for name in answer["spaces"]]


def absolute(shot: Shot) -> Shot:
    """Return the Shot with absolute paths, and with this process's ``$OCIO`` and its context variables.

    The server has its own working folder and environment.
    """
    return paths.absolute(replace(shot, color=_own_color(shot.color)))


def _own_color(color: Color) -> Color:
    """The color with this process's OCIO config, and the context variables that a config file uses."""
    config = _config(color.config)
    if color.context is not None or not os.path.isfile(config):
        return replace(color, config=config)
    try:
        text = read_text(config)
    except DocumentError:  # an archive, or a file that the server reports
        return replace(color, config=config)
    return replace(color, config=config, context=context_of(text, os.environ))


def _config(named: str) -> str:
    """Return the OCIO config of this process, with an absolute path if it is a file."""
    config = named or os.environ.get("OCIO", "")
    return os.path.abspath(config) if config and os.path.isfile(config) else config
