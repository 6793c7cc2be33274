"""Whether the pixels contradict exposures that were given or read from file headers: short where they are long."""

from __future__ import annotations

from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange

CLEAR_EV = 0.5
"""Steps smaller than this (stops) do not contradict another sign."""
_SHOWN = 4


def contradicted(pattern: ExposurePattern, pixels: ExposurePattern | None, frames: tuple[int, ...]) -> FrameRange:
    """Return those of ``frames`` that a pattern and the pixels order differently against the frame before or after.

    ``pixels`` is the pattern measured from the pixels alone; None contradicts nothing.
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
    """Return a pattern's exposures of the first few frames as words: frame 1001 +0 EV, 1002 +3 EV."""
    shown = frames.frames[:_SHOWN]
    return "frame " + ", ".join(f"{number} {pattern.ev(number):+g} EV" for number in shown)
