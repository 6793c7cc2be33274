"""Submit a Shot, watch it, cancel it; and ask the server what it finds or is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Optional
from urllib.parse import quote

from f2hdr_backend.client.connection import Connection
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import ServerUnreachable
from f2hdr_backend.shot.frames import FrameRange

LAST_EVENTS = ("render_finished", "error", "canceled")
"""The names of the events after which a job's stream ends."""
LAST_STATES = ("done", "failed", "canceled")
"""The states that a job does not leave."""
_OLD_STATES = {"cancelled": "canceled"}
"""States as older versions wrote them."""
SILENCE_S = 5.0
"""Seconds without a sign of life, heartbeats included, after which the server counts as gone."""
DETECT_S = 600.0
"""Seconds that measuring a plate may take."""


@dataclass(frozen=True)
class JobStatus:
    """Where a job stands; see ``Job.status``."""

    id: str
    state: str
    """``queued``, ``running``, ``done``, ``failed`` or ``canceled``."""
    done: int
    """Frames that are complete, those found done included."""
    total: int
    """Frames asked for; 0 while nobody knows."""
    frame: Optional[int]
    """The frame that was completed last."""
    message: str
    """One short sentence for a user."""
    error: Optional[dict[str, Any]]
    """``F2HDRError.to_json`` of what stopped the job, if it failed."""
    warnings: tuple[str, ...]
    """What a user should know of."""
    client: str = ""
    """Who asked for it."""
    output: str = ""
    """Pattern of the frames that it writes."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in LAST_STATES

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> JobStatus:
        """Read the server's answer; what this version does not know is passed over."""
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
    """A job on a server. Made by ``submit``, or by hand from an id that is known."""

    connection: Connection
    id: str

    @property
    def _path(self) -> str:
        return f"/v1/jobs/{quote(self.id, safe='')}"

    def status(self) -> JobStatus:
        """Return where the job stands now. Raises ServerUnreachable, or ServerError for an unknown id."""
        return JobStatus.from_json(self.connection.request("GET", self._path))

    def poll(self, after: int = 0) -> tuple[JobStatus, list[dict[str, Any]], int]:
        """Return the status, the events behind number ``after``, and the number to give the next time.

        Raises as ``status``.
        """
        answer = self.connection.request("GET", f"{self._path}?after={after}", timeout=SILENCE_S)
        return JobStatus.from_json(answer), answer["events"], answer["next"]

    def watch(self, timeout: float = SILENCE_S) -> Iterator[dict[str, Any]]:
        """Yield every event of the job from its first, as ``Event.to_json`` gives them; ends after the last.

        The last one is ``render_finished``, ``error`` (with the fields of ``F2HDRError.to_json``) or ``canceled``.
        ``timeout`` is the silence in seconds after which the server counts as gone: it speaks once a second.

        Raises:
            ServerUnreachable: the server is gone; submit again to go on.
        """
        for event in self.connection.stream(f"{self._path}/events?after=0", timeout=timeout):
            yield event
            if event["event"] in LAST_EVENTS:
                return
        raise ServerUnreachable(
            f"The F2HDR server at {self.connection.address} went away.",
            hint="Submit again: finished frames are kept and the rest is rendered.",
            address=self.connection.address,
        )

    def cancel(self) -> None:
        """Stop the job after the frame in work; it leaves no partial file. A job that is over stays as it is."""
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
    """Give a Shot to the server and return at once.

    The same Shot and frames submitted while they wait or render give the same job. Relative paths in the Shot are
    taken from this process's folder.

    Args:
        connection: from ``launch.connect``.
        shot: what to render.
        frames: those of ``shot`` unless given.
        force: render frames again that are already done.
        client: a name for whoever asks; the server is fair among names. By default this process.
        priority: ``interactive`` overtakes ``batch`` between frames.
        keep: whether the job goes on when nobody watches it any more; else it is canceled after 10 s.

    Raises:
        ServerError: the server cannot be reached or takes no more jobs.
        ShotError: the request is wrong.
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


def detect(connection: Connection, plate: str, input_space: str = "auto", config: str = "") -> dict[str, Any]:
    """Measure the exposures of a plate on the server; returns what ``f2hdr detect --json`` prints.

    ``input_space`` and ``config`` are those of a Shot's color; without a config this process's ``$OCIO`` counts.

    Raises ExposureError if they cannot be determined, and errors of the plate and the server.
    """
    body = {"plate": os.path.abspath(plate), "input_space": input_space, "config": _config(config)}
    return connection.request("POST", "/v1/detect", body, timeout=DETECT_S)


def info(connection: Connection) -> dict[str, Any]:
    """Return what the server is: version, process, devices, roots and how busy it is."""
    return connection.request("GET", "/v1/info")


def color_spaces(connection: Connection, config: str) -> list[str]:
    """Return the color spaces and roles of an OCIO config, sorted, as the server reads it.

    ``config`` is a path or a built-in name (``ocio://...``). Raises ColorError if it cannot be loaded.
    """
    answer = connection.request("GET", f"/v1/spaces?config={quote(_config(config), safe='')}")
    return [str(name) for name in answer["spaces"]]


def absolute(shot: Shot) -> Shot:
    """Return the Shot with the paths of plate, output and config made absolute, and with this process's ``$OCIO``.

    A server has a folder and an environment of its own.
    """
    pattern = os.path.abspath(shot.output.pattern) if shot.output.pattern else ""
    return replace(
        shot,
        plate=os.path.abspath(shot.plate),
        color=replace(shot.color, config=_config(shot.color.config)),
        output=replace(shot.output, pattern=pattern),
    )


def _config(named: str) -> str:
    """The OCIO config that this process means, its path absolute if it is a file."""
    config = named or os.environ.get("OCIO", "")
    return os.path.abspath(config) if config and os.path.isfile(config) else config
