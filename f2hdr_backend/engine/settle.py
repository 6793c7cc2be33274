"""Settle a Shot: determine every setting that is left open once, before the first frame."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

from f2hdr_backend.color.curve import parse_curve
from f2hdr_backend.color.file_spaces import RESPONSE
from f2hdr_backend.color.plate import open_color, settle_color
from f2hdr_backend.detection.contradiction import contradicted, reading
from f2hdr_backend.detection.cuts import FARTHEST
from f2hdr_backend.detection.detect import Detection, detect, require_pattern
from f2hdr_backend.detection.measure import DARKEST
from f2hdr_backend.engine.request import check_request, check_windows
from f2hdr_backend.engine.window import settled_exposures
from f2hdr_backend.image.frame import Encoding, Plate, whole_range
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.response.fit import least_light
from f2hdr_backend.response.knee import settle_knee
from f2hdr_backend.response.plate import settle_response, tone_curve_note
from f2hdr_backend.shot.document import Color, Engine, Shot
from f2hdr_backend.shot.errors import ExposureError
from f2hdr_backend.shot.events import Event, PlateMeasured, Warned
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.paths import absolute
from f2hdr_backend.weights import store

Progress = Callable[[int, int], None]
"""Called with the number of frames measured and their total."""


def settle(shot: Shot, plate: Plate, frames: FrameRange) -> tuple[Shot, list[Event]]:
    """Determine the settings that the user left open: the plate's color, exposures and cuts.

    Given settings are not measured. Unknown exposures are measured on the whole plate, unknown cuts around ``frames``.
    Given exposures are compared with the pixels, unless the Shot was settled before.

    Raises:
        ColorError: a config or a color space is missing, invalid or unusable.
        ExposureError: exposures that could not be determined, or that contradict the pixels.
        MissingFrames, UnreadableFrame: the plate cannot be read.
    """
    wanted = shot.color
    color, events = settle_color(wanted, plate)
    given = shot.exposures
    if given is not None:
        color, reported = settle_response(wanted, color, plate, given)
        events += reported
    seen_before, known = is_settled(shot), given is not None and shot.cuts is not None
    shot = replace(shot, color=color, engine=_resolved(shot.engine))
    if seen_before:
        return shot, events
    span = None if given is None else _around(FrameRange((frames.first,)) if known else frames, plate)
    if span is not None and not span:  # the frames are missing, which check_windows reports
        return shot, events
    found = detect_light(shot.color, plate, span, given.cycle if given else None)
    found = found if given else _with_note(found, wanted, color, plate)
    pattern = given or require_pattern(found)
    contradiction = _check_contradiction(shot, found, pattern)
    if given is None and found.source == "metadata":
        color, reported = settle_response(wanted, color, plate, pattern)
        events += reported
    color, events = settle_knee(wanted, color, plate, pattern, events)
    shot = replace(shot, color=color, exposures=pattern, cuts=found.cuts if shot.cuts is None else shot.cuts)
    events += contradiction
    return shot, events if known else [*events, *_events_of(found, pattern, warn_dropped=given is None)]


def is_settled(shot: Shot) -> bool:
    """Return whether a Shot has all settings that are measured on its plate, as after ``prepare``."""
    return None not in (shot.exposures, shot.cuts, shot.color.clip_level) and shot.color.input_space != "auto"


def _resolved(engine: Engine) -> Engine:
    """Resolve ``auto`` in method and weights. Imports torch only if needed."""
    if engine.method == "merge" or "auto" not in (engine.method, engine.weights):
        return engine
    from f2hdr_backend.engine.method.quality import resolved

    return resolved(engine)


def settle_checked(
    shot: Shot, plate: Plate, frames: FrameRange, *, needs_output: bool = True
) -> tuple[Shot, list[Event]]:
    """Settle a Shot and raise an error, before any frame is rendered, if it cannot be rendered.

    Raises:
        ShotError, ImageError: see :func:`check_request`, :func:`settle` and :func:`check_windows`.
        ExposureError: the anchor is outside the shot's exposures.
    """
    if needs_output or shot.output.pattern:
        check_request(shot, plate, frames)
    shot, events = settle(shot, plate, frames)
    check_windows(shot, plate, frames)
    settled_exposures(shot).anchor_gain(shot.output.anchor)
    return shot, events


def check_early(shot: Shot) -> None:
    """Check everything that can be checked without decoding a frame and without torch.

    Raises the errors of :func:`check_request`, and WeightsError if the weights are not installed.
    """
    plate = open_plate(shot.plate, shot.layer)
    try:
        check_request(shot, plate, frames_of(shot, plate))
    finally:
        plate.close()
    if shot.engine.method != "merge" and shot.engine.weights != "auto":
        store.find(shot.engine.weights)


def frames_of(shot: Shot, plate: Plate | None = None) -> FrameRange:
    """Return the frames of a Shot: its own, or else all from the first to the last frame of its plate."""
    if shot.frames is not None:
        return shot.frames
    opened = plate or open_plate(shot.plate)
    try:
        return whole_range(opened)
    finally:
        if plate is None:
            opened.close()


def prepare(shot: Shot) -> tuple[Shot, list[Event]]:
    """Settle exposures, cuts, color and frames of a Shot, check the request, and make its paths absolute.

    Chunks of the settled Shot have the same pixels on every machine. The output pattern may be empty.

    Returns:
        The settled Shot, and the events to report to the user.

    Raises:
        ShotError, ImageError: as ``Renderer.render`` before its first frame.
    """
    plate = open_plate(shot.plate, shot.layer)
    try:
        wanted = frames_of(shot, plate)
        shot, events = settle_checked(shot, plate, wanted, needs_output=False)
    finally:
        plate.close()
    return absolute(replace(shot, frames=wanted)), events


def complete_exposures(shot: Shot, cycle: tuple[float, ...] | None, first: str | None) -> tuple[Shot, list[Event]]:
    """Add the given exposures to a Shot, and measure on the plate what is missing.

    Args:
        shot: a Shot with a plate.
        cycle: EVs of one cycle in stops; None to measure them.
        first: ``short`` or ``long``, the exposure of the plate's first frame; None to determine the phase from the
            pixels.

    Returns:
        The Shot, and events that describe the measurement; none if both were given.

    Raises:
        ExposureError: the exposures could not be determined, or the pixels contradict the given ones.
    """
    plate = open_plate(shot.plate, shot.layer)
    try:
        if cycle is not None and first is not None:
            return replace(shot, exposures=ExposurePattern.beginning(cycle, plate.frames.first, first)), []
        found = detect_light(shot.color, plate, cycle=cycle)
        pattern = require_pattern(found)
        if first is not None:
            pattern = ExposurePattern.beginning(pattern.cycle, plate.frames.first, first)
        contradiction = _check_contradiction(shot, found, pattern)
        cuts = found.cuts if shot.cuts is None else shot.cuts
        events = [*contradiction, *_events_of(found, pattern, warn_dropped=True)]
        return replace(shot, exposures=pattern, cuts=cuts), events
    finally:
        plate.close()


def _check_contradiction(shot: Shot, found: Detection, pattern: ExposurePattern) -> list[Event]:
    """Raise ExposureError if frames are long in the pixels and short in ``pattern``.

    If ``shot.trust_given`` is set, return a warning instead; about headers, the detection has one already.
    """
    against = contradicted(pattern, found.pixels, found.frames)
    if not against or found.pixels is None:
        return []
    source = "file headers" if pattern == found.pattern and found.source == "metadata" else "given exposures"
    message = f"The {source} state {reading(pattern, against)}; the pixels show {reading(found.pixels, against)}."
    if shot.trust_given:
        return [] if source == "file headers" else [Warned("exposures_doubtful", message)]
    raise ExposureError(
        message,
        hint="Correct --exposures and --first-exposure; a frame may be missing, or the headers one frame late. "
        "Use --trust-given to render with them anyway.",
        frames=against.frames,
    )


def _around(frames: FrameRange, plate: Plate) -> FrameRange:
    """Return the frames that cut detection needs around ``frames``; the range ends at missing frames."""
    there = set(plate.frames)
    before = itertools.takewhile(there.__contains__, range(frames.first - 1, frames.first - FARTHEST - 1, -1))
    after = itertools.takewhile(there.__contains__, range(frames.last + 1, frames.last + FARTHEST + 1))
    return FrameRange((*before, *(frame for frame in there if frames.first <= frame <= frames.last), *after))


def detect_light(
    color: Color,
    plate: Plate,
    frames: FrameRange | None = None,
    cycle: tuple[float, ...] | None = None,
    progress: Progress | None = None,
) -> Detection:
    """Measure exposures and cuts of a plate in any color space: see ``detection.detect``.

    Raises:
        ColorError: see ``color.plate.open_color``.
        MissingFrames, UnreadableFrame: the plate cannot be read.
    """
    wanted = color
    color, _ = settle_color(replace(color, clip_level=(1.0,)), plate)
    encoding: Encoding = "gamma22" if color.input_space == "gamma22" else "linear"
    light = open_color(color, plate).in_light(plate)
    darkest = DARKEST
    if color.input_space == RESPONSE:
        darkest = max(darkest, least_light(parse_curve(color.response)))
    found = detect(light, frames=frames, encoding=encoding, cycle=cycle, darkest=darkest, progress=progress)
    return found if cycle else _with_note(found, wanted, color, plate)


def _with_note(found: Detection, wanted: Color, color: Color, plate: Plate) -> Detection:
    """Add a note, and lower the confidence, if a tone curve distorts the measured exposures."""
    if found.pattern is None or found.source != "pixels":
        return found
    note, off = tone_curve_note(wanted, color, plate, found.pattern)
    if not note:
        return found
    return replace(found, notes=(*found.notes, note), confidence=found.confidence * max(0.3, 1 - off))


def _events_of(found: Detection, pattern: ExposurePattern, *, warn_dropped: bool) -> list[Event]:
    """Return the events that report the measurement of a plate to the user."""
    first = found.frames[0]
    exposures = f"{','.join(f'{ev:g}' for ev in pattern.cycle)} with frame {first} at {pattern.ev(first):+g} EV"
    events: list[Event] = [PlateMeasured(len(found.frames), exposures, found.confidence, found.cuts)]
    events += [Warned("exposures_doubtful", note) for note in found.notes]
    for frame in found.dropped if warn_dropped else ():
        message = f"The exposures skip or repeat a step before frame {frame}: a frame is missing or duplicated."
        events.append(Warned("dropped_frame", message, frame))
    return events
