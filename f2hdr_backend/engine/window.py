"""Select the frames and exposures from which a frame is reconstructed."""

from __future__ import annotations

from dataclasses import dataclass

from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import ExposureError
from f2hdr_backend.shot.exposure import SMALLEST_STEP_EV, ExposurePattern
from f2hdr_backend.shot.frames import FrameRange


@dataclass(frozen=True)
class Window:
    """The numbers of a reference frame and its two neighbors, with their exposures relative to the shot's shortest."""

    previous: int
    reference: int
    next: int
    exposures: tuple[float, float, float]
    """Exposures of previous, reference and next; 1 is the shortest."""

    @property
    def frames(self) -> tuple[int, int, int]:
        """Frame numbers of previous, reference and next."""
        return self.previous, self.reference, self.next


def window_of(frame: int, shot: Shot, plate: FrameRange) -> Window:
    """Return the window of a frame: its neighbors in time, mirrored at the plate's ends, at cuts and at dropped frames.

    A dropped frame makes adjacent exposures equal; the neighbor on the other side is then used twice.

    Raises:
        ExposureError: the shot has no exposures, or they do not alternate.
        ShotError: the frame is outside the plate.
    """
    pattern = settled_exposures(shot)
    previous, following = pattern.neighbors(frame, plate.first, plate.last, shot.cuts or ())
    previous_helps, next_helps = (_differs(pattern, frame, other) for other in (previous, following))
    if not previous_helps and next_helps:
        previous = following
    elif not next_helps and previous_helps:
        following = previous
    gains = tuple(pattern.gain(number) for number in (previous, frame, following))
    return Window(previous, frame, following, (gains[0], gains[1], gains[2]))


def settled_exposures(shot: Shot) -> ExposurePattern:
    """Return the shot's exposures. Raises ExposureError if they are not settled."""
    if shot.exposures is None:
        raise ExposureError("The Shot has no exposures.", hint="Give --exposures 0,3, or run f2hdr detect.")
    return shot.exposures


def _differs(pattern: ExposurePattern, frame: int, other: int) -> bool:
    return abs(pattern.ev(frame) - pattern.ev(other)) >= SMALLEST_STEP_EV
