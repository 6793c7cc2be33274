"""What a render tells as it goes: one stream that a command line prints, a server stores, a farm reads."""

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
    """Exposures or cuts were not given, and so many frames were read to find them."""

    frames: int
    exposures: str
    """What was found or given, such as ``0,3 with frame 1001 at +0 EV``."""
    confidence: float
    """0 to 1."""
    cuts: tuple[int, ...]


@dataclass(frozen=True)
class ColorSettled(Event):
    """The plate's color was not given in full; this is what it is taken for, once for the whole shot."""

    input_space: str
    why: str
    """Why that input space: ``given``, or the source of it."""
    output_space: str
    config: str
    """The OCIO config; empty where none is used."""
    clip_level: tuple[float, ...]
    clip_source: str
    """``given``, ``full scale`` of integer codes, ``seen`` in the pixels, or the ``brightest value`` of a plate that
    was not seen to clip."""


@dataclass(frozen=True)
class RenderStarted(Event):
    """The plan is made and the work begins; ``total`` counts the frames asked for, done ones included."""

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
    """How frames are computed within the memory there is."""
    quality: str = ""
    """The quality step in use; empty for a method or weights that are of none."""
    seconds_a_frame: Optional[float] = None
    """Estimated from the time of a probe on this machine; None where no time is known, as on a GPU."""
    next_quality: str = ""
    """The next better quality; empty at the best."""
    next_seconds_a_frame: Optional[float] = None


@dataclass(frozen=True)
class FrameDone(Event):
    """One frame is written and complete; ``seconds`` is the wall time it took."""

    frame: int
    path: str
    seconds: float
    done: int
    total: int


@dataclass(frozen=True)
class FrameSkipped(Event):
    """One frame was already there, made from the same inputs and settings."""

    frame: int
    path: str
    done: int
    total: int


@dataclass(frozen=True)
class Warned(Event):
    """Something the user should know; ``frame`` is None where it concerns the whole shot."""

    code: str
    message: str
    frame: Optional[int] = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", printable(self.message))


@dataclass(frozen=True)
class RenderFinished(Event):
    """All frames are there; ``seconds`` is the wall time of the whole render."""

    rendered: int
    skipped: int
    seconds: float


@dataclass(frozen=True)
class FrameChecked(Event):
    """One rendered frame was looked at; ``problem`` is empty if it is right."""

    frame: int
    path: str
    problem: str
    method: str
    """Digests of the weights, flow and precision, and of the color config, that made it; empty if it does not tell."""
    done: int
    total: int


COUNTED = {
    "nonfinite": "Pixels were NaN or Inf and were replaced",
    "above_clip": "Pixels lie above the clip level and their radiance is lost",
    "exposures_off": "Brightness differs between frames from what their exposures predict, and was matched",
    "file_note": "Files have content that was not read, or read in a special way",
    "half_range": "Pixels lie beyond what half floats hold",
    "redone_fp32": "Half precision overflowed and the frame was computed again in float32",
}
"""Warning codes that a render reports once, each with the sentence that counts its frames."""


def report_once(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the events of a render with only the first warning of each code in ``COUNTED``.

    Before ``RenderFinished``, one more warning a code names all frames that had it.
    """
    frames: dict[str, list[int]] = {}
    for event in events:
        if isinstance(event, Warned) and event.code in COUNTED and event.frame is not None:
            frames.setdefault(event.code, []).append(event.frame)
            if len(frames[event.code]) > 1:
                continue
        if isinstance(event, RenderFinished):
            yield from (_summed_up(code, numbers) for code, numbers in frames.items() if len(numbers) > 1)
        yield event


def _summed_up(code: str, numbers: list[int]) -> Warned:
    return Warned(code, f"{COUNTED[code]} in {len(numbers)} frames: {FrameRange(tuple(numbers))}.")
