"""Means of a run's rows: over all frames, by exposure of the reference, and by scene."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from f2hdr_backend.evaluate.metrics.score import Average, Score, average
from f2hdr_backend.evaluate.paper.results import FrameRow, Rows

Averages = Mapping[str, Average]


@dataclass(frozen=True)
class Summary:
    """Means over frames, by column; for metrics of scenes, means over scenes."""

    all: Averages
    low: Averages
    """Frames whose reference is the low exposure."""
    high: Averages
    scenes: Mapping[str, Averages]
    frames: int
    rescaled: tuple[str, ...]
    """Frames whose ground truth exceeded 1 and was divided by its maximum, although the plate's radiance was not."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON types: values by group and column, and each column's parameters with the facts of its frames."""
        return {
            "frames": self.frames,
            "all": _values(self.all),
            "low": _values(self.low),
            "high": _values(self.high),
            "scenes": {scene: _values(averages) for scene, averages in self.scenes.items()},
            "parameters": {
                column: dict((*mean.score.parameters, *mean.score.facts)) for column, mean in self.all.items()
            },
            "identical": {column: list(mean.identical) for column, mean in self.all.items() if mean.identical},
            "rescaled": list(self.rescaled),
        }


def summarize(rows: Rows) -> Summary:
    """Return the means of a run.

    Raises:
        ShotError: rows of one column have different parameters.
        ImageError: a score is NaN.
    """
    whole = {row.scene: row.scores for row in rows.scenes}
    scenes = {
        scene: {**_means(row for row in rows.frames if row.scene == scene), **_single(scene, whole.get(scene, {}))}
        for scene in dict.fromkeys(row.scene for row in rows.frames)
    }
    shots = _by_column((scene, scores) for scene, scores in whole.items())
    return Summary(
        {**_means(rows.frames), **{column: average(scores) for column, scores in shots.items()}},
        _means(row for row in rows.frames if row.low),
        _means(row for row in rows.frames if not row.low),
        scenes,
        len(rows.frames),
        tuple(row.name for row in rows.frames if row.divisor != 1),
    )


def _means(rows: Iterable[FrameRow]) -> dict[str, Average]:
    columns = _by_column((row.name, row.scores) for row in rows)
    return {column: average(scores) for column, scores in columns.items()}


def _single(scene: str, scores: Mapping[str, Score]) -> dict[str, Average]:
    return {column: average({scene: score}) for column, score in scores.items()}


def _by_column(rows: Iterable[tuple[str, Mapping[str, Score]]]) -> dict[str, dict[str, Score]]:
    columns: dict[str, dict[str, Score]] = {}
    for name, scores in rows:
        for column, score in scores.items():
            columns.setdefault(column, {})[name] = score
    return columns


def _values(averages: Averages) -> dict[str, object]:
    return {column: mean.score.to_json()["value"] for column, mean in averages.items()}
