"""Cuts inside a plate: where frames of EQUAL exposure stop looking alike, and frames around them do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

FARTHEST = 4
"""Frames apart that are compared: at least the longest cycle."""
ALIKE = 0.5
"""Two frames of one scene look at least this much alike (see ``engine.measure.likeness``), unless much moves."""
DROP = 0.25
"""Across a cut, likeness falls by at least this below what is usual on both its sides; fast motion falls everywhere."""
AROUND = 8
"""Frames on each side of a cut that tell what is usual."""

Likeness = Mapping[tuple[int, int], float]
"""Likeness of two frames by their indices (first, second), for every second up to FARTHEST after the first."""


def find_cuts(exposures: Sequence[float], alike: Likeness) -> tuple[int, ...]:
    """Return the indices of the frames that begin a new scene.

    ``exposures`` is the EV of every frame in stops. A frame begins a new scene if every pair of equal exposure on its
    two sides looks different, the frame and the one before it too, and if pairs on one side of it look clearly more
    alike than those across.
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
    """The greatest likeness among frames before and from ``index`` on: neighbors, and the nearest of equal exposure."""
    pairs = {(index - 1, index)}
    for before in range(max(0, index - FARTHEST), index):
        pairs.update(pair for pair in [_next_equal(before, exposures)] if pair and pair[1] >= index)
    return max(alike[pair] for pair in pairs)


def _usual(side: range, exposures: Sequence[float], alike: Likeness) -> float | None:
    """The lower quartile of likeness among pairs of equal exposure within one side; None if it has no pair."""
    values = sorted(alike[pair] for pair in _equal_pairs(side, exposures))
    return values[len(values) // 4] if values else None


def _equal_pairs(side: range, exposures: Sequence[float]) -> Iterator[tuple[int, int]]:
    for before in range(max(side.start, 0), min(side.stop, len(exposures))):
        pair = _next_equal(before, exposures)
        if pair and pair[1] < side.stop:
            yield pair


def _next_equal(before: int, exposures: Sequence[float]) -> tuple[int, int] | None:
    """The frame and the next one of equal exposure."""
    for after in range(before + 1, min(before + FARTHEST, len(exposures) - 1) + 1):
        if abs(exposures[after] - exposures[before]) < 0.05:
            return before, after
    return None
