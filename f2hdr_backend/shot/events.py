"""Events of a render: the command line prints them, the server stores them, and farms read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Optional

from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.printable import printable


@dataclass(frozen=True)
class Event:
    """Base of every event."""

    def to_json(self) -> dict[str, Any]:
        """Return the event's fields with ``event``, the class name in snake case."""
        return {"event": re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower(), **asdict(self)}


@dataclass(frozen=True)
class PlateMeasured(Event):
    """Exposures or cuts were not given and were measured from ``frames`` frames."""

    frames: int
    exposures: str
    """The measured or given exposures, such as ``0,3 with frame 1001 at +0 EV``."""
    confidence: float
    """0 to 1."""
    cuts: tuple[int, ...]


@dataclass(frozen=True)
class ColorSettled(Event):
    """The plate's color was not given in full; these are the settings for the whole shot."""

    input_space: str
    why: str
    """Source of the input space, such as ``given``."""
    output_space: str
    config: str
    """The OCIO config; empty if none is used."""
    clip_level: tuple[float, ...]
    clip_source: str
    """``given``, ``full scale`` of integer codes, ``seen`` in the pixels, or the ``brightest value`` of a plate without
    clipped pixels.
    """


@dataclass(frozen=True)
class RenderStarted(Event):
    """The render starts; ``total`` is the number of requested frames, including those that are already done."""

    total: int
    done_before: int
    size: tuple[int, int]
    """(width, height) in pixels."""
    device: str
    precision: str
    weights: str
    """The weights' name, or ``merge``."""
    flow: str
    plan: str = ""
    """Description of the memory plan."""
    quality: str = ""
    """The quality level in use; empty for a method or weights that belong to no level."""
    seconds_a_frame: Optional[float] = None
    """Estimate in seconds from a probe on this machine; None if no time is known, as on a GPU."""
    next_quality: str = ""
    """The next better quality; empty for the best."""
    next_seconds_a_frame: Optional[float] = None


@dataclass(frozen=True)
class FrameDone(Event):
    """One frame is complete; ``seconds`` is its wall-clock time."""

    frame: int
    path: str
    seconds: float
    done: int
    total: int


@dataclass(frozen=True)
class FrameSkipped(Event):
    """One frame already existed with the same inputs and settings."""

    frame: int
    path: str
    done: int
    total: int


@dataclass(frozen=True)
class Warned(Event):
    """A warning for the user; ``frame`` is None if it concerns the whole shot."""

    code: str
    message: str
    frame: Optional[int] = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", printable(self.message))


@dataclass(frozen=True)
class RenderFinished(Event):
    """All frames are complete; ``seconds`` is the wall-clock time of the whole render."""

    rendered: int
    skipped: int
    seconds: float


@dataclass(frozen=True)
class FrameChecked(Event):
    """One rendered frame was checked; ``problem`` is empty if it is correct."""

    frame: int
    path: str
    problem: str
    method: str
    """Digests of weights, flow, precision and color config in its header; empty if there are none."""
    done: int
    total: int


COUNTED = {
    "nonfinite": "Pixels were NaN or Inf and were replaced",
    "above_clip": "Pixels exceed the clip level and were clipped",
    "exposures_off": "Brightness differs from the exposures and was corrected",
    "file_note": "Files have content that was not read, or was read with assumptions",
    "half_range": "Pixels exceed the range of half float",
    "redone_fp32": "Half precision overflowed and the frame was computed again in float32",
}
"""Warning codes that a render reports once, each with the beginning of the sentence that lists its frames."""
_NAMES = re.compile(r'"[^"]*"|[0-9]+')


def report_once(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the events of a render with only the first warning of each kind, for the codes in ``COUNTED``.

    Warnings are of one kind if they have the same code and, for those about files, differ only in paths and numbers.
    Before ``RenderFinished``, one more warning per code lists all frames that had it.
    """
    frames: dict[str, list[int]] = {}
    seen: set[str] = set()
    for event in events:
        if isinstance(event, Warned) and event.code in COUNTED and event.frame is not None:
            numbers = frames.setdefault(event.code, [])
            numbers += [event.frame] if event.frame not in numbers[-1:] else []
            kind = _NAMES.sub("", event.message) if event.code == "file_note" else event.code
            if kind in seen:
                continue
            seen.add(kind)
        if isinstance(event, RenderFinished):
            yield from (_summed_up(code, numbers) for code, numbers in frames.items() if len(numbers) > 1)
        yield event


def _summed_up(code: str, numbers: list[int]) -> Warned:
    return Warned(code, f"{COUNTED[code]} in {len(numbers)} frames: {FrameRange(tuple(numbers))}.")
