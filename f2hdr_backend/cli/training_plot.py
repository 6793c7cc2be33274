"""The curves of a training run over its steps: loss, the other columns of its log, and held-out scores."""

from __future__ import annotations

import contextlib
import csv
import os
from pathlib import Path
from typing import Any

from f2hdr_backend.shot.atomic import atomic_file
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.read_text import read_text
from f2hdr_backend.train.run import LOG, VALIDATION

SMOOTHED_OVER = 50
"""Maximum number of steps that one point of a curve is the mean of."""


def draw(folder: Path) -> Path:
    """Write ``curves.png`` into a run's folder, from its ``train.csv`` and, if there, ``validation.csv``.

    Raises DocumentError if a log cannot be read, UnwritableFrame if the picture cannot be written,
    ModuleNotFoundError without matplotlib, which the extra ``train`` installs.
    """
    with contextlib.chdir(os.path.dirname(__file__)):  # it would read the settings in a matplotlibrc of the folder
        import matplotlib

    from f2hdr_backend.evaluate.pictures.style import matplotlib_style

    style: Any = {"backend": "Agg", **matplotlib_style()}
    with matplotlib.rc_context(style):
        return _draw(folder)


def _draw(folder: Path) -> Path:
    from matplotlib.figure import Figure

    (_, _, *names), (steps, loss, *figures) = _table(folder / LOG)
    figure = Figure(figsize=(12, 4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    _curve(left, steps, loss, "loss")
    for name, values in list(zip(names, figures, strict=True))[:2]:
        _curve(middle, steps, values, name)
    if (folder / VALIDATION).exists():
        right.plot(*_table(folder / VALIDATION)[1], marker="o", label="held out")
        right.set_ylabel("PSNR_T, dB")
    for axes in (left, middle, right):
        axes.set_xlabel("step")
        if axes.lines:
            axes.legend()
    path = folder / "curves.png"
    with atomic_file(path) as file:
        figure.savefig(file, format="png", dpi=110)
    return path


def _curve(axes: Any, steps: list[float], values: list[float], label: str) -> None:
    """Means over stretches of steps: single steps see other windows and jump."""
    stretch = max(1, min(SMOOTHED_OVER, len(values) // 20))
    starts = range(0, len(values) - stretch + 1, stretch)
    means = [sum(values[start : start + stretch]) / stretch for start in starts]
    axes.plot([steps[start + stretch - 1] for start in starts], means, label=label)


def _table(path: Path) -> tuple[list[str], list[list[float]]]:
    """The names of a CSV file's columns, and their numbers. Raises DocumentError."""
    try:
        names, *rows = csv.reader(read_text(path).splitlines())
        return names, [list(column) for column in zip(*([float(value) for value in row] for row in rows), strict=True)]
    except (ValueError, csv.Error) as error:
        raise DocumentError(f'"{path}" is not the log of a training run: {error}.', path=str(path)) from error
