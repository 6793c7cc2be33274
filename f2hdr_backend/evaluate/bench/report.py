"""Everything that one benchmark run found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from f2hdr_backend.evaluate.bench.contenders import PLAIN
from f2hdr_backend.evaluate.bench.measure import Measured, NotRun

VERSION = 1
"""Of the JSON."""


@dataclass
class Report:
    """Results of one process on one machine; they are filled in as they come."""

    settings: dict[str, Any]
    """What was run, and on what: JSON."""
    results: list[Measured | NotRun] = field(default_factory=list)
    operations: dict[str, dict[str, float]] = field(default_factory=dict)
    """For each method that was counted: each part's operations a frame of 256 x 256 pixels."""

    @property
    def measured(self) -> list[Measured]:
        """The results that there are times for."""
        return [result for result in self.results if isinstance(result, Measured)]

    def plain_ratio(self, result: Measured) -> float | None:
        """How many times as long the plain run took at that size; None where it did not run."""
        for other in self.measured:
            if other.method == PLAIN and other.size == result.size:
                return other.seconds / result.seconds
        return None

    def to_json(self) -> dict[str, Any]:
        """A JSON object: ``settings``, ``results`` with the plain run's ratio, and ``operations_256``."""
        results = [
            {**result.to_json(), "plain_ratio": self.plain_ratio(result)}
            if isinstance(result, Measured)
            else result.to_json()
            for result in self.results
        ]
        return {"version": VERSION, "settings": self.settings, "results": results, "operations_256": self.operations}
