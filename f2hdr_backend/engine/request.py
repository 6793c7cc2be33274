"""Checks of a request before a frame is read."""

from __future__ import annotations

import os
from collections.abc import Iterator

from f2hdr_backend.detection.detect import RENDERED_EXPOSURES
from f2hdr_backend.engine.window import window_of
from f2hdr_backend.image.frame import Plate
from f2hdr_backend.shot.device_names import device_names
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import DocumentError, ExposureError, ShotError
from f2hdr_backend.shot.frames import FrameRange, Sequence


def check_request(shot: Shot, plate: Plate, frames: FrameRange) -> None:
    """Check a request before any frame is read.

    Raises:
        ShotError: frames outside the plate, or an output that would overwrite the plate.
        DocumentError: no output pattern, or one that is not an EXR sequence.
        ExposureError: exposures that the method cannot use.
        DeviceUnavailable: a name that is not that of a device.
    """
    device_names(shot.engine.device)
    outside = FrameRange(tuple(frame for frame in frames if not plate.frames.first <= frame <= plate.frames.last))
    if outside:
        raise ShotError(
            f"The frames {outside} are outside the plate {shot.plate}, which has frames {plate.frames}.",
            hint="Choose --frames within the plate.",
            frames=outside.frames,
        )
    _check_output(shot, plate, frames)
    _check_exposures(shot)


def check_windows(shot: Shot, plate: Plate, frames: FrameRange) -> None:
    """Check that the plate has all frames that the windows of a settled Shot need; MissingFrames lists those it
    lacks.
    """
    _check_exposures(shot)
    plate.require(sorted({number for frame in frames for number in window_of(frame, shot, plate.frames).frames}))


def _check_exposures(shot: Shot) -> None:
    pattern = shot.exposures
    if pattern is None:
        return
    steps = ",".join(f"{ev:g}" for ev in pattern.cycle)
    if len(pattern.cycle) == 1:
        raise ExposureError(f"The exposures {steps} do not alternate.", hint="Give --exposures 0,3, for example.")
    if len(set(pattern.cycle)) > RENDERED_EXPOSURES:
        different = len(set(pattern.cycle))
        raise ExposureError(
            f"The exposures {steps} have {different} different values; render supports {RENDERED_EXPOSURES}.",
            hint="Render a plate that alternates between two exposures.",
        )


def _check_output(shot: Shot, plate: Plate, frames: FrameRange) -> None:
    if not shot.output.pattern:
        raise DocumentError("The Shot has no output pattern.", hint="Give -o hdr/shot.####.exr.", field="output")
    sequence = Sequence.parse(shot.output.pattern)
    if not sequence.path(frames.first).lower().endswith(".exr"):
        raise DocumentError(
            f"The output {shot.output.pattern} is not an EXR sequence.",
            hint="Use a pattern that ends in .exr.",
            field="output",
        )
    targets = {os.path.realpath(sequence.path(frame)) for frame in frames}
    for source in _files(shot, plate):
        if os.path.realpath(source) in targets:
            raise ShotError(
                f"The output {shot.output.pattern} would overwrite the plate {shot.plate}.",
                hint="Choose another folder or file name.",
            )


def _files(shot: Shot, plate: Plate) -> Iterator[str]:
    """Return the paths of the plate's files."""
    if not Sequence.is_pattern(shot.plate):
        yield shot.plate
        return
    sequence = Sequence.parse(shot.plate)
    for frame in plate.frames:
        yield sequence.path(frame)
