"""Cut detection: where frames of equal exposure differ, although the frames on each side are similar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

FARTHEST = 4
"""Maximum distance of compared frames; at least the longest cycle."""
ALIKE = 0.5
"""Minimum similarity of two frames of one scene (see ``detection.measure.likeness``), unless there is much motion."""
DROP = 0.25
"""Minimum drop of similarity at a cut below the usual value of both its sides; fast motion reduces it everywhere."""
AROUND = 8
"""Frames on each side of a cut that determine the usual similarity."""

Likeness = Mapping[tuple[int, int], float]
"""Similarity of two frames by their indices (first, second), for distances up to FARTHEST."""


def find_cuts(exposures: Sequence[float], alike: Likeness) -> tuple[int, ...]:
    """Return the indices of the frames that start a new scene.

    ``exposures`` is the EV of every frame in stops. A frame starts a new scene if it differs from the previous frame,
    if all pairs of equal exposure across it differ, and if pairs on one side are clearly more similar than those
    across.
    """
    lowest = {index: _across(index, exposures, alike) for index in range(1, len(exposures))}
    return tuple(index for index, value in lowest.items() if _is_cut(index, value, exposures, alike))


def _is_cut(index: int, across: float, exposures: Sequence[float], alike: Likeness) -> bool:
    if across > ALIKE:
        return False
    sides = (range(index - AROUND, index), range(index, index + AROUND))
    known = [usual for usual in (_usual(side, exposures, alike) for side in sides) if usual is not None]
    return bool(known) and across < min(known) - DROP


def _across(index: int, exposures: Sequence[float], alike: Likeness) -> float:
    """Return the highest similarity between frames before and from ``index`` on: adjacent ones, and the nearest of
    equal exposure.
    """
    pairs = {(index - 1, index)}
    for before in range(max(0, index - FARTHEST), index):
        pairs.update(pair for pair in [_next_equal(before, exposures)] if pair and pair[1] >= index)
    return max(alike[pair] for pair in pairs)


def _usual(side: range, exposures: Sequence[float], alike: Likeness) -> float | None:
    """Return the lower quartile of similarity of pairs with equal exposure on one side; None if it has no pair."""
    values = sorted(alike[pair] for pair in _equal_pairs(side, exposures))
    return values[len(values) // 4] if values else None


def _equal_pairs(side: range, exposures: Sequence[float]) -> Iterator[tuple[int, int]]:
    for before in range(max(side.start, 0), min(side.stop, len(exposures))):
        pair = _next_equal(before, exposures)
        if pair and pair[1] < side.stop:
            yield pair


def _next_equal(before: int, exposures: Sequence[float]) -> tuple[int, int] | None:
    """Return the frame and the next one of equal exposure, or None."""
    for after in range(before + 1, min(before + FARTHEST, len(exposures) - 1) + 1):
        if abs(exposures[after] - exposures[before]) < 0.05:
            return before, after
    return None
