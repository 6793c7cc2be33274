"""Recognize a request whose frames are all rendered, from the record in their folder and without loading torch."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import time
from dataclasses import fields
from glob import glob
from pathlib import Path
from typing import Any

import f2hdr_backend
from f2hdr_backend.engine.digest import PIXELS_VERSION
from f2hdr_backend.engine.settle import frames_of
from f2hdr_backend.flow import estimators
from f2hdr_backend.image.frame import Plate, file_identity
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.image.write import read_header
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_backend.shot.events import (
    ColorSettled,
    Event,
    FrameSkipped,
    PlateMeasured,
    RenderFinished,
    RenderStarted,
    Warned,
)
from f2hdr_backend.shot.frames import FrameRange, Sequence
from f2hdr_backend.shot.paths import paths_in
from f2hdr_backend.shot.read_text import read_json
from f2hdr_backend.weights.manifest import entries

_KINDS: dict[str, type[Event]] = {"color_settled": ColorSettled, "plate_measured": PlateMeasured, "warned": Warned}


def record_path(pattern: str, frames: FrameRange) -> str:
    """Return ``hdr/sh010.1001-1010.f2hdr.json`` for frames 1001 to 1010 of ``hdr/sh010.####.exr``."""
    sequence = Sequence.parse(pattern)
    stem = f"{sequence.folder}/{sequence.prefix}" if sequence.folder else sequence.prefix
    return f"{stem}{frames.first}-{frames.last}.f2hdr.json"


def request_key(shot: Shot, plate: Plate, frames: FrameRange) -> str:
    """Return a SHA-256 of everything that the frames of a request depend on, before anything is measured.

    Empty where that cannot be known cheaply: OCIO configs and estimators of other packages read files of their own.

    Args:
        shot: as the user gave it, not settled.
        plate: the Shot's plate. All of its files count, because exposures are measured on all of them.
        frames: the frames to render.
    """
    color = shot.color
    if color.config or os.environ.get("OCIO") or shot.engine.flow not in ("auto", *estimators.names()):
        return ""
    facts = {
        "version": [f2hdr_backend.__version__, PIXELS_VERSION],
        "shot": shot.to_json(),
        "frames": str(frames),
        "plate": [plate.identity(number) for number in plate.frames],
        "color": [file_identity(named.path) for named in paths_in(color) if os.path.isfile(named.path)],
        "weights": [(entry.name, entry.sha256) for entry in entries()],
        "packages": sorted({path.name for folder in sys.path for path in Path(folder or ".").glob("*.dist-info")}),
        "machine": [platform.node(), platform.machine(), sorted(glob("/dev/nvidia*"))],
        "devices": os.environ.get("CUDA_VISIBLE_DEVICES", ""),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def finished_before(shot: Shot) -> list[Event]:
    """Return the events of a render in which every frame is skipped, or none if anything is left to do or unknown.

    The record must be that of the same request in the same installation, and every frame must have the digest that the
    record states. Otherwise the render itself determines what is left to do.

    Raises:
        ShotError, ImageError: from the plate.
    """
    began = time.monotonic()
    plate = open_plate(shot.plate, shot.layer)
    try:
        frames = frames_of(shot, plate)
        key = request_key(shot, plate, frames)
    finally:
        plate.close()
    path = record_path(shot.output.pattern, frames)
    if not key or not os.path.isfile(path):
        return []
    try:
        record = read_json(path)
        if record["request"] != key or not _all_there(shot, frames, record["digests"]):
            return []
        settled, warned = ([_event(each) for each in record[name]] for name in ("settled", "warnings"))
        started = _started(record["render"], len(frames))
    except (F2HDRError, KeyError, TypeError, AttributeError):
        return []
    output = Sequence.parse(shot.output.pattern)
    events: list[Event] = [*settled, started]
    events += [event for event in warned if isinstance(event, Warned) and event.frame is None]
    events += [FrameSkipped(frame, output.path(frame), done, len(frames)) for done, frame in enumerate(frames, 1)]
    return [*events, RenderFinished(0, len(frames), time.monotonic() - began)]


def _all_there(shot: Shot, frames: FrameRange, digests: dict[str, str]) -> bool:
    output = Sequence.parse(shot.output.pattern)
    paths = {str(frame): output.path(frame) for frame in frames}
    return all(os.path.isfile(path) for path in paths.values()) and all(
        read_header(path).get("f2hdr/digest") == digests[frame] for frame, path in paths.items()
    )


def _event(record: dict[str, Any]) -> Event:
    return _filled(_KINDS[record["event"]], record)


def _started(record: dict[str, Any], total: int) -> Event:
    return _filled(RenderStarted, {**record, "total": total, "done_before": total})


def _filled(kind: type[Event], record: dict[str, Any]) -> Event:
    """An event from its JSON, in which tuples are lists."""
    given = {field.name: record[field.name] for field in fields(kind) if field.name in record}
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})
