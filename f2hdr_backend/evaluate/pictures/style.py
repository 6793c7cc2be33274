"""The colors of all pictures and charts: dark and neutral, so that they do not affect color perception."""

from __future__ import annotations

from typing import Any

Color = tuple[int, int, int]

GROUND: Color = (38, 38, 38)
INK: Color = (236, 236, 236)
FAINT: Color = (165, 165, 165)
GRID: Color = (66, 66, 66)
MARK: Color = (255, 170, 0)
"""Outlines a part of a picture."""
FAULT: Color = (255, 92, 80)
SERIES: tuple[Color, ...] = ((255, 170, 0), (110, 190, 255), (226, 124, 204), (126, 211, 120))
"""The lines of a chart, in this order; different in hue and in brightness."""


def matplotlib_style() -> dict[str, Any]:
    """Return matplotlib's rcParams for these colors."""
    ground, ink, faint, grid = (_hex(color) for color in (GROUND, INK, FAINT, GRID))
    return {
        "axes.edgecolor": grid,
        "axes.facecolor": ground,
        "axes.grid": True,
        "axes.labelcolor": faint,
        "axes.prop_cycle": f"cycler(color={[_hex(color) for color in SERIES]})",
        "axes.titlecolor": ink,
        "figure.facecolor": ground,
        "grid.color": grid,
        "legend.edgecolor": grid,
        "legend.facecolor": ground,
        "legend.labelcolor": ink,
        "text.color": ink,
        "xtick.color": faint,
        "ytick.color": faint,
    }


def _hex(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
