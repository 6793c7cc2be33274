"""``f2hdr compare``: scores of two sequences, and one HTML page to compare them by eye."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.command import Section
from f2hdr_backend.cli.shot_options import existing_plate
from f2hdr_backend.shot.errors import ShotError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.sizes import format_size

if TYPE_CHECKING:
    from f2hdr_backend.evaluate.metrics.score import Score
    from f2hdr_backend.evaluate.page.comparison import Comparison
    from f2hdr_backend.evaluate.page.page import Page, PageFrame, ScoreRow


def register(app: typer.Typer) -> None:
    """Add the verb ``compare`` to the command line."""
    app.command("compare", rich_help_panel=Section.DELIVER)(compare)


def compare(
    a: Annotated[
        str,
        typer.Argument(
            help="One sequence: a.####.exr, a folder, one of its files, a glob in quotes or a movie.", metavar="A"
        ),
    ],
    b: Annotated[str, typer.Argument(help="The other, named in the same ways.", metavar="B")],
    output: Annotated[Path, typer.Option("--output", "-o", help="HTML page to write.")],
    truth: Annotated[str | None, typer.Option(help="Ground truth for both, named in the same ways.")] = None,
    frames: Annotated[
        str | None, typer.Option(help="Frames to compare, such as 1001-1010. Default: all frames of A.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
    page_frames: Annotated[
        int, typer.Option(help="Maximum number of frames in the page, evenly spaced. Scores use all frames.")
    ] = 8,
    page_width: Annotated[
        int | None, typer.Option(help="Maximum width of the page's pictures in pixels. Scores use the full size.")
    ] = None,
    white: Annotated[
        float | None,
        typer.Option(
            help="Radiance that counts as 1 in the scores. Default: the clip of the short exposure, "
            "or the maximum if the header does not have it."
        ),
    ] = None,
    truth_stops: Annotated[float, typer.Option(help="Exposure added to the truth, in stops.", min=-30, max=30)] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Score A and B against the truth, or A against B, and write one HTML page to compare them by eye.

    The page works without network and server. It has a wipe, an exposure slider on the float values, false color,
    differences, flow and mask overlays, zoom with pixel values, and scores per frame. It stores up to 512 MiB of
    half-float pixels (8 frames of 1080p). F2HDR renders are scaled to one exposure by their headers.
    """
    if white is not None and not white > 0:
        raise ShotError(f"--white cannot be {white:g}.", hint="Give a radiance above 0.")
    named = {name: existing_plate([text]) for name, text in {"A": a, "B": b, "truth": truth}.items() if text}
    wanted = next((each.frames for each in named.values() if each.frames), None)
    paths = {name: each.plate for name, each in named.items()}
    from f2hdr_backend.evaluate.page.comparison import Comparison
    from f2hdr_backend.evaluate.page.page import write_page

    comparison = Comparison(paths, FrameRange.parse(frames) if frames else wanted, truth_stops)
    try:
        page = _page(comparison, title, white or comparison.white(), (page_frames, page_width))
        for note in page.notes:
            terminal.warn(note)
        write_page(output, page)
    finally:
        comparison.close()
    if as_json:
        scores = [_to_json(row) for row in page.scores]
        print(json.dumps({"event": "comparison", "page": str(output), "scores": scores}))
    else:
        terminal.show(table(page.scores))
    terminal.note(f"{output}, {format_size(output.stat().st_size)}")


def _page(comparison: Comparison, title: str | None, white: float, limits: tuple[int, int | None]) -> Page:
    """Score all frames. The page reads its frames while it is written. ``limits``: number of frames, and width."""
    from f2hdr_backend.evaluate.page.comparison import score_rows
    from f2hdr_backend.evaluate.page.page import Page, bytes_of, pick_frames, shrink

    most, width = limits

    def read(number: int) -> PageFrame:
        return comparison.read(number) if width is None else shrink(comparison.read(number), width)

    numbers = pick_frames(comparison.frames, bytes_of(read(comparison.frames.first)), most)
    notes = [*comparison.mismatches(white), *_limits(comparison, numbers, width)]
    scores = dict(_progress(comparison, white))
    sources = tuple(side.source for side in comparison.sides)
    title = title or " and ".join("/".join(Path(source.label).parts[-2:]) for source in sources[:2])
    rows = score_rows(scores, comparison.reference.name)
    return Page(title, sources, map(read, numbers), rows, white, tuple(notes))


def _limits(comparison: Comparison, numbers: tuple[int, ...], width: int | None) -> Iterator[str]:
    """Notes on what the page leaves out."""
    total = len(comparison.frames)
    if len(numbers) < total:
        chosen = ", ".join(map(str, numbers))
        yield f"The page shows {len(numbers)} of {total} frames: {chosen}. Scores use all frames (see --page-frames)."
    wide, high = comparison.sides[0].plate.size
    if width is not None and width < wide:
        yield f"The page's pictures are {width} pixels wide, averaged from {wide} x {high}. Scores use the full size."


def _progress(comparison: Comparison, white: float) -> Iterable[tuple[int, dict[tuple[str, str], Score]]]:
    """The scores, with a bar on standard error."""
    return terminal.track(comparison.score(white), "score", len(comparison.frames))


def table(rows: tuple[ScoreRow, ...]) -> str:
    """Return the means as text: one line per metric, one column per sequence, and the settings of the metric."""
    from f2hdr_backend.evaluate.metrics.score import average, listed

    names = list(dict.fromkeys(row.source for row in rows))
    against, count = rows[0].against, len(rows[0].by_frame)
    heading = "".join(f"{name:>9}" for name in names)
    lines = [f"{'':<10}{heading}   mean of {terminal.count(count, 'frame')} against {against}"]
    for metric in dict.fromkeys(_metric(row) for row in rows):
        means = [
            average({str(number): score for number, score in row.by_frame.items()}).score
            for row in rows
            if _metric(row) == metric
        ]
        values = "".join(f"{mean.value:9.{mean.decimals}f}" for mean in means)
        lines.append(f"{metric + ' ' + means[0].unit:<10}{values}   {listed(means[0].parameters)}")
    return "\n".join(lines)


def _metric(row: ScoreRow) -> str:
    return next(iter(row.by_frame.values())).metric


def _to_json(row: ScoreRow) -> dict[str, object]:
    by_frame = {str(number): score.to_json() for number, score in row.by_frame.items()}
    return {"source": row.source, "against": row.against, "metric": _metric(row), "frames": by_frame}
