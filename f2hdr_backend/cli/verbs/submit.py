"""``f2hdr submit``: render a Shot on the shared server, from anything that can start a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Annotated, Any

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.command import Section
from f2hdr_backend.cli.own_command import own_command
from f2hdr_backend.client.connection import rebuilt
from f2hdr_backend.client.jobs import Job, JobStatus, submit
from f2hdr_backend.client.launch import connect, own_python
from f2hdr_backend.client.status_file import StatusFile
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import Canceled, DocumentError, F2HDRError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.read_text import read_text

POLL_S = 0.25
"""Seconds between two requests for the job's state, and between two checks for the cancel file."""


def register(app: typer.Typer) -> None:
    """Add the verb ``submit`` to the command line."""
    app.command("submit", rich_help_panel=Section.SHARE)(submit_command)


def submit_command(
    shot: Annotated[str | None, typer.Argument(help="The Shot document to render.", metavar="SHOT.json")] = None,
    frames: Annotated[str | None, typer.Option(help="Frames to render, such as 1001-1010.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Render frames again that are already done.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Return at once; needs --status.")] = False,
    status: Annotated[
        Path | None,
        typer.Option(
            help="JSON file that shows the job's state. Creating FILE.cancel cancels the job.", metavar="FILE"
        ),
    ] = None,
    priority: Annotated[str, typer.Option(help="batch, or interactive: runs before batch jobs.")] = "batch",
    cancel: Annotated[str | None, typer.Option(help="Cancel this job and exit.", metavar="JOB")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON event a line on standard output.")] = False,
    detached: Annotated[bool, typer.Option("--detached", hidden=True)] = False,
) -> None:
    """Render a Shot on the shared server and wait for the result. The server is started when needed.

    Ctrl-C cancels the job. With --detach the command returns at once, and the status file shows the job's state.
    """
    if cancel is not None:
        Job(connect(start=False), cancel).cancel()
        return
    if shot is None:
        raise DocumentError("There is nothing to submit.", hint="Give a Shot document.")
    order = _Order(shot, frames, force, priority)
    if detach:
        _detach(order, status)
        return
    file = StatusFile(str(status)) if status is not None else None
    if file is not None and not detached:
        file.forget_cancel()
    _follow(order, file, as_json)


@dataclass(frozen=True)
class _Order:
    """The job of the command line."""

    document: str
    frames: str | None
    force: bool
    priority: str

    def words(self) -> list[str]:
        """Return the order as arguments of another command line."""
        frames = [] if self.frames is None else [f"--frames={self.frames}"]
        return [self.document, *frames, *(["--force"] if self.force else []), f"--priority={self.priority}"]

    def submit(self) -> Job:
        """Read the document and submit it."""
        shot = Shot.from_json(read_text(self.document))
        frames = None if self.frames is None else FrameRange.parse(self.frames)
        client = f"command {os.getpid()}"
        server = connect(program="" if os.environ.get("F2HDR_BACKEND") else own_command())
        return submit(server, shot, frames, force=self.force, client=client, priority=self.priority)


def _detach(order: _Order, status: Path | None) -> None:
    """Start a process that submits and watches the job. Errors in the order appear in the status file."""
    if status is None:
        raise DocumentError("--detach needs a status file.", hint="Give --status FILE.")
    file = StatusFile(str(status))
    file.forget_cancel()
    file.starting()
    words = [*order.words(), f"--status={file.path}", "--detached"]
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    process = subprocess.Popen(
        [*own_python(), "submit", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        creationflags=flags,
        start_new_session=sys.platform != "win32",
    )
    print(json.dumps({"event": "detached", "pid": process.pid, "status": str(file.path), "job": ""}))


def _follow(order: _Order, file: StatusFile | None, as_json: bool) -> None:
    """Submit the job and watch it until it ends; raise the error that stopped it."""
    last: JobStatus | None = None
    try:
        job = _submitted(order, file)
        try:
            for last, events in _watched(job, file):
                _show(last, events, as_json)
        except KeyboardInterrupt:
            job.cancel()
            raise Canceled("The job was canceled.") from None
        if last is not None and last.error is not None:
            raise rebuilt(last.error)
        if last is not None and last.state == "canceled":
            raise Canceled("The job was canceled.")
    except Exception as error:
        if file is not None:
            file.failed(_error_of(error))
        raise
    finally:
        if file is not None:
            file.forget_cancel()


def _error_of(error: Exception) -> F2HDRError:
    """Return the error itself, or one of F2HDR's for an unexpected exception."""
    if isinstance(error, F2HDRError):
        return error
    return F2HDRError(f"f2hdr submit failed with {type(error).__name__}: {error}.", hint="This is a bug in F2HDR.")


def _submitted(order: _Order, file: StatusFile | None) -> Job:
    """Submit while the status file is kept up to date. Raises Canceled if the user cancels meanwhile."""
    made: Future[Job] = Future()
    Thread(target=_submit_into, args=(made, order), daemon=True).start()
    with suppress(KeyboardInterrupt):
        while not wait({made}, timeout=POLL_S).done and not (file is not None and file.asks_to_cancel()):
            if file is not None:
                file.starting()
    if made.done():
        return made.result()
    made.add_done_callback(_cancel_made)
    raise Canceled("The job was canceled before it was submitted.")


def _submit_into(made: Future[Job], order: _Order) -> None:
    try:
        made.set_result(order.submit())
    except Exception as error:
        made.set_exception(error)


def _cancel_made(made: Future[Job]) -> None:
    if made.exception() is None:
        made.result().cancel()


def _watched(job: Job, file: StatusFile | None) -> Iterator[tuple[JobStatus, list[dict[str, Any]]]]:
    """Yield the job's state every POLL_S seconds until it ends, with the events since the last one."""
    after, canceling = 0, False
    while True:
        status, events, after = job.poll(after)
        if file is not None:
            file.update(status, events)
        yield status, events
        if status.is_over:
            return
        if file is not None and not canceling and file.asks_to_cancel():
            job.cancel()
            canceling = True
        time.sleep(POLL_S)


def _show(status: JobStatus, events: list[dict[str, Any]], as_json: bool) -> None:
    """Print events as JSON, or the job's message when something happened."""
    for event in events:
        if as_json and event["event"] not in ("error", "canceled"):
            print(json.dumps(event), flush=True)
        elif event["event"] == "warned":
            terminal.warn(event["message"])
    if events and not as_json and status.error is None:
        terminal.note(status.message)
