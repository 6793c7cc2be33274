"""What a verb does when a program or a farm runs it: lines to parse, and an orderly end when it is told to stop."""

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
from f2hdr_backend.shot.errors import Cancelled, F2HDRError
from f2hdr_backend.shot.events import Event


class Progress(StrEnum):
    """How a verb tells what it does."""

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


@contextmanager
def task(progress: Progress) -> Iterator[None]:
    """Run a verb's work so that SIGTERM stops it as Ctrl-C does, and an OpenJD scheduler learns why it failed."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except F2HDRError as error:
        if progress is Progress.OPENJD:
            say(openjd_lines.failure(error), sys.stdout)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def show_lines(events: Iterable[Event], progress: Progress) -> None:
    """Print events as lines, JSON or OpenJD's; what libraries print goes to standard error, so every line parses.

    Raises Cancelled when nobody reads the lines any more: a task whose worker was killed stops there.
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
    """Print a line at once. Raises Cancelled when nobody reads the lines any more."""
    try:
        print(line, file=output, flush=True)
    except BrokenPipeError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
        raise Cancelled("Nobody reads the progress any more.", hint="Start it again to go on.") from error
