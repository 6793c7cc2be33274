"""Detects the exposure of every frame of a plate, from the file headers or else from the pixels, and cuts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from f2hdr_backend.detection.black import lifted_note
from f2hdr_backend.detection.cadence import Cadence, Steps, find_cadence, with_exposures
from f2hdr_backend.detection.confidence import Verdict, exposure_pattern, judge_headers, judge_pixels, settled
from f2hdr_backend.detection.contradiction import contradicted, reading
from f2hdr_backend.detection.cuts import FARTHEST, find_cuts
from f2hdr_backend.detection.measure import (
    FrameMeasure,
    Step,
    likeness,
    measure_frame,
    step_between,
    thin,
    with_common_black,
)
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.frame import Encoding, Plate, PlateImage, whole_range
from f2hdr_backend.machine.container import usable_cpus
from f2hdr_backend.machine.read_ahead import read_each
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.shot.errors import ExposureError
from f2hdr_backend.shot.exposure import SMALLEST_STEP_EV, ExposurePattern
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.frames import Sequence as Pattern

HINT = "Give them, for example with --exposures 0,3 --first-exposure short."
_DISAGREE_EV = 0.3
_SAMPLED_FOR_WHITE = 8
_CLEAR_ORDER_EV = 1.0
"""Difference in mean brightness (stops) that determines the order of frames without a common well-exposed range."""
_ORDER_TRUST = 0.8
RENDERED_EXPOSURES = 2
"""Number of different exposures that a render supports (paper, section 3)."""
MOST_READERS = 4
"""Maximum number of frames read at the same time."""


@dataclass(frozen=True)
class Detection:
    """The detected exposures of a plate.

    ``pattern`` is None if it could not be determined, with the ``reason``. ``confidence`` is 0 to 1; ``source``
    "metadata" or "pixels". ``cuts`` are the first frames of new scenes; ``dropped`` the frames before which the cycle
    skips or repeats a step (the pattern's exceptions contain the exposures of later frames). ``levels`` is each frame's
    exposure as measured against its neighbors, in stops above the shortest (NaN if unknown). ``notes`` are remarks for
    the user.
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
    pixels: ExposurePattern | None = None
    """The pattern measured from the pixels alone; None if its confidence is too low."""
    file_notes: tuple[str, ...] = ()
    """Notes about the plate's files, such as files that were left out."""

    def to_json(self) -> dict[str, Any]:
        """Return all values as JSON types; unknown levels are null."""
        document = asdict(self)
        document["levels"] = [None if math.isnan(level) else round(level, 3) for level in self.levels]
        return document


@dataclass(frozen=True)
class _Measured:
    """Steps between consecutive frames, and the similarity of frames up to FARTHEST apart, by index."""

    steps: tuple[Step, ...]
    alike: dict[tuple[int, int], float]
    brightness: tuple[float, ...]
    """Mean luminance of each frame; 1.0 is the clip level."""


def detect(
    plate: Plate,
    *,
    frames: FrameRange | None = None,
    encoding: Encoding | None = None,
    cycle: Sequence[float] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Detection:
    """Detect the exposure of every frame, cuts and dropped frames; reads every frame, a few frames of linear plates
    twice.

    ``frames`` defaults to the whole plate, ``encoding`` to that of the plate. With ``cycle`` (stops, one per frame of
    the cycle) only the positions of the frames are determined. ``progress`` is called with the number of frames done
    and the total. Does not raise if detection fails: see ``require_pattern``.

    Raises MissingFrames, UnreadableFrame.
    """
    numbers = tuple(frames if frames is not None else whole_range(plate))
    plate.require(numbers)
    file_notes: dict[str, None] = {}
    measures = _measures(plate, numbers, encoding or plate.default_encoding, file_notes)
    measured = _measured(measures, len(numbers), progress)
    pixels = _ordered(_steps_of(numbers, measured), measured, cycle)
    from_pixels = _found_in_pixels(pixels, cycle, measured.brightness)
    found = (_found_in_headers(plate, numbers) if cycle is None else None) or from_pixels
    cadence, notes = settled(found.cadence) if cycle is None else (with_exposures(found.cadence, cycle), ())
    exposures = [cadence.cycle[place] for place in cadence.places]
    cuts = tuple(numbers[index] for index in find_cuts(exposures, measured.alike))
    believed = not found.verdict.reason
    pattern = exposure_pattern(cadence, numbers) if believed else None
    seen = None if from_pixels.verdict.reason else exposure_pattern(settled(from_pixels.cadence)[0], numbers)
    lifted = lifted_note([step.black for step in measured.steps if not math.isnan(step.stops)])
    against = FrameRange(()) if pattern is None else contradicted(pattern, seen, numbers)
    return Detection(
        frames=numbers,
        pattern=pattern,
        confidence=1 - from_pixels.verdict.confidence if against else found.verdict.confidence,
        source=found.source,
        cuts=cuts,
        dropped=tuple(number for number in cadence.breaks if believed and number not in cuts),
        levels=_levels(exposures, pixels, cuts),
        notes=(*notes, *lifted, *_doubts(pattern, seen, against), *_disagreement(cadence, from_pixels))
        if believed
        else (),
        reason=found.verdict.reason,
        pixels=seen,
        file_notes=tuple(file_notes),
    )


def require_pattern(detection: Detection) -> ExposurePattern:
    """Return the detected pattern. Raises ExposureError, with the options to give the exposures, if there is none."""
    if detection.pattern is None:
        confidence = round(detection.confidence, 2)
        reason = f"The exposures could not be determined: {detection.reason}."
        raise ExposureError(reason, hint=HINT, confidence=confidence)
    return detection.pattern


@dataclass(frozen=True)
class _Found:
    cadence: Cadence
    verdict: Verdict
    source: str


def _found_in_pixels(steps: Steps, cycle: Sequence[float] | None, brightness: Sequence[float]) -> _Found:
    cadence = find_cadence(steps, None if cycle is None else len(cycle))
    unknowns = len(cadence.cycle) if cycle is None else 0
    verdict = judge_pixels(cadence, steps, unknowns)
    first = _first_by_order(brightness) if np.isnan(steps.stops).all() else ""
    if first:
        more = f"every second frame is much darker, and the first one is {first}; give the exposure difference"
        verdict = Verdict(verdict.confidence, f"{verdict.reason}; {more} (--exposures 0,X)")
    return _Found(cadence, verdict, "pixels")


def _first_by_order(brightness: Sequence[float]) -> str:
    """Return ``short`` or ``long`` for the first frame if all frames clearly alternate in brightness, or an empty
    text.
    """
    rises = np.diff(np.log2(np.maximum(brightness, 1e-6)))
    if len(rises) < 2 or np.abs(rises).min() < _CLEAR_ORDER_EV or (rises[1:] * rises[:-1] > 0).any():
        return ""
    return "short" if rises[0] > 0 else "long"


def _ordered(steps: Steps, measured: _Measured, cycle: Sequence[float] | None) -> Steps:
    """Return steps of the given size if none could be measured, but the order of short and long is clear."""
    if cycle is None or len(cycle) != 2 or not len(steps.stops) or not np.isnan(steps.stops).all():
        return steps
    first = _first_by_order(measured.brightness)
    if not first:
        return steps
    size = abs(cycle[1] - cycle[0]) * (1 if first == "short" else -1)
    alternating = np.where(np.arange(len(steps.stops)) % 2 == 0, size, -size)
    return Steps(steps.numbers, alternating, np.full(len(steps.stops), _ORDER_TRUST))


def _found_in_headers(plate: Plate, numbers: tuple[int, ...]) -> _Found | None:
    """Return the exposures in the file headers, if all files state one and they alternate, or None."""
    reported = plate.exposure_metadata()
    if reported is None or len(numbers) < 2:
        return None
    stops = np.diff([reported[number] for number in numbers])
    steps = Steps(numbers, stops, np.ones(len(stops)))
    cadence = find_cadence(steps, closest=SMALLEST_STEP_EV)
    verdict = judge_headers(cadence, steps)
    return None if verdict.reason else _Found(cadence, verdict, "metadata")


def _disagreement(given: Cadence, from_pixels: _Found) -> tuple[str, ...]:
    """Return a note if the exposure ratio of the pixels differs from that given or read from headers."""
    stated, seen = (max(cadence.cycle) - min(cadence.cycle) for cadence in (given, from_pixels.cadence))
    if from_pixels.verdict.reason or abs(stated - seen) < _DISAGREE_EV:
        return ()
    return (f"the given exposures differ by {stated:.2f} stops; the measured ones by {seen:.2f}",)


def _doubts(pattern: ExposurePattern | None, seen: ExposurePattern | None, against: FrameRange) -> Iterator[str]:
    """Yield notes about headers that contradict the pixels, and about more exposures than a render supports."""
    if pattern is not None and seen is not None and against:
        yield f"the file headers state {reading(pattern, against)}, but the pixels show {reading(seen, against)}"
    different = len(set(pattern.cycle)) if pattern else 0
    if different > RENDERED_EXPOSURES:
        yield f"the plate has {different} exposures; render supports plates of {RENDERED_EXPOSURES}"


def _steps_of(numbers: tuple[int, ...], measured: _Measured) -> Steps:
    trust = [_trust(step, measured.alike[index, index + 1]) for index, step in enumerate(measured.steps)]
    return Steps(numbers, np.array([step.stops for step in measured.steps]), np.array(trust))


def _trust(step: Step, alike: float) -> float:
    """Return the reliability of a step, 0 to 1: it grows with the share of levels that are well exposed in both frames,
    and with the similarity of the frames or of the levels.
    """
    if math.isnan(step.stops):
        return 0.0
    same_scene = max(min(max((alike - 0.1) / 0.3, 0.0), 1.0), math.exp(-step.spread / 0.15))
    return same_scene * step.coverage / (step.coverage + 0.015)


def _levels(exposures: Sequence[float], steps: Steps, cuts: tuple[int, ...]) -> tuple[float, ...]:
    """Return each frame's exposure from its neighbors' exposures and the measured steps; steps across cuts are not
    used.
    """
    stops = np.where(np.isin(steps.numbers[1:], cuts), math.nan, steps.stops)
    levels = []
    for index in range(len(exposures)):
        reported = [exposures[index - 1] + stops[index - 1]] if index > 0 else []
        reported += [exposures[index + 1] - stops[index]] if index + 1 < len(exposures) else []
        known = [level for level in reported if not math.isnan(level)]
        levels.append(float(np.mean(known)) if known else math.nan)
    return tuple(levels)


def _measures(
    plate: Plate, numbers: tuple[int, ...], encoding: Encoding, notes: dict[str, None]
) -> Iterator[FrameMeasure]:
    """Yield the measures of all frames in order; some are read ahead. ``notes`` receives the notes of the files."""
    white = np.float32(_white(plate, numbers) if encoding == "linear" else 1.0)
    readers = min(MOST_READERS, usable_cpus()) if Pattern.is_pattern(plate.name) else 1  # movies are read in order

    def measured(number: int) -> FrameMeasure:
        image = plate.read(number)
        notes.update(dict.fromkeys(image.notes))
        return measure_frame(number, _light(image, encoding) / white)

    return read_each(measured, numbers, readers)


def _light(image: PlateImage, encoding: Encoding) -> FloatArray:
    pixels = np.maximum(thin(image.pixels), 0)
    return pixels if encoding == "linear" else pixels ** np.float32(GAMMA)


def _white(plate: Plate, numbers: tuple[int, ...]) -> float:
    """Return the clip level of a linear plate: the highest 99.9th percentile of a few consecutive frames."""
    middle = max(0, len(numbers) // 2 - _SAMPLED_FOR_WHITE // 2)
    sampled = numbers[middle : middle + _SAMPLED_FOR_WHITE]
    white = max(float(np.percentile(_light(plate.read(number), "linear"), 99.9)) for number in sampled)
    return white if white > 0 else 1.0


def _measured(measures: Iterator[FrameMeasure], total: int, progress: Callable[[int, int], None] | None) -> _Measured:
    """Compare each frame with the previous ones; only the last few are kept in memory."""
    steps: list[Step] = []
    alike: dict[tuple[int, int], float] = {}
    brightness: list[float] = []
    recent: list[FrameMeasure] = []
    for index, measure in enumerate(measures):
        for before, earlier in enumerate(recent, start=index - len(recent)):
            rough = step_between(earlier, measure).stops
            alike[before, index], shift = likeness(earlier, measure, rough)
            if before == index - 1:
                steps.append(step_between(earlier, measure, shift))
        recent = [*recent[-FARTHEST + 1 :], measure]
        brightness.append(float(measure.thumb.mean()))
        if progress is not None:
            progress(index + 1, total)
    return _Measured(with_common_black(steps), alike, tuple(brightness))
