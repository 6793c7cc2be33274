"""A black that is lifted: exposures then differ by fewer stops in the shadows than they do in the highlights.

The step between two exposures is the same at every brightness only if black is 0. The lift that makes it so is found
by search, once as an offset of light and once as an offset of codes to the power 1/2.2: where processing or an
old video standard lifted black, it did it to the codes; where a sensor's black level was not subtracted, to light.
All pairs of frames are searched together: noise and motion distort the steps of one pair, up and down in opposite
directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.equations import GAMMA

CODE_LIFTS = np.linspace(0, 0.08, 33)
LIGHT_LIFTS = np.linspace(0, 0.06, 49)
UNEVEN_EV = 0.03
"""Stops by which the step varies over brightness before a lift is looked for."""
CLEARLY_EVENER = 0.5
"""Share of that variation which a lift must come down to."""
LIGHT_IS_EVENER = 0.35
"""Share of the best variation with codes that an offset of light must come down to, to be taken instead of them."""
LEAST_CODE, LEAST_LIGHT = 0.012, 0.002
"""Lifts below may come from noise, and change the step by less than 0.05 stops."""
LEAST_LEVELS = 30
NOISIEST_FLOOR = 0.024
"""Pairs whose noise makes their floor higher are not searched: what looks like a lift there may be noise."""
MOST_PAIRS = 48
"""Maximum number of pairs that are searched, evenly chosen."""
BINS = 12
_LEAST_IN_BIN = 3


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

    @property
    def note(self) -> str:
        """A sentence for the user about the lift."""
        lifted = f"black looks lifted to {self.lift:.1%} of the {'codes' if self.codes else 'linear light'}"
        return f"{lifted}; it is subtracted to measure exposures, not in renders"


@dataclass(frozen=True)
class Levels:
    """``first`` and ``second``: levels of equal quantiles of two frames, linear light, 1.0 = clip.

    Levels between ``floor`` and ``ceiling`` are well exposed.
    """

    first: NDArray[np.floating]
    second: NDArray[np.floating]
    floor: float
    ceiling: float

    def subtracted(self, black: Black) -> tuple[FloatArray, FloatArray]:
        """Return both levels with black at 0."""
        first, second = (black.subtracted(np.asarray(part, np.float32)) for part in (self.first, self.second))
        return first, second


def find_black(pairs: Sequence[Levels]) -> Black | None:
    """Return the lift for which the steps of all pairs vary least over brightness; None if black is not clearly lifted.

    Pairs may have steps of different sizes.
    """
    pairs = [levels for levels in pairs if levels.floor <= NOISIEST_FLOOR]
    every = -(-len(pairs) // MOST_PAIRS)
    pairs = pairs[::every] if every else pairs
    plain = _variation(pairs, Black(0.0, codes=False))
    if plain is None or plain < UNEVEN_EV:
        return None
    least, best = _best(pairs, [Black(float(lift), codes=True) for lift in CODE_LIFTS])
    least_in_light, in_light = _best(pairs, [Black(float(lift), codes=False) for lift in LIGHT_LIFTS])
    if least_in_light < LIGHT_IS_EVENER * least:
        least, best = least_in_light, in_light
    is_lifted = best.lift >= (LEAST_CODE if best.codes else LEAST_LIGHT)
    return best if is_lifted and least < CLEARLY_EVENER * plain else None


def unevenness(pairs: Sequence[Levels]) -> float | None:
    """Return by how many stops the steps vary over brightness; None if too few levels are well exposed to compare."""
    return _variation(pairs, Black(0.0, codes=False))


def _best(pairs: Sequence[Levels], tried: Sequence[Black]) -> tuple[float, Black]:
    """Return the lift with the smallest variation, and this variation."""
    found = [(variation, black) for black in tried if (variation := _variation(pairs, black)) is not None]
    return min(found, key=lambda pair: pair[0])


def _variation(pairs: Sequence[Levels], black: Black) -> float | None:
    """The range of the step in stops without the outermost tenths; None if too few levels are well exposed.

    Steps up and steps down have equal weight, because motion distorts them in opposite directions.
    """
    rows: dict[bool, list[NDArray[np.floating]]] = {True: [], False: []}
    for levels in pairs:
        first, second = levels.subtracted(black)
        usable = (np.minimum(first, second) > levels.floor) & (np.maximum(first, second) < levels.ceiling)
        if np.count_nonzero(usable) < LEAST_LEVELS:
            continue
        stops = np.log2(second[usable] / first[usable])
        middle = float(np.median(stops))
        brighter = np.log2(np.maximum(first, second)[usable] / levels.ceiling)
        rows[middle > 0].append(_by_brightness(brighter, np.sign(middle) * (stops - middle)))
    sides = [_median(np.array(side)) for side in rows.values() if side]
    if not sides:
        return None
    curve = np.mean(sides, axis=0)
    curve = curve[np.isfinite(curve)]
    if curve.size < 2:
        return None
    low, high = np.quantile(curve, (0.1, 0.9))
    return float(high - low)


def _by_brightness(brighter: FloatArray, stops: FloatArray) -> NDArray[np.floating]:
    """Mean of the stops in bins of half a stop of brightness down from the ceiling; NaN where there are too few."""
    place = np.minimum(np.floor(-2 * brighter).astype(int), BINS)
    count = np.bincount(place, minlength=BINS + 1)[:BINS]
    total = np.bincount(place, stops, minlength=BINS + 1)[:BINS]
    return np.where(count >= _LEAST_IN_BIN, total / np.maximum(count, 1), np.nan)


def _median(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Median of each column over the rows that have a value; NaN for columns that fewer than half of the rows have."""
    counted = 2 * np.isfinite(rows).sum(axis=0) >= len(rows)
    found = np.full(rows.shape[1], np.nan)
    found[counted] = np.nanmedian(rows[:, counted], axis=0)
    return found
