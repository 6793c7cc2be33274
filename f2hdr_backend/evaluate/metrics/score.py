"""A metric's value together with all parameters that it depends on, and the mean over frames."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from f2hdr_backend.shot.errors import ImageError, ShotError

Parameter = str | int | float | bool
Parameters = tuple[tuple[str, Parameter], ...]

DECIMALS = {"dB": 2, "px": 2, "stops": 4, "s": 3, "GiB": 2, "JOD": 3}
PLAIN_DECIMALS = {"HDR-VDP-2.2 Q": 2}
"""Decimals by metric, for values without a unit; other metrics have four."""


@dataclass(frozen=True)
class Score:
    """The value of one metric for one frame or one shot, with all parameters that it depends on."""

    metric: str
    """The metric's published name, such as ``PSNR_T``."""
    value: float
    """The value; ``inf`` for the PSNR of identical frames."""
    unit: str = ""
    """A key of :data:`DECIMALS`, or empty for a plain number."""
    parameters: Parameters = ()
    """Name and value of each setting, in display order; equal for all frames of a mean."""
    facts: Parameters = ()
    """Name and value of properties of this frame, such as a data range read from it. A mean has those that all of its
    frames have: the value if it is equal, or else the range of the numbers.
    """

    @property
    def decimals(self) -> int:
        """Number of decimals in tables."""
        return DECIMALS.get(self.unit, PLAIN_DECIMALS.get(self.metric, 4))

    def __float__(self) -> float:
        """The value without parameters."""
        return self.value

    def __str__(self) -> str:
        """Return a text such as ``PSNR_T 43.8700 dB (mu=5000, data_range=1)``."""
        number = " ".join(part for part in (self.metric, f"{self.value:.4f}", self.unit) if part)
        settings = listed((*self.parameters, *self.facts))
        return f"{number} ({settings})" if settings else number

    def to_json(self) -> dict[str, object]:
        """Return the score as JSON types; a value that is not finite is written as text (``"inf"``)."""
        value: object = self.value if math.isfinite(self.value) else str(self.value)
        return {
            "metric": self.metric,
            "value": value,
            "unit": self.unit,
            "parameters": dict(self.parameters),
            "facts": dict(self.facts),
        }


@dataclass(frozen=True)
class Average:
    """The mean of one metric over frames, with a list of the excluded frames."""

    score: Score
    """The mean as a score of the same metric, unit and parameters; ``inf`` if all frames are identical."""
    frames: int
    """Number of frames in the mean."""
    identical: tuple[str, ...] = ()
    """Frames excluded from the mean because prediction and reference are identical and the score is infinite."""

    def __str__(self) -> str:
        """Return a text with the mean, the number of frames, and the names of the excluded frames."""
        text = f"{self.score}, mean of {self.frames} frames"
        return f"{text}; identical, excluded: {', '.join(self.identical)}" if self.identical else text


def average(scores: Mapping[str, Score]) -> Average:
    """Return the mean over frames (not over scenes) of one metric; keys are frame names (``"scene/0007"``).

    Frames with an infinite score (identical images) would make the mean infinite: they are excluded and listed. The
    mean is infinite only if all frames are identical.

    Raises:
        ShotError: no scores, or scores with different metrics or parameters, which have no common mean.
        ImageError: a score is NaN.
    """
    kinds = {(score.metric, score.unit, score.parameters) for score in scores.values()}
    if len(kinds) != 1:
        raise _no_mean(scores, kinds)
    invalid = [name for name, score in scores.items() if math.isnan(score.value)]
    if invalid:
        raise ImageError(f"The score of {', '.join(invalid)} is not a number.", hint="Score the frame again.")
    finite = [score.value for score in scores.values() if math.isfinite(score.value)]
    identical = tuple(name for name, score in scores.items() if math.isinf(score.value))
    mean = math.fsum(finite) / len(finite) if finite else math.inf
    metric, unit, parameters = kinds.pop()
    facts = tuple(_common_facts([dict(score.facts) for score in scores.values()]))
    return Average(Score(metric, mean, unit, parameters, facts), len(finite), identical)


def _common_facts(frames: Sequence[Mapping[str, Parameter]]) -> Iterator[tuple[str, Parameter]]:
    """Yield the facts that all frames have: equal values, or the range of different numbers."""
    for name in frames[0]:
        values = [facts[name] for facts in frames if name in facts]
        numbers = [value for value in values if not isinstance(value, str)]
        if len(values) < len(frames):
            continue
        if len(set(values)) == 1:
            yield name, values[0]
        elif len(numbers) == len(values):
            yield name, f"{_text(min(numbers))} to {_text(max(numbers))}"


def _no_mean(scores: Mapping[str, Score], kinds: set[tuple[str, str, Parameters]]) -> ShotError:
    if not scores:
        return ShotError("There are no scores to average.", hint="Score at least one frame.")
    named = "; ".join(sorted({str(Score(metric, 0.0, unit, p)) for metric, unit, p in kinds})[:3])
    return ShotError(
        f"{len(kinds)} kinds of score have no common mean: {named}.",
        hint="Average frames scored with the same metric and parameters.",
    )


def listed(values: Parameters) -> str:
    """Return parameters or facts as text: ``mu=5000, data_range=1``."""
    return ", ".join(f"{name}={_text(value)}" for name, value in values)


def _text(value: Parameter) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
