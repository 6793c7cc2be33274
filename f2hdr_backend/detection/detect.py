"""Detects the exposure of every frame of a plate, from the file headers or else from the pixels, and cuts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from f2hdr_backend.detection.black import unevenness
from f2hdr_backend.detection.cadence import Cadence, Steps, find_cadence, with_exposures
from f2hdr_backend.detection.compare import PlateSteps, compared_frames
from f2hdr_backend.detection.confidence import (
    Verdict,
    exposure_pattern,
    judge_headers,
    judge_pixels,
    mostly_known,
    settled,
)
from f2hdr_backend.detection.contradiction import contradicted, reading
from f2hdr_backend.detection.cuts import find_cuts
from f2hdr_backend.detection.measure import DARKEST, Step
from f2hdr_backend.image.frame import Encoding, Plate, whole_range
from f2hdr_backend.shot.errors import ExposureError
from f2hdr_backend.shot.exposure import SMALLEST_STEP_EV, ExposurePattern
from f2hdr_backend.shot.frames import FrameRange

HINT = "Give them, for example with --exposures 0,3 --first-exposure short."
_DISAGREE_EV = 0.3
_CLEAR_ORDER_EV = 1.0
"""Difference in mean brightness (stops) that determines the order of frames without a common well-exposed range."""
_ORDER_TRUST = 0.8
_UNEVEN_EV = 0.15
"""Stops by which a step may vary over brightness; a black that was not found, or not entirely, makes it vary more."""
_LARGE_STEP_EV = 2.75
"""Steps in stops from which a lifted black changes the measured difference by more than rounding does."""
_NEAR_BLACK_EV = 3.5
"""Steps in stops from which the shorter exposure shows the scene close to black."""
_LEAST_COMMON_EV = 2.0
"""Range of brightness in stops that both exposures must show, so that a lifted black is noticed."""
_UNSURE = 0.7
"""Factor of the confidence if it would not be noticed: the result is at most 0.7."""
RENDERED_EXPOSURES = 2
"""Number of different exposures that a render supports (paper, section 3)."""


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


def detect(
    plate: Plate,
    *,
    frames: FrameRange | None = None,
    encoding: Encoding | None = None,
    cycle: Sequence[float] | None = None,
    darkest: float = DARKEST,
    progress: Callable[[int, int], None] | None = None,
) -> Detection:
    """Detect the exposure of every frame, cuts and dropped frames; reads every frame, a few frames of linear plates
    twice.

    ``frames`` defaults to the whole plate, ``encoding`` to that of the plate. With ``cycle`` (stops, one per frame of
    the cycle) only the positions of the frames are determined. Linear values below ``darkest``, relative to the clip
    level, are not compared. ``progress`` is called with the number of frames done
    and the total. Does not raise if detection fails: see ``require_pattern``.

    Raises MissingFrames, UnreadableFrame.
    """
    numbers = tuple(frames if frames is not None else whole_range(plate))
    plate.require(numbers)
    decoded_as = encoding or plate.default_encoding
    measured = compared_frames(plate, numbers, decoded_as, darkest, progress)
    pixels = _ordered(_steps_of(numbers, measured), measured, cycle)
    from_pixels = _found_in_pixels(pixels, cycle, measured.brightness)
    found = (_found_in_headers(plate, numbers) if cycle is None else None) or from_pixels
    cadence, notes = settled(found.cadence) if cycle is None else (with_exposures(found.cadence, cycle), ())
    exposures = [cadence.cycle[place] for place in cadence.places]
    cuts = tuple(numbers[index] for index in find_cuts(exposures, measured.alike))
    differing = _disagreement(cadence, from_pixels, decoded_as)
    believed = not found.verdict.reason
    pattern = exposure_pattern(cadence, numbers) if believed else None
    seen = None if from_pixels.verdict.reason else exposure_pattern(settled(from_pixels.cadence)[0], numbers)
    is_measured = believed and found.source == "pixels" and cycle is None
    black, factor = _black_note(measured) if is_measured else ("", 1.0)
    against = FrameRange(()) if pattern is None else contradicted(pattern, seen, numbers)
    return Detection(
        frames=numbers,
        pattern=pattern,
        confidence=1 - from_pixels.verdict.confidence if against else found.verdict.confidence * factor,
        source=found.source,
        cuts=cuts,
        dropped=tuple(number for number in cadence.breaks if believed and number not in cuts),
        levels=_levels(exposures, pixels, cuts),
        notes=((*notes, *filter(None, (black,)), *_doubts(pattern, seen, against), *differing) if believed else ()),
        reason=found.verdict.reason,
        pixels=seen,
        file_notes=measured.notes,
    )


def require_pattern(detection: Detection) -> ExposurePattern:
    """Return the detected pattern. Raises ExposureError, with the options to give the exposures, if there is none."""
    if detection.pattern is None:
        confidence = round(detection.confidence, 2)
        reason = f"The exposures could not be determined: {detection.reason}."
        raise ExposureError(reason, hint=HINT, confidence=confidence)
    return detection.pattern


def _black_note(measured: PlateSteps) -> tuple[str, float]:
    """Return a note about the black of a plate with measured exposures, or an empty text; and a factor of the
    confidence.
    """
    found = "" if measured.black is None else measured.black.note
    known = [step for step in measured.steps if not math.isnan(step.stops)]
    stops = float(np.median([abs(step.stops) for step in known])) if known else 0.0
    if stops < _LARGE_STEP_EV:
        return found, 1.0
    uneven = unevenness([step.levels for step in known if step.levels is not None])
    shared = float(np.median([step.common for step in known]))
    if uneven is None:
        note = "too few levels are well exposed in both exposures to find a lifted black"
    elif uneven > _UNEVEN_EV:
        note = f"the step between the exposures varies by {uneven:.2f} stops over brightness"
    elif shared < _LEAST_COMMON_EV and stops >= _NEAR_BLACK_EV and measured.black is None:
        note = f"only {shared:.1f} stops of brightness are well exposed in both exposures"
    else:
        return found, 1.0
    note = f"{note}; if black is lifted, the real difference between the exposures is larger"
    return "; ".join(filter(None, (found, note))), _UNSURE


@dataclass(frozen=True)
class _Found:
    cadence: Cadence
    verdict: Verdict
    source: str


def _found_in_pixels(steps: Steps, cycle: Sequence[float] | None, brightness: Sequence[float]) -> _Found:
    cadence = find_cadence(steps, None if cycle is None else len(cycle))
    unknowns = len(cadence.cycle) if cycle is None else 0
    verdict = judge_pixels(cadence, steps, unknowns)
    first = _first_by_order(brightness) if not mostly_known(steps) else ""
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


def _ordered(steps: Steps, measured: PlateSteps, cycle: Sequence[float] | None) -> Steps:
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


def _disagreement(given: Cadence, from_pixels: _Found, encoding: Encoding) -> tuple[str, ...]:
    """Return a note if the exposure ratio of the pixels differs from that given or read from headers.

    A curve that is a power of the decoded light scales every step: the pixels cannot tell it from other exposures.
    """
    stated, seen = (max(cadence.cycle) - min(cadence.cycle) for cadence in (given, from_pixels.cadence))
    if from_pixels.verdict.reason or abs(stated - seen) < _DISAGREE_EV:
        return ()
    note = f"the given exposures differ by {stated:.2f} stops; the measured ones by {seen:.2f}"
    if encoding == "gamma22":
        note += "; if the given ones are right, the curve is not gamma 2.2, and f2hdr response recovers it"
    return (note,)


def _doubts(pattern: ExposurePattern | None, seen: ExposurePattern | None, against: FrameRange) -> Iterator[str]:
    """Yield notes about headers that contradict the pixels, and about more exposures than a render supports."""
    if pattern is not None and seen is not None and against:
        yield f"the file headers state {reading(pattern, against)}, but the pixels show {reading(seen, against)}"
    different = len(set(pattern.cycle)) if pattern else 0
    if different > RENDERED_EXPOSURES:
        yield f"the plate has {different} exposures; render supports plates of {RENDERED_EXPOSURES}"


def _steps_of(numbers: tuple[int, ...], measured: PlateSteps) -> Steps:
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
