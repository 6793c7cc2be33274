"""A black that is lifted: exposures then differ by fewer stops in the shadows than they do in the highlights.

The step between two exposures is the same at every brightness only if black is 0. The lift that makes it so is found
by search, once as an offset of light and once as an offset of codes to the power 1/2.2: where processing or an
old video standard lifted black, it did it to the codes; where a sensor's black level was not subtracted, to light.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.equations import GAMMA

CODE_LIFTS = np.linspace(0, 0.08, 33)
LIGHT_LIFTS = np.linspace(0, 0.06, 49)
UNEVEN_EV = 0.08
"""Stops by which the step varies over brightness before a lift is looked for: noise alone stays below."""
CLEARLY_EVENER = 0.4
"""Share of that variation which a lift must come down to."""
LEAST_CODE, LEAST_LIGHT = 0.012, 0.002
"""Lifts below may come from noise, and change the step by less than 0.05 stops."""
LEAST_LEVELS = 30


@dataclass(frozen=True)
class Black:
    """``lift`` is the value of black, 0 to 1, in ``codes`` (to the power 1/2.2) or in linear light."""

    lift: float
    codes: bool

    def subtracted(self, light: FloatArray) -> FloatArray:
        """Return linear light with black at 0."""
        lift = np.float32(self.lift)
        if not self.codes:
            return (light - lift) / (1 - lift)
        codes = np.maximum(light, 0) ** np.float32(1 / GAMMA)
        return np.asarray(np.maximum((codes - lift) / (1 - lift), 0) ** np.float32(GAMMA))


def find_black(first: FloatArray, second: FloatArray, floor: float, ceiling: float) -> Black | None:
    """Return the lift for which the step between matched levels varies least; None if black is not clearly lifted.

    Args:
        first, second: levels of equal quantiles of two frames, linear light, 1.0 = clip.
        floor, ceiling: light between which levels are used.
    """
    plain = _variation(first, second, floor, ceiling)
    if plain is None or plain < UNEVEN_EV:
        return None
    tried = [Black(float(lift), codes) for codes, lifts in ((True, CODE_LIFTS), (False, LIGHT_LIFTS)) for lift in lifts]
    found: list[tuple[float, Black]] = []
    for black in tried:
        variation = _variation(black.subtracted(first), black.subtracted(second), floor, ceiling)
        if variation is not None:
            found.append((variation, black))
    least, best = min(found, key=lambda pair: pair[0])
    is_lifted = best.lift >= (LEAST_CODE if best.codes else LEAST_LIGHT)
    return best if is_lifted and least < CLEARLY_EVENER * plain else None


def lifted_note(steps: Sequence[Black | None]) -> tuple[str, ...]:
    """Return a note if a lifted black was subtracted for most of the measured steps; ``steps`` has that of each."""
    found = [black for black in steps if black is not None]
    if len(found) <= len(steps) / 2:
        return ()
    lift, where = float(np.median([black.lift for black in found])), "codes" if found[0].codes else "linear light"
    return (f"black is lifted to {lift:.1%} of the {where}; it is subtracted to measure exposures, not in renders",)


def _variation(first: FloatArray, second: FloatArray, floor: float, ceiling: float) -> float | None:
    """The range of the step in stops without the outermost tenths; None if too few levels are well exposed."""
    usable = (np.minimum(first, second) > floor) & (np.maximum(first, second) < ceiling)
    if np.count_nonzero(usable) < LEAST_LEVELS:
        return None
    low, high = np.quantile(np.log2(second[usable] / first[usable]), (0.1, 0.9))
    return float(high - low)
