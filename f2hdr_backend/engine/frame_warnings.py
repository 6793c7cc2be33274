"""Warnings about single frames of a render."""

from __future__ import annotations

import math
from collections.abc import Iterator

from f2hdr_backend.engine.window import Window
from f2hdr_backend.image.frame import PlateImage
from f2hdr_backend.shot.events import Warned

NOTABLE_LEVEL = 1.05
"""Ratio between a neighbor's measured and given exposure from which a render reports it."""


def input_warnings(number: int, image: PlateImage, above_clip: int) -> Iterator[Warned]:
    """Warn of what was found in the file of frame ``number``, with ``above_clip`` pixels above the clip level."""
    yield from (Warned("file_note", note, number) for note in image.notes)
    if image.nonfinite:
        yield Warned(
            "nonfinite", f"{image.nonfinite} pixels of {image.path} were NaN or Inf and were replaced.", number
        )
    if above_clip:
        yield Warned(
            "above_clip", f"{above_clip} pixels of {image.path} exceed the clip level and were clipped.", number
        )


def level_warnings(window: Window, matched: tuple[float, float]) -> Iterator[Warned]:
    """Warn if the brightness of a neighbor had to be matched to the reference, by the factors ``matched``."""
    factor = max(matched, key=lambda factor: abs(math.log(factor)))
    if abs(math.log(factor)) > math.log(NOTABLE_LEVEL):
        side = window.frames[2 * matched.index(factor)]
        off, way = abs(1 / factor - 1), "brighter" if factor < 1 else "darker"
        found = f"Frame {side} is {off:.0%} {way} than its exposure implies, compared with frame {window.reference}"
        yield Warned("exposures_off", f"{found}; its level was corrected.", window.reference)


def range_warnings(window: Window, beyond: int) -> Iterator[Warned]:
    """Warn if pixels were clipped to the range of half floats."""
    if beyond:
        message = f"{beyond} pixels exceed the range of half float; use --pixel-type float."
        yield Warned("half_range", message, window.reference)
