"""Stores a benchmark run's rows in a folder: JSON to resume from, CSV for spreadsheets; each file is written
atomically.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from f2hdr_backend.evaluate.metrics.score import Score
from f2hdr_backend.shot.atomic import write_file
from f2hdr_backend.shot.errors import DocumentError, ImageError, ShotError
from f2hdr_backend.shot.read_text import read_json

RECORD, FRAMES, SCENES = "scores.json", "frames.csv", "scenes.csv"
VERSION = 1


@dataclass(frozen=True)
class FrameRow:
    """The scores of one reference frame."""

    scene: str
    frame: int
    exposure: float
    """Exposure of the reference relative to the shortest."""
    divisor: float
    """The number that the ground truth was divided by to fit within 0-1; 1 if it already did."""
    digest: str
    """Hash of the settings and of every file that the scores depend on."""
    scores: Mapping[str, Score]

    @property
    def name(self) -> str:
        """Name of the frame, such as ``scene/0007``."""
        return f"{self.scene}/{self.frame:04d}"

    @property
    def low(self) -> bool:
        """Whether the reference is a low exposure; the published program averages these separately."""
        return self.exposure <= 1

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON types."""
        return {
            "scene": self.scene,
            "frame": self.frame,
            "exposure": self.exposure,
            "divisor": self.divisor,
            "digest": self.digest,
            "scores": {column: score.to_json() for column, score in self.scores.items()},
        }


@dataclass(frozen=True)
class SceneRow:
    """The scores of a whole scene: flicker and the odd/even difference."""

    scene: str
    digest: str
    scores: Mapping[str, Score]

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON types."""
        scores = {column: score.to_json() for column, score in self.scores.items()}
        return {"scene": self.scene, "digest": self.digest, "scores": scores}


@dataclass(frozen=True)
class Rows:
    """All rows of a run."""

    frames: tuple[FrameRow, ...] = ()
    scenes: tuple[SceneRow, ...] = ()
    refused: tuple[ImageError, ...] = ()
    """Errors of scenes whose frames are scored, but not the scene as a whole; not written to the folder."""

    def __add__(self, other: Rows) -> Rows:
        """Return the rows of both."""
        return Rows(self.frames + other.frames, self.scenes + other.scenes)


class ResultsFolder:
    """The folder of a run's rows."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """``settings`` is everything that the scores depend on, as JSON; rows with other settings are not accepted."""
        self._folder = folder
        self._settings = dict(settings)

    def load(self) -> Rows:
        """Return the stored rows; none if the folder is new.

        Raises:
            DocumentError: the record cannot be read.
            ShotError: the record has other settings; names the first that differs.
        """
        path = self._folder / RECORD
        if not path.exists():
            return Rows()
        try:
            record = read_json(path)
            if record["version"] != VERSION:
                raise ValueError(f"version {record['version']}")
            settings = dict(record["settings"])
            rows = Rows(
                tuple(_frame_row(row) for row in record["frames"]), tuple(_scene_row(row) for row in record["scenes"])
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DocumentError(
                f"{path} is not a record of an evaluation ({error}).", hint="Choose another folder.", path=str(path)
            ) from error
        self._require_same(settings)
        return rows

    def write(self, rows: Rows, summary: Mapping[str, Any]) -> None:
        """Replace the three files. Raises UnwritableFrame."""
        record = {
            "version": VERSION,
            "settings": self._settings,
            "summary": summary,
            "frames": [row.to_json() for row in rows.frames],
            "scenes": [row.to_json() for row in rows.scenes],
        }
        _write(self._folder / RECORD, json.dumps(record, indent=1))
        columns = list(dict.fromkeys(column for row in rows.frames for column in row.scores))
        header = ("scene", "frame", "exposure", "divisor", *columns)
        _write(self._folder / FRAMES, _csv(header, [_frame_cells(row, columns) for row in rows.frames]))
        scenes: Mapping[str, Mapping[str, Any]] = summary.get("scenes", {})
        columns = list(dict.fromkeys(column for values in scenes.values() for column in values))
        lines = [(scene, *(values.get(column, "") for column in columns)) for scene, values in scenes.items()]
        _write(self._folder / SCENES, _csv(("scene", *columns), lines))

    def _require_same(self, settings: dict[str, Any]) -> None:
        for name, value in self._settings.items():
            if settings.get(name) != value:
                raise ShotError(
                    f"{self._folder} contains scores with other settings: {name} was {settings.get(name)!r} and is "
                    f"now {value!r}.",
                    hint="Choose another folder with -o, or use the previous settings.",
                    path=str(self._folder),
                )


def _frame_row(row: Mapping[str, Any]) -> FrameRow:
    scores = {column: _score(score) for column, score in row["scores"].items()}
    return FrameRow(row["scene"], row["frame"], row["exposure"], row["divisor"], row["digest"], scores)


def _scene_row(row: Mapping[str, Any]) -> SceneRow:
    return SceneRow(row["scene"], row["digest"], {column: _score(score) for column, score in row["scores"].items()})


def _score(score: Mapping[str, Any]) -> Score:
    parameters, facts = tuple(score["parameters"].items()), tuple(score["facts"].items())
    return Score(score["metric"], float(score["value"]), score["unit"], parameters, facts)


def _frame_cells(row: FrameRow, columns: Sequence[str]) -> list[object]:
    scores = [f"{row.scores[column].value:.9g}" if column in row.scores else "" for column in columns]
    return [row.scene, row.frame, f"{row.exposure:g}", f"{row.divisor:.9g}", *scores]


def _csv(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    write_file(path, text)
