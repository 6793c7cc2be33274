"""The results of one benchmark run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from f2hdr_backend.evaluate.bench.measure import Measured, NotRun
from f2hdr_backend.evaluate.bench.methods import PLAIN

VERSION = 1
"""Version of the JSON document."""


@dataclass
class Report:
    """Results of one process on one machine, added one after the other."""

    settings: dict[str, Any]
    """Settings and machine, as JSON."""
    results: list[Measured | NotRun] = field(default_factory=list)
    operations: dict[str, dict[str, float]] = field(default_factory=dict)
    """By method: the FLOPs of each part for a frame of 256 x 256 pixels."""

    @property
    def measured(self) -> list[Measured]:
        """The results with measured times."""
        return [result for result in self.results if isinstance(result, Measured)]

    def plain_ratio(self, result: Measured) -> float | None:
        """Return the plain run's time divided by that of ``result`` at the same size; None if it did not run."""
        for other in self.measured:
            if other.method == PLAIN and other.size == result.size:
                return other.seconds / result.seconds
        return None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object: ``settings``, ``results`` with the ratio to the plain run, and ``operations_256``."""
        results = [
            {**result.to_json(), "plain_ratio": self.plain_ratio(result)}
            if isinstance(result, Measured)
            else result.to_json()
            for result in self.results
        ]
        return {"version": VERSION, "settings": self.settings, "results": results, "operations_256": self.operations}
