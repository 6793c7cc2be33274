"""Fits a cycle of exposures to measured steps between frames, and the position of every frame in it.

A step is the number of stops by which a frame is brighter than the previous one. The search alternates between the
most likely position of every frame for given exposures (Viterbi 1967) and the exposures for given positions (least
absolute deviations), from several starting points and for every cycle length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.shot.exposure import SMALLEST_STEP_EV

_Floats = NDArray[np.float64]
LONGEST_CYCLE = 4
MISFIT_EV = 0.35
"""Deviation of a step from the cycle, in stops, that costs 1."""
WORST_MISFIT = 3.0
"""Maximum cost of a step."""
BREAK_COST = 2.0
"""Cost of a break in the cycle: less than that of a completely wrong step, more than that of an uncertain one."""
LONGER_CYCLE_GAIN = 0.15
"""Minimum cost per frame by which a longer cycle must be better than the shortest one."""
FLICKER_EV = 0.35
"""In cycles of three or more frames, exposures that differ by less (stops) are one exposure in flickering light."""
_BEGINNINGS = 6
_ROUNDS = 4


@dataclass(frozen=True)
class Steps:
    """``stops[i]`` is the step from frame ``numbers[i]`` to ``numbers[i + 1]``; NaN if unknown. ``trust`` is 0-1
    each.
    """

    numbers: tuple[int, ...]
    stops: _Floats
    trust: _Floats


@dataclass(frozen=True)
class Cadence:
    """A cycle of exposures in stops, fitted to frames.

    ``places[i]`` is the position of frame i in the cycle, ``breaks`` the numbers of the frames that do not follow the
    previous frame in the cycle, ``drift`` the change of the scene's brightness in stops per frame, ``misfits[i]`` the
    deviation of step i from cycle and drift (stops, NaN if unknown), and ``cost`` the mean cost per step.
    """

    cycle: tuple[float, ...]
    places: tuple[int, ...]
    breaks: tuple[int, ...]
    drift: float
    misfits: _Floats
    cost: float


def find_cadence(steps: Steps, length: int | None = None, closest: float = FLICKER_EV) -> Cadence:
    """Return the shortest cycle of 1 to 4 frames that explains the steps; 1 means that the frames do not alternate.

    With ``length`` the cycle has that many frames. In cycles of three or more, different exposures are at least
    ``closest`` stops apart. The cycle starts with its lowest exposure, which is 0; exposures that differ by less than
    ``SMALLEST_STEP_EV`` are made equal.
    """
    if length is not None:
        return _from_lowest(_best_of_length(steps, length))
    longest = min(LONGEST_CYCLE, len(steps.numbers))
    found = [_best_of_length(steps, length) for length in range(1, longest + 1)]
    found = [cadence for cadence in found if len(cadence.cycle) < 3 or _closest(cadence.cycle) >= closest]
    bound = min(cadence.cost for cadence in found) + LONGER_CYCLE_GAIN
    return _from_lowest(next(cadence for cadence in found if cadence.cost <= bound))


def with_exposures(cadence: Cadence, cycle: Sequence[float]) -> Cadence:
    """Return a cadence with other exposures (stops, of the same number), in the best-matching rotation."""
    length = len(cycle)
    given, found = np.asarray(cycle, float), np.asarray(cadence.cycle)
    turn = int(np.argmax([np.roll(given, -turn) @ found for turn in range(length)]))
    places = tuple((place + turn) % length for place in cadence.places)
    return replace(cadence, cycle=tuple(cycle), places=places)


def _best_of_length(steps: Steps, length: int) -> Cadence:
    refined = (_refined(steps, *beginning) for beginning in _beginnings(steps, length))
    return min(refined, key=lambda cadence: cadence.cost)


def _beginnings(steps: Steps, length: int) -> Iterator[tuple[_Floats, float]]:
    """Yield cycle and drift as starting points: the medians over a few cycles, for positions without breaks."""
    count = len(steps.stops)
    if length == 1 or np.isnan(steps.stops).all():
        yield np.zeros(length), 0.0
        return
    window = min(count, max(4 * length, 12))
    for start in sorted(set(np.linspace(0, count - window, _BEGINNINGS).astype(int))):
        part = steps.stops[start : start + window]
        by_place = [part[place::length] for place in range(length)]
        rises = np.array([np.nanmedian(rise) if np.isfinite(rise).any() else 0.0 for rise in by_place])
        drift = rises.mean() if count >= 2 * length else 0.0
        yield np.concatenate([[0.0], np.cumsum(rises - rises.mean())[:-1]]), float(drift)
    if length == 2:
        yield np.array([0.0, np.nanmedian(np.abs(steps.stops))]), 0.0


def _refined(steps: Steps, cycle: _Floats, drift: float) -> Cadence:
    best = _placed(steps, cycle, drift)
    for _ in range(_ROUNDS):
        again = _placed(steps, *_fitted(steps, best))
        if again.cost > best.cost - 1e-6:
            break
        best = again
    return best


def _placed(steps: Steps, cycle: _Floats, drift: float) -> Cadence:
    """Find the positions of all frames with the lowest cost by dynamic programming."""
    length, count = len(cycle), len(steps.numbers)
    rise = cycle[None, :] - cycle[:, None] + drift
    totals, came_from = np.zeros(length), np.zeros((count, length), int)
    for index in range(1, count):
        costs = totals[:, None] + _transition_costs(steps, index, rise)
        came_from[index] = np.argmin(costs, axis=0)
        totals = costs[came_from[index], np.arange(length)]
    places = [int(np.argmin(totals))]
    for index in range(count - 1, 0, -1):
        places.append(int(came_from[index, places[-1]]))
    places.reverse()
    return Cadence(
        cycle=tuple(cycle.tolist()),
        places=tuple(places),
        breaks=_breaks(steps.numbers, places, length),
        drift=drift,
        misfits=steps.stops - np.diff(cycle[places]) - drift,
        cost=float(totals.min()) / max(count - 1, 1),
    )


def _breaks(numbers: Sequence[int], places: Sequence[int], length: int) -> tuple[int, ...]:
    following = zip(numbers, numbers[1:], places, places[1:], strict=False)
    return tuple(after for before, after, was, now in following if (was + after - before) % length != now)


def _transition_costs(steps: Steps, index: int, rise: _Floats) -> _Floats:
    """Return the cost ``(from, to)`` of the positions of frames index - 1 and index."""
    length = len(rise)
    stops, trust = steps.stops[index - 1], steps.trust[index - 1]
    misfit = np.zeros_like(rise) if np.isnan(stops) else np.abs(stops - rise) / MISFIT_EV
    advance = (steps.numbers[index] - steps.numbers[index - 1]) % length
    follows = (np.arange(length)[:, None] + advance) % length == np.arange(length)[None, :]
    return trust * np.minimum(misfit, WORST_MISFIT) + np.where(follows, 0.0, BREAK_COST)


def _fitted(steps: Steps, cadence: Cadence) -> tuple[_Floats, float]:
    """Return the cycle and drift that best explain the steps for given positions; drift needs two cycles or more."""
    length = len(cadence.cycle)
    places = np.asarray(cadence.places)
    known = np.isfinite(steps.stops)
    rows = np.eye(length)[places[1:]] - np.eye(length)[places[:-1]]
    shows_drift = np.count_nonzero(known) >= 2 * length
    rows = np.column_stack([rows[:, 1:], np.full(len(rows), float(shows_drift))])
    rows, stops, trust = rows[known], steps.stops[known], steps.trust[known]
    weights = np.where(np.abs(cadence.misfits[known]) < WORST_MISFIT * MISFIT_EV, trust, 0.0)
    solution = np.zeros(rows.shape[1])
    for _ in range(12):
        root = np.sqrt(weights)
        solution = np.linalg.lstsq(rows * root[:, None], stops * root, rcond=None)[0]
        weights = trust / np.maximum(np.abs(stops - rows @ solution), 0.01)
    return np.concatenate([[0.0], solution[:-1]]), float(solution[-1])


def _from_lowest(cadence: Cadence) -> Cadence:
    """Rotate the cycle so that it starts with its lowest exposure, which becomes 0; make close exposures equal."""
    length = len(cadence.cycle)
    evened = _evened(cadence.cycle)
    turns = [evened[first:] + evened[:first] for first in range(length)]
    first = min(range(length), key=lambda turn: turns[turn])
    cycle = tuple(ev - min(evened) for ev in turns[first])
    places = tuple((place - first) % length for place in cadence.places)
    return replace(cadence, cycle=cycle, places=places)


def _closest(cycle: tuple[float, ...]) -> float:
    """Return the smallest difference between two different exposures, in stops."""
    different = sorted(set(_evened(cycle)))
    return min((above - below for below, above in pairwise(different)), default=math.inf)


def _evened(cycle: tuple[float, ...]) -> tuple[float, ...]:
    """Replace exposures that differ by less than SMALLEST_STEP_EV from the next higher one by their mean."""
    groups: list[list[float]] = []
    for ev in sorted(cycle):
        if groups and ev - groups[-1][-1] < SMALLEST_STEP_EV:
            groups[-1].append(ev)
        else:
            groups.append([ev])
    means = {ev: sum(group) / len(group) for group in groups for ev in group}
    return tuple(means[ev] for ev in cycle)
