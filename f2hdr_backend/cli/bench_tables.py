"""The results of ``f2hdr bench`` as tables that fit into 80 columns."""

from __future__ import annotations

import sys
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from f2hdr_backend.evaluate.bench.measure import Measured, NotRun
    from f2hdr_backend.evaluate.bench.report import Report

PIPED_WIDTH = 100
"""Columns where standard output is not a terminal."""
GB = 10**9
TIMES = ("s/frame", "frames/s", "CPU s/frame", "first frame s", "plain / this")
MEMORY = ("host GB", "device GB", "how")


def show(report: Report) -> None:
    """Print a report to standard output."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)
    console.print(title(report), soft_wrap=True)
    facts = report.settings
    console.print(f"correlation by {facts['correlation']}; torch {facts['torch']}; {facts['system']}", soft_wrap=True)
    for table in (_times(report), _memory(report), _shares(report), _operations(report)):
        console.print(table)


def title(report: Report) -> str:
    """Return what was measured, as one line."""
    facts = report.settings
    untrained = " (untrained flow weights: times only)" if facts["untrained_flow"] else ""
    threads = f", threads: {facts['threads']}" if facts["device"] == "cpu" else ""
    return (
        f"weights {facts['weights']}, flow {facts['flow']}{untrained}, {facts['precision']} on {facts['device']} "
        f"({facts['processor']}{threads})"
    )


def _times(report: Report) -> Table:
    from f2hdr_backend.evaluate.bench.measure import Measured

    table = _table("time", "size", "method", *TIMES)
    for result in report.results:
        if not isinstance(result, Measured):
            table.add_row(_name(result), result.method, *["-"] * len(TIMES))
            continue
        ratio = report.plain_ratio(result)
        numbers = (result.seconds, 1 / result.seconds, median(result.processor_s), result.first_s)
        table.add_row(_name(result), result.method, *map(_digits, numbers), "-" if ratio is None else f"{ratio:.1f}")
    return table


def _memory(report: Report) -> Table:
    from f2hdr_backend.evaluate.bench.measure import Measured

    table = _table("memory", "size", "method", *MEMORY)
    for result in report.results:
        if isinstance(result, Measured):
            device = "-" if result.device_bytes is None else f"{result.device_bytes / GB:.2f}"
            table.add_row(_name(result), result.method, f"{result.host_bytes / GB:.2f}", device, result.plan)
        else:
            table.add_row(_name(result), result.method, "-", "-", result.why)
    return table


def _digits(value: float) -> str:
    """Return three digits, without an exponent for large values."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _shares(report: Report) -> Table:
    from f2hdr_backend.evaluate.bench.breakdown import PARTS

    table = _table("% of the time of a steady window", "size", "method", *PARTS)
    for result in report.measured:
        shares = (f"{100 * result.shares[part]:.0f}" for part in PARTS)
        table.add_row(_name(result), result.method, *shares)
    return table


def _operations(report: Report) -> Table:
    from f2hdr_backend.evaluate.bench.breakdown import PARTS

    heading = "GFLOP a frame of 256 x 256 in convolutions and linear layers; correlation, DIS and warps not counted"
    table = _table(heading, "method", *PARTS, "all")
    for method, found in report.operations.items():
        table.add_row(method, *(f"{found[part] / 1e9:.1f}" for part in PARTS), f"{sum(found.values()) / 1e9:.1f}")
    return table


def _name(result: Measured | NotRun) -> str:
    return f"{result.size[0]} x {result.size[1]}"


def _table(heading: str, *columns: str) -> Table:
    """A table with words to the left and numbers to the right."""
    from rich import box
    from rich.table import Table

    table = Table(title=heading or None, title_justify="left", title_style="", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="left" if column in ("size", "method", "how") else "right")
    return table
