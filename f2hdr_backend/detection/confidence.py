"""Confidence of a detected cadence, and its exposure pattern."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from f2hdr_backend.detection.cadence import LONGEST_CYCLE, Cadence, Steps, find_cadence
from f2hdr_backend.shot.exposure import SMALLEST_STEP_EV, ExposurePattern

CONFIDENCE_LIMIT = 0.6
"""Minimum confidence of a pattern."""
SMALLEST_RATIO_EV = 0.5
"""Minimum exposure difference in stops; a smaller one may be caused by a flickering light source."""
SNAP_EV = 0.04
"""Maximum distance in stops at which a measured step is rounded to thirds, in which cameras are set."""
_HEADERS_EXPLAINED = 0.9
_LONGEST_NAMED = 12
"""Longest cycle in frames that is searched to describe it in the message; it is not supported."""
_FITS = 0.5
"""Maximum mean cost per step of a cycle that explains the steps."""


@dataclass(frozen=True)
class Verdict:
    """``confidence`` is 0 to 1; ``reason`` is empty, or states why the cadence is not accepted."""

    confidence: float
    reason: str = ""


def judge_pixels(cadence: Cadence, steps: Steps, unknowns: int) -> Verdict:
    """Return the confidence of a cadence measured from pixels, with ``unknowns`` fitted numbers (0 if the cycle was
    given).

    Confidence is the product of: the share of explained steps, the ratio of the smallest step to the scatter, the
    number of steps beyond the unknowns, the exposure of the compared pixels, and regularity.
    """
    known = np.isfinite(steps.stops)
    if not known.size:
        return Verdict(0.0, "a single frame cannot be compared with another")
    if not mostly_known(steps):
        return Verdict(0.0, "too little of the image is well exposed in two consecutive frames")
    reason = _not_alternating(cadence, SMALLEST_RATIO_EV)
    if reason:
        return Verdict(0.0, _longer_cycle(steps) or reason)
    trust, misfits = steps.trust[known], np.abs(cadence.misfits[known])
    smallest = min(abs(rise) for rise in _rises(cadence.cycle))
    scatter = 1.4826 * float(np.median(misfits))
    factors = {
        "the steps between frames do not follow a cycle": _explained(misfits, trust, smallest),
        f"the steps between frames scatter by {scatter:.2f} stops": 1 - math.exp(-smallest / (3 * scatter + 1e-6)),
        "there are too few frames": 1 - 0.5 ** max(0, int(known.sum()) - unknowns + 2),
        "too little of the image is well exposed and similar in two consecutive frames": float(np.median(trust)),
        "the cycle breaks too often": 1 / (1 + (len(cadence.breaks) / (0.1 * len(misfits) + 1)) ** 2),
    }
    confidence = math.prod(factors.values())
    if confidence >= CONFIDENCE_LIMIT:
        return Verdict(confidence)
    weakest = min(factors, key=lambda words: factors[words])
    return Verdict(confidence, f"{weakest} (confidence {confidence:.2f}, at least {CONFIDENCE_LIMIT} is required)")


def mostly_known(steps: Steps) -> bool:
    """Return whether at least half of the steps could be measured."""
    return bool(2 * np.isfinite(steps.stops).sum() >= max(1, len(steps.stops)))


def judge_headers(cadence: Cadence, steps: Steps) -> Verdict:
    """Return the confidence of a cadence from file headers: accepted if it alternates and at least 90 % of the
    frames fit.
    """
    reason = _not_alternating(cadence, SMALLEST_STEP_EV)
    explained = _explained(np.abs(cadence.misfits), steps.trust, SMALLEST_STEP_EV)
    if not reason and explained < _HEADERS_EXPLAINED:
        reason = "the exposures in the file headers do not follow a cycle"
    return Verdict(0.0 if reason else explained, reason)


def settled(cadence: Cadence) -> tuple[Cadence, tuple[str, ...]]:
    """Return the cadence with exposures rounded to 0.01 stop, or to a close third of a stop, and notes about the
    rounding.
    """
    cycle = tuple(_settled(ev) for ev in cadence.cycle)
    notes = {
        f"measured {measured:.2f} stops, rounded to {_short(ev)}": None
        for measured, ev in zip(cadence.cycle, cycle, strict=True)
        if round(measured, 2) != round(ev, 2)
    }
    return replace(cadence, cycle=cycle), tuple(notes)


def exposure_pattern(cadence: Cadence, numbers: tuple[int, ...]) -> ExposurePattern:
    """Return the pattern of a cadence for the frames ``numbers``.

    It starts on the first frame that starts a cycle for most frames; frames after a break are exceptions.
    """
    cycle, length = cadence.cycle, len(cadence.cycle)
    turns = Counter((number - place) % length for number, place in zip(numbers, cadence.places, strict=True))
    turn = turns.most_common(1)[0][0]
    start = next(number for number in range(numbers[0], numbers[0] + length) if (number - turn) % length == 0)
    exceptions = tuple(
        (number, cycle[place])
        for number, place in zip(numbers, cadence.places, strict=True)
        if cycle[place] != cycle[(number - start) % length]
    )
    return ExposurePattern(cycle, start, exceptions)


def _not_alternating(cadence: Cadence, smallest_ratio: float) -> str:
    """Return the reason why a cycle does not alternate, or an empty text."""
    ratio = max(cadence.cycle) - min(cadence.cycle)
    if len(cadence.cycle) == 1 or ratio < smallest_ratio:
        return "the frames do not alternate: each is about as bright as the previous one"
    if min(abs(rise) for rise in _rises(cadence.cycle)) < min(SMALLEST_RATIO_EV, ratio) / 2:
        steps = ",".join(_short(ev) for ev in cadence.cycle)
        return f"consecutive frames have equal exposures in the cycle {steps}"
    return ""


def _longer_cycle(steps: Steps) -> str:
    """Return a description of exposures that change between frames without a supported cycle, or an empty text."""
    changes = float(np.nanmedian(np.abs(steps.stops)))
    if changes < SMALLEST_RATIO_EV:
        return ""
    longest = min(_LONGEST_NAMED, int(np.isfinite(steps.stops).sum()) // 2)
    found = [find_cadence(steps, length) for length in range(LONGEST_CYCLE + 1, longest + 1)]
    fitting = [cadence for cadence in found if cadence.cost < _FITS and not cadence.breaks and _varies(cadence)]
    if fitting:
        best = min(fitting, key=lambda cadence: cadence.cost)
        exposures = ", ".join(_short(ev) for ev in best.cycle)
        supported = f"cycles of up to {LONGEST_CYCLE} frames are supported"
        return f"the exposures repeat every {len(best.cycle)} frames ({exposures} stops); {supported}"
    return f"the exposures change by {changes:.2f} stops between frames, but not in a cycle of up to {longest} frames"


def _varies(cadence: Cadence) -> bool:
    return max(cadence.cycle) - min(cadence.cycle) >= SMALLEST_RATIO_EV


def _rises(cycle: tuple[float, ...]) -> list[float]:
    return [after - before for before, after in zip(cycle, cycle[1:] + cycle[:1], strict=True)]


def _explained(misfits: np.ndarray, trust: np.ndarray, smallest: float) -> float:
    return float(trust[misfits < max(0.3, smallest / 4)].sum() / max(float(trust.sum()), 1e-6))


def _settled(ev: float) -> float:
    third = round(ev * 3) / 3
    return round(third, 4) if abs(ev - third) <= SNAP_EV else round(ev, 2)


def _short(ev: float) -> str:
    return f"{ev:.2f}".rstrip("0").rstrip(".")
