"""Whether a cadence that was found can be believed, and the exposure pattern it makes."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from f2hdr_backend.detection.cadence import LONGEST_CYCLE, Cadence, Steps, find_cadence
from f2hdr_backend.shot.exposure import SMALLEST_STEP_EV, ExposurePattern

CONFIDENCE_LIMIT = 0.6
"""Patterns found with less confidence are refused."""
SMALLEST_RATIO_EV = 0.5
"""Pixels that differ by less (stops) may as well be lit by a flickering lamp."""
SNAP_EV = 0.04
"""A measured step this near to a whole or a third of a stop is taken as that: cameras are set in thirds."""
_HEADERS_EXPLAINED = 0.9
_LONGEST_NAMED = 12
"""Frames of the longest cycle that is looked for to name it; it is refused all the same."""
_FITS = 0.5
"""Mean cost a step up to which a cycle explains the steps."""


@dataclass(frozen=True)
class Verdict:
    """``confidence`` is 0 to 1; ``reason`` is empty, or says why the cadence is not believed."""

    confidence: float
    reason: str = ""


def judge_pixels(cadence: Cadence, steps: Steps, unknowns: int) -> Verdict:
    """Weigh a cadence found in pixels, of which ``unknowns`` numbers had to be guessed (0 if the cycle was given).

    Confidence is the product of: the share of steps explained, how far the smallest step stands out of the scatter,
    the number of steps beyond the unknowns, how well exposed the compared pixels are, and regularity.
    """
    known = np.isfinite(steps.stops)
    if not known.size:
        return Verdict(0.0, "one frame has no other to be compared with")
    if not known.any():
        return Verdict(0.0, "no part of the picture is well exposed in two successive frames")
    reason = _not_alternating(cadence, SMALLEST_RATIO_EV)
    if reason:
        return Verdict(0.0, _longer_cycle(steps) or reason)
    trust, misfits = steps.trust[known], np.abs(cadence.misfits[known])
    smallest = min(abs(rise) for rise in _rises(cadence.cycle))
    scatter = 1.4826 * float(np.median(misfits))
    factors = {
        "the steps from frame to frame follow no cycle": _explained(misfits, trust, smallest),
        f"the steps from frame to frame scatter by {scatter:.2f} stops": 1 - math.exp(-smallest / (3 * scatter + 1e-6)),
        "there are too few frames": 1 - 0.5 ** max(0, int(known.sum()) - unknowns + 2),
        "too little of the picture is well exposed, and alike, in two successive frames": float(np.median(trust)),
        "the cycle breaks too often": 1 / (1 + (len(cadence.breaks) / (0.1 * len(misfits) + 1)) ** 2),
    }
    confidence = math.prod(factors.values())
    if confidence >= CONFIDENCE_LIMIT:
        return Verdict(confidence)
    weakest = min(factors, key=lambda words: factors[words])
    return Verdict(confidence, f"{weakest} (confidence {confidence:.2f}, at least {CONFIDENCE_LIMIT} is needed)")


def judge_headers(cadence: Cadence, steps: Steps) -> Verdict:
    """Weigh a cadence found in file headers: believed if it alternates and all but a few frames follow it."""
    reason = _not_alternating(cadence, SMALLEST_STEP_EV)
    explained = _explained(np.abs(cadence.misfits), steps.trust, SMALLEST_STEP_EV)
    if not reason and explained < _HEADERS_EXPLAINED:
        reason = "the exposures in the file headers follow no cycle"
    return Verdict(0.0 if reason else explained, reason)


def settled(cadence: Cadence) -> tuple[Cadence, tuple[str, ...]]:
    """Return the cadence with exposures rounded to 0.01 stop, or to a near whole or third, and notes that say so."""
    cycle = tuple(_settled(ev) for ev in cadence.cycle)
    notes = {
        f"measured {measured:.2f} stops, taken as {_short(ev)}": None
        for measured, ev in zip(cadence.cycle, cycle, strict=True)
        if round(measured, 2) != round(ev, 2)
    }
    return replace(cadence, cycle=cycle), tuple(notes)


def exposure_pattern(cadence: Cadence, numbers: tuple[int, ...]) -> ExposurePattern:
    """Return the pattern of a cadence over frames ``numbers``.

    It starts on the first frame that begins a cycle as most frames have it; frames behind a break are exceptions.
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
    """Words that say why a cycle is none of alternating exposures; empty if it is one."""
    ratio = max(cadence.cycle) - min(cadence.cycle)
    if len(cadence.cycle) == 1 or ratio < smallest_ratio:
        return "the frames do not alternate, each is about as bright as the one before it"
    if min(abs(rise) for rise in _rises(cadence.cycle)) < min(SMALLEST_RATIO_EV, ratio) / 2:
        steps = ",".join(_short(ev) for ev in cadence.cycle)
        return f"frames of equal exposure follow each other in the cycle {steps}"
    return ""


def _longer_cycle(steps: Steps) -> str:
    """Words about exposures that do change from frame to frame, but in no cycle that is supported; else empty."""
    changes = float(np.nanmedian(np.abs(steps.stops)))
    if changes < SMALLEST_RATIO_EV:
        return ""
    longest = min(_LONGEST_NAMED, len(steps.numbers) - 1)
    found = [find_cadence(steps, length) for length in range(LONGEST_CYCLE + 1, longest + 1)]
    fitting = [cadence for cadence in found if cadence.cost < _FITS and not cadence.breaks and _varies(cadence)]
    if fitting:
        best = min(fitting, key=lambda cadence: cadence.cost)
        exposures = ", ".join(_short(ev) for ev in best.cycle)
        supported = f"cycles of up to {LONGEST_CYCLE} frames are supported"
        return f"the exposures repeat every {len(best.cycle)} frames ({exposures} stops); {supported}"
    return f"the exposures change by {changes:.2f} stops from frame to frame, but in no cycle of up to {longest} frames"


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
