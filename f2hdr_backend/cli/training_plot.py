"""The picture of a training run: loss, flow errors and held-out scores over steps, from the run's CSV files."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

SMOOTHED_OVER = 50
"""Steps that one point of a curve is the mean of, at most."""


def draw(folder: Path) -> Path:
    """Write ``curves.png`` into a run's folder, from its ``train.csv`` and, if there, ``validation.csv``."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.use("Agg")
    steps, loss, coarse, adapted = _columns(folder / "train.csv")
    figure = Figure(figsize=(12, 4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    _curve(left, steps, loss, "loss")
    _curve(middle, steps, coarse, "estimator")
    _curve(middle, steps, adapted, "adapted")
    middle.set_ylabel("flow error, px")
    if (folder / "validation.csv").exists():
        right.plot(*_columns(folder / "validation.csv"), marker="o", label="held out")
        right.set_ylabel("PSNR_T, dB")
    for axes in (left, middle, right):
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    path = folder / "curves.png"
    figure.savefig(path, dpi=110)
    return path


def _curve(axes: Any, steps: list[float], values: list[float], label: str) -> None:
    """Means over stretches of steps: single steps see other windows and jump."""
    stretch = max(1, min(SMOOTHED_OVER, len(values) // 20))
    starts = range(0, len(values) - stretch + 1, stretch)
    means = [sum(values[start : start + stretch]) / stretch for start in starts]
    axes.plot([steps[start + stretch - 1] for start in starts], means, label=label)


def _columns(path: Path) -> list[list[float]]:
    """The columns of a CSV file as numbers, its head left out."""
    with path.open(newline="") as file:
        rows = [[float(value) for value in row] for row in list(csv.reader(file))[1:]]
    return [list(column) for column in zip(*rows, strict=True)]
