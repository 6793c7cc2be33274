"""Frames of a moving window, for tests of methods."""

from __future__ import annotations

from f2hdr_backend.engine.method.features import NetworkFrame
from f2hdr_backend.evaluate.bench.pan_plate import Pan


def moving_window(size: tuple[int, int], count: int) -> list[NetworkFrame]:
    """``count`` frames of (width, height) of a pan at alternating exposures."""
    first, *later = Pan(size, count - 2).windows()
    return [*first, *(window[2] for window in later)]
