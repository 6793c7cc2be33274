"""Warnings that may come with every frame of a shot: told at the first, and counted at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from f2hdr_backend.shot.events import Event, RenderFinished, Warned
from f2hdr_backend.shot.frames import FrameRange

COUNTED = {
    "nonfinite": "Pixels were NaN or Inf and were replaced",
    "above_clip": "Pixels lie above the clip level and their light is lost",
    "exposures_off": "Light differs between frames from what their exposures say and was matched",
    "half_range": "Pixels lie beyond what half floats hold",
    "redone_fp32": "Half precision overflowed and the frame was computed again in float32",
}
"""Kinds of warnings that are told once, and the words that sum them up."""


def told_once(events: Iterable[Event]) -> Iterator[Event]:
    """The events of a render; of the warnings of a counted kind the first, and before the end which frames had it."""
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
