"""Which exposure every frame of a plate has: from the file headers, else from the pixels; and where the shot is cut."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from f2hdr_backend.detection.cadence import Cadence, Steps, find_cadence, with_exposures
from f2hdr_backend.detection.cuts import FARTHEST, find_cuts
from f2hdr_backend.detection.measure import (
    FrameMeasure,
    Step,
    likeness,
    measure_frame,
    step_between,
    thin,
)
from f2hdr_backend.detection.verdict import Verdict, exposure_pattern, judge_headers, judge_pixels, settled
from f2hdr_backend.image.frame import Encoding, FloatArray, Plate
from f2hdr_backend.machine.container import usable_cpus
from f2hdr_backend.machine.read_ahead import read_each
from f2hdr_backend.shot.errors import ExposureError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.frames import Sequence as Pattern

HINT = "Give them yourself, like --exposures 0,3 --first-exposure short."
_DISAGREE_EV = 0.3
_GAMMA = np.float32(2.2)
_SAMPLED_FOR_WHITE = 8
MOST_READERS = 4
"""Frames that are read at a time, at most."""


@dataclass(frozen=True)
class Detection:
    """What was found about a plate's exposures.

    ``pattern`` is None if ``reason`` says why none could be told. ``confidence`` is 0 to 1; ``source`` "metadata" or
    "pixels". ``cuts`` are frames that begin a new scene; ``dropped`` frames before which the cycle skips or repeats a
    step (the pattern's exceptions give the frames behind it their exposures). ``levels`` is each frame's exposure as
    measured against its neighbors, in stops above the shortest (NaN if unknown). ``notes`` say what a user should know.
    """

    frames: tuple[int, ...]
    pattern: ExposurePattern | None
    confidence: float
    source: str
    cuts: tuple[int, ...]
    dropped: tuple[int, ...]
    levels: tuple[float, ...]
    notes: tuple[str, ...] = ()
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON types; unknown levels are null."""
        document = asdict(self)
        document["levels"] = [None if math.isnan(level) else round(level, 3) for level in self.levels]
        return document


@dataclass(frozen=True)
class _Measured:
    """Steps between successive frames, and the likeness of frames up to FARTHEST apart, by index."""

    steps: tuple[Step, ...]
    alike: dict[tuple[int, int], float]


def detect(
    plate: Plate,
    *,
    frames: FrameRange | None = None,
    encoding: Encoding | None = None,
    cycle: Sequence[float] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Detection:
    """Find the exposure of every frame, cuts and dropped frames; reads every frame, a few of linear plates twice.

    ``frames`` defaults to the whole plate, ``encoding`` to the plate's own. With ``cycle`` (stops, one a frame of the
    cycle) the exposures are taken as given and only their places are found. ``progress`` is called with the number of
    frames done and the total. Never raises for what the pixels say: see ``require_pattern``.

    Raises MissingFrames, UnreadableFrame.
    """
    numbers = tuple(frames if frames is not None else range(plate.frames.first, plate.frames.last + 1))
    plate.require(numbers)
    measured = _measured(_measures(plate, numbers, encoding or plate.default_encoding), len(numbers), progress)
    pixels = _steps_of(numbers, measured)
    from_pixels = _found_in_pixels(pixels, cycle)
    found = (_found_in_headers(plate, numbers) if cycle is None else None) or from_pixels
    cadence, notes = settled(found.cadence) if cycle is None else (with_exposures(found.cadence, cycle), ())
    exposures = [cadence.cycle[place] for place in cadence.places]
    cuts = tuple(numbers[index] for index in find_cuts(exposures, measured.alike))
    believed = not found.verdict.reason
    return Detection(
        frames=numbers,
        pattern=exposure_pattern(cadence, numbers) if believed else None,
        confidence=found.verdict.confidence,
        source=found.source,
        cuts=cuts,
        dropped=tuple(number for number in cadence.breaks if believed and number not in cuts),
        levels=_levels(exposures, pixels, cuts),
        notes=(*notes, *_disagreement(cadence, from_pixels)) if believed else (),
        reason=found.verdict.reason,
    )


def require_pattern(detection: Detection) -> ExposurePattern:
    """Return the pattern that was found. Raises ExposureError with the way to give it by hand if there is none."""
    if detection.pattern is None:
        raise ExposureError(
            f"The exposures cannot be told: {detection.reason}.", hint=HINT, confidence=round(detection.confidence, 2)
        )
    return detection.pattern


@dataclass(frozen=True)
class _Found:
    cadence: Cadence
    verdict: Verdict
    source: str


def _found_in_pixels(steps: Steps, cycle: Sequence[float] | None) -> _Found:
    cadence = find_cadence(steps, None if cycle is None else len(cycle))
    unknowns = len(cadence.cycle) if cycle is None else 0
    return _Found(cadence, judge_pixels(cadence, steps, unknowns), "pixels")


def _found_in_headers(plate: Plate, numbers: tuple[int, ...]) -> _Found | None:
    """What the file headers say, if all of them tell an exposure and these alternate."""
    told = plate.exposure_metadata()
    if told is None or len(numbers) < 2:
        return None
    stops = np.diff([told[number] for number in numbers])
    steps = Steps(numbers, stops, np.ones(len(stops)))
    cadence = find_cadence(steps)
    verdict = judge_headers(cadence, steps)
    return None if verdict.reason else _Found(cadence, verdict, "metadata")


def _disagreement(told: Cadence, from_pixels: _Found) -> tuple[str, ...]:
    """A note if pixels, believed by themselves, contradict the exposures that were given or stand in file headers."""
    said, seen = (max(cadence.cycle) - min(cadence.cycle) for cadence in (told, from_pixels.cadence))
    if from_pixels.verdict.reason or abs(said - seen) < _DISAGREE_EV:
        return ()
    return (f"the exposures are said to differ by {said:.2f} stops, the pixels by {seen:.2f}",)


def _steps_of(numbers: tuple[int, ...], measured: _Measured) -> Steps:
    trust = [_trust(step, measured.alike[index, index + 1]) for index, step in enumerate(measured.steps)]
    return Steps(numbers, np.array([step.stops for step in measured.steps]), np.array(trust))


def _trust(step: Step, alike: float) -> float:
    """0 to 1: more the more levels are well exposed in both frames, and if they show one scene or levels agree."""
    if math.isnan(step.stops):
        return 0.0
    same_scene = max(min(max((alike - 0.1) / 0.3, 0.0), 1.0), math.exp(-step.spread / 0.15))
    return same_scene * step.coverage / (step.coverage + 0.015)


def _levels(exposures: Sequence[float], steps: Steps, cuts: tuple[int, ...]) -> tuple[float, ...]:
    """Each frame's exposure as its neighbors' exposures and the steps from and to them say, but none over a cut."""
    stops = np.where(np.isin(steps.numbers[1:], cuts), math.nan, steps.stops)
    levels = []
    for index in range(len(exposures)):
        told = [exposures[index - 1] + stops[index - 1]] if index > 0 else []
        told += [exposures[index + 1] - stops[index]] if index + 1 < len(exposures) else []
        known = [level for level in told if not math.isnan(level)]
        levels.append(float(np.mean(known)) if known else math.nan)
    return tuple(levels)


def _measures(plate: Plate, numbers: tuple[int, ...], encoding: Encoding) -> Iterator[FrameMeasure]:
    """The measures of all frames, in order; some are read and measured ahead."""
    white = np.float32(_white(plate, numbers) if encoding == "linear" else 1.0)
    readers = min(MOST_READERS, usable_cpus()) if Pattern.is_pattern(plate.name) else 1  # movies run in order

    def measured(number: int) -> FrameMeasure:
        return measure_frame(number, _light(plate, number, encoding) / white)

    return read_each(measured, numbers, readers)


def _light(plate: Plate, number: int, encoding: Encoding) -> FloatArray:
    pixels = np.maximum(thin(plate.read(number).pixels), 0)
    return pixels if encoding == "linear" else pixels**_GAMMA


def _white(plate: Plate, numbers: tuple[int, ...]) -> float:
    """The value where a linear plate clips: the greatest 99.9th percentile of a few successive frames."""
    middle = max(0, len(numbers) // 2 - _SAMPLED_FOR_WHITE // 2)
    sampled = numbers[middle : middle + _SAMPLED_FOR_WHITE]
    white = max(float(np.percentile(_light(plate, number, "linear"), 99.9)) for number in sampled)
    return white if white > 0 else 1.0


def _measured(measures: Iterator[FrameMeasure], total: int, progress: Callable[[int, int], None] | None) -> _Measured:
    """Compare each frame with those before it; only the last few are held."""
    steps: list[Step] = []
    alike: dict[tuple[int, int], float] = {}
    recent: list[FrameMeasure] = []
    for index, measure in enumerate(measures):
        for before, earlier in enumerate(recent, start=index - len(recent)):
            rough = step_between(earlier, measure).stops
            alike[before, index], shift = likeness(earlier, measure, rough)
            if before == index - 1:
                steps.append(step_between(earlier, measure, shift))
        recent = [*recent[-FARTHEST + 1 :], measure]
        if progress is not None:
            progress(index + 1, total)
    return _Measured(tuple(steps), alike)
