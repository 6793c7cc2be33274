"""The exposures of a shot: which EV each frame was shot at, and which frames form its window.

Exposures are relative stops: one EV more is twice the light. Gain is ``2 ** (EV - lowest EV)``: 1 for the
shortest exposure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from f2hdr_backend.shot.errors import ExposureError, ShotError
from f2hdr_backend.shot.limits import limit
from f2hdr_backend.shot.setting import setting

SMALLEST_STEP_EV = 0.1
"""Two exposures closer than this (in stops) are one exposure: no plate alternates by less."""

LARGEST_EV = 32.0
"""EVs (in stops) lie within this of 0: no camera reaches it, and gains stay finite."""


@dataclass(frozen=True)
class ExposurePattern:
    """A repeating cycle of exposures. Raises ExposureError if it is empty, not finite or ambiguous."""

    cycle: tuple[float, ...] = setting(
        "Exposure of each frame of the repeating cycle, relative.",
        unit="stops",
        schema={"minItems": 1},
        items={"minimum": -LARGEST_EV, "maximum": LARGEST_EV},
    )
    start: int = setting("A frame shot at the first exposure of the cycle.", unit="frame")
    exceptions: tuple[tuple[int, float], ...] = setting(
        "Frames that leave the cycle, each with its own exposure.", default=(), unit="stops"
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "cycle", tuple(float(ev) for ev in self.cycle))
        exceptions = tuple(sorted((int(frame), float(ev)) for frame, ev in self.exceptions))
        object.__setattr__(self, "exceptions", exceptions)
        if not self.cycle:
            raise ExposureError("The exposure cycle is empty.", hint="Give one EV a frame, like 0,3.")
        if len(self.cycle) > limit("cycle"):
            raise ExposureError(
                f"The exposure cycle has {len(self.cycle)} exposures; the limit is {limit('cycle')}.",
                hint="Give one EV for each frame of the repeating cycle, such as 0,3.",
                field="cycle",
            )
        if not all(abs(ev) <= LARGEST_EV for ev in self._all_evs()):
            raise ExposureError(
                f"An exposure is not within {LARGEST_EV:g} stops of 0.",
                cycle=self.cycle,
                exceptions=exceptions,
            )
        if len(dict(exceptions)) != len(exceptions):
            raise ExposureError("A frame has two exposure exceptions.", exceptions=exceptions)

    @staticmethod
    def parse_steps(text: str) -> tuple[float, ...]:
        """Read ``0,3``: one EV in stops per frame of the cycle. ExposureError unless they alternate."""
        try:
            cycle = tuple(float(part) for part in text.split(","))
        except ValueError:
            raise ExposureError(
                f'"{text}" is not a list of exposures.',
                hint="Give stops with commas, like 0,3 or -2,0.",
                text=text,
            ) from None
        ExposurePattern(cycle, 0)._require_alternating()
        return cycle

    @classmethod
    def beginning(cls, cycle: tuple[float, ...], frame: int, exposure: str) -> ExposurePattern:
        """Return the pattern whose ``frame`` has the ``"short"`` (lowest) or ``"long"`` (highest) EV of ``cycle``.

        Raises ExposureError for another word.
        """
        choices = {"short": min(cycle), "long": max(cycle)}
        if exposure not in choices:
            raise ExposureError(f'The first exposure cannot be "{exposure}".', hint="Use short or long.")
        return cls(cycle, frame - cycle.index(choices[exposure]))

    def ev(self, frame: int) -> float:
        """Return the exposure of a frame in stops."""
        return dict(self.exceptions).get(frame, self.cycle[(frame - self.start) % len(self.cycle)])

    def gain(self, frame: int) -> float:
        """Return how many times more light a frame got than the shortest exposure; at least 1."""
        return float(2.0 ** (self.ev(frame) - self.lowest))

    def anchor_gain(self, anchor: str) -> float:
        """Return the factor on radiance that puts the clip of the anchor exposure at 1.0.

        Args:
            anchor: ``long``, ``short``, or an EV between the shot's lowest and highest.

        Raises:
            ExposureError: an EV outside the shot's exposures.
        """
        ev = {"long": self.highest, "short": self.lowest}.get(anchor)
        if ev is None:
            ev = float(anchor)
            if not self.lowest <= ev <= self.highest:
                raise ExposureError(
                    f"The anchor EV {ev:g} is outside the shot's exposures, {self.lowest:g} to {self.highest:g}.",
                    hint="Give an EV between them, or long or short.",
                )
        return float(2.0 ** (ev - self.lowest))

    @property
    def lowest(self) -> float:
        """The EV of the shortest exposure in stops, exceptions included."""
        return min(self._all_evs())

    @property
    def highest(self) -> float:
        """The EV of the longest exposure in stops, exceptions included."""
        return max(self._all_evs())

    @property
    def ratio_stops(self) -> float:
        """The distance from the shortest to the longest exposure in stops."""
        return self.highest - self.lowest

    @property
    def is_alternating(self) -> bool:
        """Whether no two successive frames of the cycle have the same exposure."""
        following = self.cycle[1:] + self.cycle[:1]
        return all(abs(b - a) >= SMALLEST_STEP_EV for a, b in zip(self.cycle, following))

    def neighbors(self, frame: int, first: int, last: int, cuts: Iterable[int] = ()) -> tuple[int, int]:
        """Return the two neighbors of a frame's window, (previous, next).

        These are ``frame - 1`` and ``frame + 1``. Where one lies beyond ``first``, ``last`` or a cut, the
        other stands in for it: with two exposures that keeps the cadence. A single frame is its own neighbor.
        A cut is the number of the first frame after it; cuts outside the shot are ignored.

        Raises ExposureError if the cycle does not alternate, ShotError if the frame is not within the shot.
        """
        self._require_alternating()
        if not first <= frame <= last:
            raise ShotError(f"Frame {frame} is outside the plate's {first}-{last}.", frame=frame)
        cut_at = set(cuts)
        has_previous = frame > first and frame not in cut_at
        has_next = frame < last and frame + 1 not in cut_at
        previous = frame - 1 if has_previous else frame + has_next
        following = frame + 1 if has_next else frame - has_previous
        return previous, following

    def _all_evs(self) -> tuple[float, ...]:
        return self.cycle + tuple(ev for _, ev in self.exceptions)

    def _require_alternating(self) -> None:
        if not self.is_alternating:
            steps = ",".join(f"{ev:g}" for ev in self.cycle)
            raise ExposureError(
                f"The exposures {steps} do not alternate.",
                hint="Successive frames need different exposures, like --exposures 0,3.",
                cycle=self.cycle,
            )
