"""Output of verbs on standard error: notes, progress bars and counts."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from f2hdr_backend.shot.printable import escaped

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn

T = TypeVar("T")

_quiet = False
_json = False


def be_quiet(quiet: bool) -> None:
    """Hide notes and progress from now on (``-q``), or show them. Warnings, errors and results are always written."""
    global _quiet
    _quiet = quiet


def want_json(wanted: bool) -> None:
    """Store whether the user requested JSON, so that an error is an event too."""
    global _json
    _json = wanted


def wants_json() -> bool:
    """Return whether the user requested JSON."""
    return _json


def be_verbose() -> None:
    """Write the log to standard error too: ``-v``."""
    logger = logging.getLogger("f2hdr")
    logger.setLevel(logging.DEBUG)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    handler.addFilter(lambda record: not hasattr(record, "is_printed"))
    logger.addHandler(handler)


def note(text: str) -> None:
    """Write a line that ``-q`` hides."""
    if not _quiet:
        print(escaped(text), file=sys.stderr, flush=True)


def show(text: str) -> None:
    """Write a result to standard output; control characters of names in it are escaped."""
    print(escaped(text), flush=True)


def warn(text: str) -> None:
    """Write a warning, with ``-q`` too."""
    logging.getLogger("f2hdr").info("warning: %s", text, extra={"is_printed": True})
    print(f"warning: {escaped(text)}", file=sys.stderr, flush=True)


def console() -> Console:
    """Return the console on standard error that bars are drawn on; with ``-q`` it draws nothing."""
    from rich.console import Console

    return Console(stderr=True, quiet=_quiet)


def bars(*columns: ProgressColumn) -> Progress:
    """Return rich's progress bars for standard error; they leave no line, and only a terminal shows them."""
    from rich.progress import Progress

    shown = console()
    return Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal)


def track(items: Iterable[T], label: str, total: int) -> Iterator[T]:
    """Yield ``items`` and show on a bar how many of ``total`` are done; the bar appears with the first item."""
    from rich.progress import track as tracked

    iterator, shown = iter(items), console()
    for first in iterator:
        yield from tracked(_chain(first, iterator), label, total, console=shown, transient=shown.is_terminal)


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show activity of unknown duration; only on a terminal."""
    with console().status(text):
        yield


def duration(seconds: float) -> str:
    """Return a time that is an estimate, with two digits: ``0.85 s``, ``28 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.2g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def count(number: int, thing: str) -> str:
    """Return a number with its noun: ``1 frame``, ``2 frames``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _chain(first: T, rest: Iterator[T]) -> Iterator[T]:
    yield first
    yield from rest
