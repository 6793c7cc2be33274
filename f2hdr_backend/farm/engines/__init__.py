"""Engines of ``f2hdr farm run``: one module each, found by its name.

A module ``my_engine`` is offered as ``my-engine``. It defines ``HELP``, a phrase for ``--help``, and
``run(job, setup)``, which renders the job and yields its events.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

from f2hdr_backend.farm.job import FarmJob, Site
from f2hdr_backend.shot.document import Engine, Shot
from f2hdr_backend.shot.events import Event


@dataclass(frozen=True)
class Setup:
    """Where a job runs, and what an engine calls of F2HDR."""

    site: Site
    workers: int
    """Processes to start on this machine."""
    open_renderer: Callable[[Engine], Any]
    """Opens ``engine.renderer.Renderer``; a function of a module that workers can import."""
    verify: Callable[[Shot], Iterator[Event]]
    """Checks all frames of a Shot after the last one is written."""
    scheduler: str = ""
    """Address of a running scheduler; empty to start one."""
    rules: str = ""
    """Path mapping rules file."""


class RunEngine(Protocol):
    """What a module of this package defines."""

    HELP: str

    def run(self, job: FarmJob, setup: Setup) -> Iterator[Event]:
        """Render every chunk, try failed chunks again, and check all frames. Raises F2HDRError."""
        ...


def names() -> tuple[str, ...]:
    """Return the names of all engines, as users type them."""
    return tuple(sorted(found.name.replace("_", "-") for found in pkgutil.iter_modules(__path__)))


def engine(name: str) -> RunEngine:
    """Return an engine of ``names``."""
    return cast(RunEngine, importlib.import_module(f"{__name__}.{name.replace('-', '_')}"))
