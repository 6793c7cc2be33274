"""Lines that a task prints to standard output for an OpenJD scheduler: progress, status and failure.

Source: Open Job Description, "How Jobs Are Run", the stdout messages ``openjd_progress`` (0 to 100),
``openjd_status`` and ``openjd_fail``. A message is a single line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_backend.shot.events import (
    Event,
    FrameChecked,
    FrameDone,
    FrameSkipped,
    PlateMeasured,
    RenderFinished,
    RenderStarted,
    Warned,
)

_KINDS = (PlateMeasured, RenderStarted, FrameDone, FrameSkipped, Warned, RenderFinished)


def lines(event: Event) -> Iterator[str]:
    """Yield the lines of one event; a warning is plain text, which schedulers write to the task's log."""
    if isinstance(event, PlateMeasured):
        yield f"openjd_status: exposures {event.exposures}"
    elif isinstance(event, RenderStarted):
        yield f"openjd_status: {event.total} frames on {event.device}, {event.done_before} already done"
        yield "openjd_progress: 0"
    elif isinstance(event, (FrameDone, FrameSkipped)):
        verb = "done" if isinstance(event, FrameDone) else "was already done"
        yield f"openjd_status: frame {event.frame} {verb}, {event.done} of {event.total}"
        yield f"openjd_progress: {100 * event.done / event.total:.2f}"
    elif isinstance(event, FrameChecked):
        if event.problem:
            yield _one_line(f"frame {event.frame} is not correct: {event.problem}")
        yield f"openjd_progress: {100 * event.done / event.total:.2f}"
    elif isinstance(event, Warned):
        yield _one_line(f"warning: {event.message}")
    elif isinstance(event, RenderFinished):
        yield f"openjd_status: {event.rendered} frames in {event.seconds:.1f} s, {event.skipped} already done"


def lines_of(event_json: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of an event in the JSON form of the server; none for kinds that have no line."""
    for kind in _KINDS:
        if event_json["event"] == _name(kind):
            yield from lines(kind(**{field.name: event_json[field.name] for field in fields(kind)}))


def failure(error: F2HDRError) -> str:
    """Return the line with the error message for the scheduler."""
    return _one_line(f"openjd_fail: {error.code}: {error}")


def _name(kind: type[Event]) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def _one_line(text: str) -> str:
    return " ".join(text.split())
