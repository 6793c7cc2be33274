"""The exposures of a shot: the EV of each frame, and the frames of its window.

Exposures are relative, in stops: one EV more is twice the light. Gain is ``2 ** (EV - lowest EV)``: 1 for the
shortest exposure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from f2hdr_backend.shot.errors import ExposureError, ShotError
from f2hdr_backend.shot.limits import limit
from f2hdr_backend.shot.setting import setting

SMALLEST_STEP_EV = 0.1
"""Minimum difference of two exposures in stops; closer exposures count as equal."""

LARGEST_EV = 32.0
"""Maximum absolute EV in stops, so that gains stay finite."""


@dataclass(frozen=True)
class ExposurePattern:
    """A repeating cycle of exposures. Raises ExposureError if it is empty, not finite or inconsistent."""

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
            raise ExposureError("The exposure cycle is empty.", hint="Give one EV per frame of the cycle, such as 0,3.")
        if len(self.cycle) > limit("cycle"):
            raise ExposureError(
                f"The exposure cycle has {len(self.cycle)} exposures; the limit is {limit('cycle')}.",
                hint="Give one EV per frame of the cycle, such as 0,3.",
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
        """Parse ``0,3``: one EV in stops per frame of the cycle. Raises ExposureError unless they alternate."""
        try:
            cycle = tuple(float(part) for part in text.split(","))
        except ValueError:
            raise ExposureError(
                f'"{text}" is not a list of exposures.',
                hint="Give stops separated by commas, such as 0,3 or -2,0.",
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
        """Return the exposure of a frame relative to the shortest, as a factor; at least 1."""
        return float(2.0 ** (self.ev(frame) - self.lowest))

    def anchor_gain(self, anchor: str) -> float:
        """Return the factor on radiance that scales the clip level of the anchor exposure to 1.0.

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
        """The difference between the longest and the shortest exposure in stops."""
        return self.highest - self.lowest

    @property
    def is_alternating(self) -> bool:
        """Whether consecutive frames of the cycle always differ in exposure."""
        following = self.cycle[1:] + self.cycle[:1]
        return all(abs(b - a) >= SMALLEST_STEP_EV for a, b in zip(self.cycle, following))

    def neighbors(self, frame: int, first: int, last: int, cuts: Iterable[int] = ()) -> tuple[int, int]:
        """Return the two neighbors of a frame's window, (previous, next).

        These are ``frame - 1`` and ``frame + 1``. If one is outside ``first`` to ``last`` or beyond a cut, the other
        one is used twice: with two exposures that preserves the alternation. A single frame is its own neighbor. A cut
        is the number of the first frame after it; cuts outside the shot are ignored. Raises ExposureError if the cycle
        does not alternate, ShotError if the frame is outside the shot.
        """
        self._require_alternating()
        if not first <= frame <= last:
            raise ShotError(f"Frame {frame} is outside the plate's frames {first}-{last}.", frame=frame)
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
                hint="Consecutive frames need different exposures, such as 0,3.",
                cycle=self.cycle,
            )
