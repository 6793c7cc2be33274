"""A Shot with nothing left open, so that its chunks agree wherever they are rendered."""

from __future__ import annotations

import os
from dataclasses import replace

from f2hdr_backend.engine import settle
from f2hdr_backend.engine.layers import anchor_gain
from f2hdr_backend.engine.window import settled_exposures
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.events import Event
from f2hdr_backend.shot.frames import FrameRange


def prepare(shot: Shot) -> tuple[Shot, list[Event]]:
    """Settle exposures, cuts, color and frames, check the request, and make its paths absolute.

    A Shot that names no output stays without one. Returns the Shot and what a user should know.

    Raises:
        ShotError, ImageError: as ``Renderer.render`` before its first frame.
    """
    plate = open_plate(shot.plate)
    try:
        wanted = shot.frames or FrameRange(tuple(range(plate.frames.first, plate.frames.last + 1)))
        if shot.output.pattern:
            settle.check_request(shot, plate, wanted)
        shot, told = settle.settle(shot, plate, wanted)
        settle.check_windows(shot, plate, wanted)
        anchor_gain(shot.output.anchor, settled_exposures(shot))
    finally:
        plate.close()
    return _absolute(replace(shot, frames=wanted)), told


def _absolute(shot: Shot) -> Shot:
    """The Shot as any folder can read it; settling made the path of its color config absolute."""
    pattern = shot.output.pattern
    output = replace(shot.output, pattern=os.path.abspath(pattern) if pattern else "")
    return replace(shot, plate=os.path.abspath(shot.plate), output=output)
