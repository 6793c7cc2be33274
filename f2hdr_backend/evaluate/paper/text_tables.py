"""Text tables of a benchmark run: comparison with the paper, exposures, scenes, and the parameters of every metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from f2hdr_backend.evaluate.metrics.score import Score, listed
from f2hdr_backend.evaluate.paper.published import ABLATIONS, BY_DATASET, OURS, TABLE_4, PublishedTable
from f2hdr_backend.evaluate.paper.results import FrameRow
from f2hdr_backend.evaluate.paper.summary import Averages, Summary

THIS_RUN, DIFFERENCE = "this run", "difference"

Row = tuple[str, Mapping[str, str]]


def published_lines(dataset: str, summary: Summary, *, ablation: bool) -> Iterator[str]:
    """Yield each table of the paper that shares a column with this run, with this run and its difference from the
    paper.

    Args:
        dataset: name with dashes.
        summary: the run.
        ablation: whether to include Table 5.
    """
    tables = BY_DATASET.get(dataset, ()) + (ABLATIONS.get(dataset, ()) if ablation else ())
    for table in tables:
        columns = [column for column in table.rows[OURS] if column in summary.all]
        if columns:
            yield f"{table.title}  ({table.source})"
            yield from _table(columns, _beside(table, columns, summary))
            yield from [table.remark] if table.remark else []
            yield ""


def exposure_lines(summary: Summary) -> Iterator[str]:
    """Yield the means of all frames, and of those with a low and with a high reference exposure."""
    groups = (("all frames", summary.all), ("low reference", summary.low), ("high reference", summary.high))
    rows = [(name, _numbers(averages)) for name, averages in groups if averages]
    yield from _table(list(summary.all), rows)


def scene_lines(summary: Summary) -> Iterator[str]:
    """Yield the means of every scene."""
    yield from _table(list(summary.all), [(scene, _numbers(means)) for scene, means in summary.scenes.items()])


def parameter_lines(summary: Summary) -> Iterator[str]:
    """Yield each metric with its parameters, then remarks about frames."""
    for column, mean in summary.all.items():
        score = mean.score
        settings = listed((*score.parameters, *score.facts))
        what = ", ".join(part for part in (score.metric if score.metric != column else "", score.unit) if part)
        yield f"{column}{f' ({what})' if what else ''}: {settings}"
        if mean.identical:
            yield f"  identical to the truth and excluded from the mean: {', '.join(mean.identical)}"
    if summary.rescaled:
        yield (
            f"{len(summary.rescaled)} of {summary.frames} frames have ground truth above 1, which was divided by its "
            "maximum; the plate's own pixels were not (the published rule)."
        )


def cost_lines(rows: Sequence[FrameRow]) -> Iterator[str]:
    """Yield the seconds per frame next to Table 4, if frames have one of its sizes."""
    for size, published in TABLE_4.rows[OURS].items():
        timed = [row.scores["seconds"].value for row in rows if ("size", size) in row.scores["seconds"].facts]
        if timed:
            yield f"{TABLE_4.title}  ({TABLE_4.source})"
            yield f"{size}: {OURS} {published:.3f}, {THIS_RUN} {fmean(timed):.3f}"


def _beside(table: PublishedTable, columns: Sequence[str], summary: Summary) -> list[Row]:
    ours = summary.all
    rows: list[Row] = []
    for method, values in table.rows.items():
        there = [column for column in columns if column in values]
        rows.append((method, {column: _number(ours[column].score, values[column]) for column in there}))
    paper = table.rows[OURS]
    gaps = {
        column: f"{round(ours[column].score.value, 9) - paper[column]:+.{ours[column].score.decimals}f}"
        for column in columns
    }
    return [*rows, (THIS_RUN, _numbers(ours)), (DIFFERENCE, gaps)]


def _numbers(averages: Averages) -> dict[str, str]:
    return {column: _number(mean.score, mean.score.value) for column, mean in averages.items()}


def _number(score: Score, value: float) -> str:
    return f"{value:.{score.decimals}f}"


def _table(columns: Sequence[str], rows: Sequence[Row]) -> Iterator[str]:
    """Yield a heading and one line per row; a missing value is a dash."""
    first = max(len(name) for name, _ in rows)
    widths = [max(len(column), 8) for column in columns]
    heading = (f"{column:>{width}}" for column, width in zip(columns, widths, strict=True))
    yield "  ".join((" " * first, *heading))
    for name, numbers in rows:
        cells = (f"{numbers.get(column, '-'):>{width}}" for column, width in zip(columns, widths, strict=True))
        yield "  ".join((f"{name:{first}}", *cells))
