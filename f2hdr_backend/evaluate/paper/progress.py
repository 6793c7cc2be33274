"""Progress of a benchmark run: collects the rows and writes them periodically."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from f2hdr_backend.evaluate.paper.results import FrameRow, ResultsFolder, Rows
from f2hdr_backend.evaluate.paper.summary import summarize

SECONDS_BETWEEN_WRITES = 10.0


@dataclass(frozen=True)
class FrameScored:
    """Event: one frame has been scored."""

    row: FrameRow
    kept: bool
    """Whether the row is from an earlier run."""
    done: int
    total: int

    def to_json(self) -> dict[str, Any]:
        """Return the event as JSON."""
        counts = {"kept": self.kept, "done": self.done, "total": self.total}
        return {"event": "frame_scored", **self.row.to_json(), **counts}


class Progress:
    """The rows scored so far, in the dataset's order; written to the results folder about every 10 seconds."""

    def __init__(self, names: list[str], results: ResultsFolder | None, kept: Rows) -> None:
        self.rows = kept
        self._results = results
        self._order = {name: place for place, name in enumerate(names)}
        self._written = time.monotonic()

    def add(self, rows: Rows) -> Iterator[FrameScored]:
        """Add the rows of a chunk and yield one event per frame."""
        done, total = len(self.rows.frames), len(self._order)
        together = self.rows + rows
        self.rows = Rows(
            tuple(sorted(together.frames, key=lambda row: self._order[row.name])),
            tuple(sorted(together.scenes, key=lambda row: row.scene)),
        )
        if time.monotonic() - self._written > SECONDS_BETWEEN_WRITES:
            self.write()
        for place, row in enumerate(rows.frames):
            yield FrameScored(row, False, done + place + 1, total)

    def write(self) -> None:
        """Write all rows and their means."""
        if self._results is not None and self.rows.frames:
            self._results.write(self.rows, summarize(self.rows).to_json())
        self._written = time.monotonic()
