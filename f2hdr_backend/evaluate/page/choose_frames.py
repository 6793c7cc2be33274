"""Selects the frames of a report: the worst, the middle and the best, of all frames and of each scene."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

LOWER_IS_BETTER = ("EPE",)


def choose(scores: Mapping[int, float], scenes: Iterable[tuple[int, ...]], most: int) -> tuple[int, ...]:
    """Select at most ``most`` frames; returns them in ascending order.

    The order of selection: the worst, middle and best of all; the worst of each scene, starting with the scene of the
    worst frame; each scene's best; each scene's middle frame; the worst of the rest.

    Args:
        scores: by frame; higher is better.
        scenes: the frames of each scene.
        most: maximum number of frames.
    """
    ranked = [_ranked(scene, scores) for scene in scenes]
    ranked.sort(key=lambda scene: scores[scene[0]])
    return tuple(sorted(list(dict.fromkeys(_by_interest(_ranked(scores, scores), ranked)))[:most]))


def words(count: int, total: int, column: str, group: str) -> str:
    """Return a sentence that describes which ``count`` frames `choose` selected by ``column``."""
    if count == total:
        return f"The page shows all {total} frames."
    return (
        f"The page shows {count} of {total} frames: the worst, middle and best by {column}, then "
        f"those of each {group}; scores are of all (--page-frames)."
    )


def _by_interest(everything: list[int], scenes: list[list[int]]) -> Iterator[int]:
    """Yield frames by priority, some of them repeatedly; all lists are ordered from worst to best."""
    yield from (everything[0], everything[len(everything) // 2], everything[-1])
    yield from (scene[0] for scene in scenes)
    yield from (scene[-1] for scene in scenes)
    yield from (scene[len(scene) // 2] for scene in scenes)
    yield from everything


def _ranked(frames: Iterable[int], scores: Mapping[int, float]) -> list[int]:
    return sorted(frames, key=lambda frame: scores[frame])
