"""The record of a render, beside its frames: the Shot as rendered, versions, timings, warnings."""

from __future__ import annotations

import json
import platform
from typing import Any

import torch

import f2hdr_backend
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
from f2hdr_backend.shot.frames import FrameRange, Sequence


class Record:
    """Collects what a render tells; a run that rendered nothing leaves the earlier record alone."""

    def __init__(self, shot: Shot, frames: FrameRange) -> None:
        """``shot`` is settled; ``frames`` are those asked for."""
        self._shot = shot
        self._frames = frames
        self._seconds: dict[int, float] = {}
        self._warnings: list[dict[str, Any]] = []
        self._settled: list[dict[str, Any]] = []
        self._facts: dict[str, Any] = {}

    def note(self, event: Event) -> None:
        """Take what belongs into the record from an event."""
        if isinstance(event, FrameDone):
            self._seconds[event.frame] = round(event.seconds, 3)
        elif isinstance(event, Warned):
            self._warnings.append(event.to_json())
        elif isinstance(event, (ColorSettled, PlateMeasured)):
            self._settled.append(event.to_json())
        elif isinstance(event, (RenderStarted, RenderFinished)):
            self._facts.update(event.to_json())

    def path(self) -> str:
        """``hdr/sh010.1001-1010.f2hdr.json`` for frames 1001 to 1010 of ``hdr/sh010.####.exr``."""
        sequence = Sequence.parse(self._shot.output.pattern)
        first, last = self._frames.first, self._frames.last
        stem = f"{sequence.folder}/{sequence.prefix}" if sequence.folder else sequence.prefix
        return f"{stem}{first}-{last}.f2hdr.json"

    def write(self) -> None:
        """Write it, whole or not at all; UnwritableFrame if that cannot be."""
        if not self._seconds:
            return
        facts = {name: value for name, value in self._facts.items() if name != "event"}
        document = {
            "shot": self._shot.to_json(),
            "frames": str(self._frames),
            "versions": {
                "f2hdr": f2hdr_backend.__version__,
                "torch": torch.__version__,
                "python": platform.python_version(),
            },
            "settled": self._settled,
            "render": facts,
            "seconds": self._seconds,
            "warnings": self._warnings,
        }
        write_file(self.path(), json.dumps(document, indent=1) + "\n")
