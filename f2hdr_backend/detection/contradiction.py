"""Detects contradictions between the pixels and exposures that were given or read from file headers."""

from __future__ import annotations

from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange

CLEAR_EV = 0.5
"""Smaller steps in stops do not count as a contradiction."""
_SHOWN = 4


def contradicted(pattern: ExposurePattern, pixels: ExposurePattern | None, frames: tuple[int, ...]) -> FrameRange:
    """Return those of ``frames`` whose order of brightness to the adjacent frame differs between pattern and pixels.

    ``pixels`` is the pattern measured from the pixels; None contradicts nothing.
    """
    if pixels is None:
        return FrameRange(())
    wrong: set[int] = set()
    for before, after in zip(frames, frames[1:], strict=False):
        stated, seen = (source.ev(after) - source.ev(before) for source in (pattern, pixels))
        if min(abs(stated), abs(seen)) >= CLEAR_EV and stated * seen < 0:
            wrong.update((before, after))
    return FrameRange(tuple(wrong))


def reading(pattern: ExposurePattern, frames: FrameRange) -> str:
    """Return a pattern's exposures of the first few frames as text: frame 1001 +0 EV, 1002 +3 EV."""
    shown = frames.frames[:_SHOWN]
    return "frame " + ", ".join(f"{number} {pattern.ev(number):+g} EV" for number in shown)
