"""A number that never travels without the parameters it depends on, and the mean over frames that reports."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from f2hdr_backend.shot.errors import ImageError, ShotError

Parameter = str | int | float | bool
Parameters = tuple[tuple[str, Parameter], ...]

DECIMALS = {"dB": 2, "px": 2, "stops": 4, "s": 3, "GiB": 2, "JOD": 3}
PLAIN_DECIMALS = {"HDR-VDP-2.2 Q": 2}
"""By metric, for numbers without a unit; others have four."""


@dataclass(frozen=True)
class Score:
    """One metric of one frame (or one shot), with every parameter that the number depends on."""

    metric: str
    """The metric's published name, such as ``PSNR_T``."""
    value: float
    """The number; ``inf`` for the PSNR of identical frames."""
    unit: str = ""
    """A key of :data:`DECIMALS`, or empty for a plain number."""
    parameters: Parameters = ()
    """Name and value of each setting, in the order in which they are printed; alike for all frames of a mean."""
    facts: Parameters = ()
    """Name and value of what this one frame added, such as a data range read from it. A mean has those that all of
    its frames share, and the range of numbers that differ."""

    @property
    def decimals(self) -> int:
        """How many a table shows."""
        return DECIMALS.get(self.unit, PLAIN_DECIMALS.get(self.metric, 4))

    def __float__(self) -> float:
        """The bare number."""
        return self.value

    def __str__(self) -> str:
        """``PSNR_T 43.8700 dB (mu=5000, data_range=1)``: the number and what it depends on."""
        number = " ".join(part for part in (self.metric, f"{self.value:.4f}", self.unit) if part)
        settings = ", ".join(f"{name}={_text(value)}" for name, value in (*self.parameters, *self.facts))
        return f"{number} ({settings})" if settings else number

    def to_json(self) -> dict[str, object]:
        """The score as plain JSON types; a value that is not finite is written as text (``"inf"``)."""
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
    """The mean of one metric over frames, with the frames that could not take part."""

    score: Score
    """The mean as a score of the same metric, unit and parameters; ``inf`` when every frame is identical."""
    frames: int
    """How many frames the mean is over."""
    identical: tuple[str, ...] = ()
    """The frames left out because their score is infinite: prediction and reference are identical there."""

    def __str__(self) -> str:
        """The mean, the count, and the left-out frames by name."""
        text = f"{self.score}, mean of {self.frames} frames"
        return f"{text}; identical, left out: {', '.join(self.identical)}" if self.identical else text


def average(scores: Mapping[str, Score]) -> Average:
    """Mean over frames (not over scenes) of one metric; keys name the frames (``"scene/0007"``).

    Frames whose score is infinite (identical pictures) would make the mean infinite: they are left out
    and named. Only when no other frame is left is the mean itself infinite.

    Raises:
        ShotError: no scores, or scores of different metrics or parameters (they have no common mean).
        ImageError: a score that is not a number.
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
    """What a mean says of its frames' facts."""
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
    listed = "; ".join(sorted({str(Score(metric, 0.0, unit, p)) for metric, unit, p in kinds})[:3])
    return ShotError(
        f"{len(kinds)} kinds of score have no common mean: {listed}.",
        hint="Average frames scored with the same metric and parameters.",
    )


def _text(value: Parameter) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
