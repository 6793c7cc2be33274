"""Texts for exposures, shared by all parts of the window."""

from __future__ import annotations

from f2hdr_backend.shot.exposure import ExposurePattern


def stops(ev: float) -> str:
    """Return an exposure as text: 0, +3, -1.5."""
    return f"{ev:+g}" if ev else "0"


def exposure_name(pattern: ExposurePattern, ev: float) -> str:
    """Return ``short``, ``long`` or ``middle``."""
    return "short" if ev == pattern.lowest else "long" if ev == pattern.highest else "middle"
