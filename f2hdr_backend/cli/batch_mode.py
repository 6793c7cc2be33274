"""Support for programs and farms: parseable lines on standard output, and a clean exit on SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from enum import StrEnum
from typing import Annotated, TextIO

import typer

from f2hdr_backend.farm import openjd_lines
from f2hdr_backend.shot.atomic import remove_unfinished
from f2hdr_backend.shot.errors import Canceled, F2HDRError
from f2hdr_backend.shot.events import Event


class Progress(StrEnum):
    """Format in which a verb reports its progress."""

    BAR = "bar"
    """For people, on standard error."""
    JSON = "json"
    """One event a line on standard output."""
    OPENJD = "openjd"
    """The lines of Open Job Description on standard output."""


AsJson = Annotated[bool, typer.Option("--json", help="One JSON event a line on standard output.")]
ProgressOption = Annotated[
    Progress, typer.Option("--progress", help="bar; json, as --json; or openjd, the lines that OpenJD schedulers read.")
]


_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def _stop(number: int, frame: object) -> None:
    for name in _SIGNALS:
        if signal.getsignal(name) != signal.SIG_IGN:
            signal.signal(name, _end)
    raise KeyboardInterrupt


def _end(number: int, frame: object) -> None:
    remove_unfinished()
    os._exit(Canceled.exit_code)


@contextmanager
def task(progress: Progress) -> Iterator[None]:
    """Run a verb's work: SIGTERM and SIGHUP stop it as Ctrl-C does; an OpenJD scheduler gets the reason of a failure.

    An ignored Ctrl-C, which background jobs of some shells inherit, stays ignored; SIGTERM stops them. The second
    signal ends the process at once; its temporary files are removed.
    """
    before = {name: signal.signal(name, _stop) for name in _SIGNALS if signal.getsignal(name) != signal.SIG_IGN}
    try:
        yield
    except F2HDRError as error:
        if progress is Progress.OPENJD:
            say(openjd_lines.failure(error), sys.stdout)
        raise
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def show_lines(events: Iterable[Event], progress: Progress) -> None:
    """Print events as lines of JSON or of OpenJD. Output of libraries goes to standard error, so that all lines parse.

    Raises Canceled when the reader is gone: a task whose worker was killed stops.
    """
    lines = openjd_lines.lines if progress is Progress.OPENJD else _json_lines
    output = sys.stdout
    with redirect_stdout(sys.stderr):
        for event in events:
            for line in lines(event):
                say(line, output)


def _json_lines(event: Event) -> Iterator[str]:
    yield json.dumps(event.to_json())


def say(line: str, output: TextIO) -> None:
    """Print a line and flush it. Raises Canceled when the reader is gone."""
    try:
        print(line, file=output, flush=True)
    except BrokenPipeError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
        raise Canceled("The program that read the progress has ended.", hint="Start it again to resume.") from error
