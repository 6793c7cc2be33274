"""A Shot as the command line that renders it."""

from __future__ import annotations

import dataclasses
import shlex
from typing import Any, Optional

from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange


def command_of(shot: Shot, first_frame: int, frames: Optional[FrameRange] = None) -> str:
    """Return ``f2hdr render ...`` for a POSIX shell: the plate, the output, and every setting that is not the default.

    ``first_frame`` is the first frame of the plate, to which ``--first-exposure`` refers.

    Raises DocumentError for settings without an option: exposures that deviate from the cycle, cuts, handles.
    """
    if (shot.exposures is not None and shot.exposures.exceptions) or shot.cuts or shot.handles:
        raise DocumentError(
            "Corrected exposures, cuts and handles have no command-line option.",
            hint="Save the Shot, and use: f2hdr render SHOT.json",
        )
    words = ["f2hdr", "render", shot.plate, "-o", shot.output.pattern or "hdr.####.exr"]
    wanted = frames or shot.frames
    if wanted is not None:
        words += ["--frames", str(wanted)]
    if shot.exposures is not None:
        words += ["--exposures", ",".join(f"{ev:g}" for ev in shot.exposures.cycle)]
        words += _first_exposure(shot.exposures, first_frame)
    for part, kind in ((shot.color, Color), (shot.engine, Engine), (shot.output, Output)):
        words += _changed(part, kind())
    return " ".join(shlex.quote(word) for word in words)


def _first_exposure(pattern: ExposurePattern, first_frame: int) -> list[str]:
    named = {pattern.lowest: "short", pattern.highest: "long"}
    ev = pattern.ev(first_frame)
    if ev not in named:
        raise DocumentError(
            f"The plate begins with an exposure of {ev:g} EV, which is neither the shortest nor the longest.",
            hint="Save the Shot, and use: f2hdr render SHOT.json",
        )
    return ["--first-exposure", named[ev]]


def _changed(part: Any, default: Any) -> list[str]:
    words = []
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if field.metadata.get("option", True) and value != getattr(default, field.name) and value is not None:
            if isinstance(value, bool):
                words.append(f"--{'' if value else 'no-'}{field.name.replace('_', '-')}")
                continue
            text = ",".join(f"{item}" for item in value) if isinstance(value, tuple) else str(value)
            words += [f"--{field.name.replace('_', '-')}", text]
    return words
