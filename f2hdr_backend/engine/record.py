"""The record of a render in its output folder: the Shot as rendered, its request, versions, timings, warnings."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import f2hdr_backend
from f2hdr_backend.engine.rerun import record_path
from f2hdr_backend.image.frame import unreadable
from f2hdr_backend.shot.atomic import write_file
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.events import (
    ColorSettled,
    Event,
    FrameDone,
    PlateMeasured,
    RenderFinished,
    RenderStarted,
    Warned,
)
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.safe_open import open_file

_HEADER_BYTES = 2**20
"""Bytes at the start of a file in which its header is."""


def wrote(path: str) -> bool:
    """Return whether F2HDR wrote a file, by its header, also if it is damaged. Raises UnreadableFrame."""
    try:
        with open_file(path) as file:
            return b"f2hdr/digest" in file.read(_HEADER_BYTES)
    except OSError as error:
        raise unreadable(path, error.strerror or str(error), "Check the path and the permissions.") from error


class Record:
    """Collects the events of a render. A run that renders no frame leaves an existing record unchanged."""

    def __init__(self, shot: Shot, frames: FrameRange, request: str = "") -> None:
        """``shot`` is settled; ``frames`` are the requested ones; ``request`` is their ``rerun.request_key``."""
        self._shot = shot
        self._frames = frames
        self._request = request
        self._seconds: dict[int, float] = {}
        self._warnings: list[dict[str, Any]] = []
        self._settled: list[dict[str, Any]] = []
        self._facts: dict[str, Any] = {}

    def note(self, event: Event) -> None:
        """Add an event to the record."""
        if isinstance(event, FrameDone):
            self._seconds[event.frame] = round(event.seconds, 3)
        elif isinstance(event, Warned):
            self._warnings.append(event.to_json())
        elif isinstance(event, (ColorSettled, PlateMeasured)):
            self._settled.append(event.to_json())
        elif isinstance(event, (RenderStarted, RenderFinished)):
            self._facts.update(event.to_json())

    def write(self, digests: Mapping[int, str] | None = None) -> None:
        """Write the record atomically, with the digest of every frame. Raises UnwritableFrame if that fails."""
        if not self._seconds:
            return
        facts = {name: value for name, value in self._facts.items() if name != "event"}
        document = {
            "shot": self._shot.to_json(),
            "frames": str(self._frames),
            "versions": {
                "f2hdr": f2hdr_backend.__version__,
                "torch": version("torch"),
                "python": platform.python_version(),
            },
            "request": self._request,
            "digests": digests or {},
            "settled": self._settled,
            "render": facts,
            "seconds": self._seconds,
            "warnings": self._warnings,
        }
        write_file(record_path(self._shot.output.pattern, self._frames), json.dumps(document, indent=1) + "\n")
