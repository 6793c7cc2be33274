"""The report page of a benchmark run: results, recorded references, truth, and all scores.

Images of a run are not stored. Those on the page are reconstructed again, one at a time, when it is written, so that
the page does not depend on the number of processes and on resuming.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from f2hdr_backend.evaluate.metrics.score import Score
from f2hdr_backend.evaluate.page import choose_frames as interesting
from f2hdr_backend.evaluate.page import page
from f2hdr_backend.evaluate.page.page import Grouping, Page, PageFrame, Plane, ScoreRow, Source
from f2hdr_backend.evaluate.paper.benchmark import Benchmark
from f2hdr_backend.evaluate.paper.metric import Scored
from f2hdr_backend.evaluate.paper.published import ABLATIONS, BY_DATASET, OURS
from f2hdr_backend.evaluate.paper.results import FrameRow
from f2hdr_backend.evaluate.paper.scoring import reconstructed_share
from f2hdr_backend.image.arrays import radiance_of

COSTS = ("seconds", "peak GiB")
AGAINST_TRUTH = ("PSNR", "SSIM", "HDR-VDP", "ColorVideoVDP")
"""Prefixes of the columns that compare an image with the truth."""
VALUES = 16
"""Values per pixel on a page: result, reference and truth (3 each), two flows (2 each) and three masks."""

Rows = Mapping[int, FrameRow]
Groups = Mapping[str, tuple[int, ...]]


def report_page(benchmark: Benchmark, heading: str, most: int, width: int | None) -> Page:
    """Return the page of a finished run.

    Args:
        benchmark: the run.
        heading: description of the run.
        most: maximum number of frames.
        width: maximum width of the images in pixels; None for no limit.

    Raises:
        ShotError: a single frame is too large, or ``most`` or ``width`` is too small.
    """
    rows = dict(enumerate(benchmark.rows.frames))
    scenes = Grouping.of("scene", rows, lambda row: row.scene)
    shown, choice = _choose(rows, scenes.groups, page.frames_that_fit(len(rows), _frame_bytes(rows, width), most))
    notes = [f"{heading}.", choice, *_remarks(rows, width)]
    return Page(
        f"{benchmark.settings['dataset']}: {_made_by(benchmark)}",
        tuple(_sources(benchmark)),
        (_picture(benchmark, number, width) for number in shown),
        tuple(_score_rows(benchmark, rows, scenes.groups)),
        notes=tuple(notes),
        names={number: row.name for number, row in rows.items()},
        groupings=(scenes, _by_exposure(rows)),
        published=_published(benchmark),
    )


def _by_exposure(rows: Rows) -> Grouping:
    ordered = dict(sorted(rows.items(), key=lambda item: item[1].exposure))
    return Grouping.of("reference", ordered, lambda row: f"exposure × {row.exposure:g}", splits_scenes=True)


def _choose(rows: Rows, scenes: Groups, count: int) -> tuple[tuple[int, ...], str]:
    """Return the frames to show, and a sentence that explains the selection."""
    column = next((column for column in rows[0].scores if column not in COSTS), None)
    if column is None:
        return page.pick_frames(rows, 1, count), f"The page shows {count} of {len(rows)} frames, evenly spaced."
    sign = -1 if column in interesting.LOWER_IS_BETTER else 1
    scores = {number: sign * row.scores[column].value for number, row in rows.items()}
    return interesting.choose(scores, scenes.values(), count), interesting.words(count, len(rows), column, "scene")


def _remarks(rows: Rows, width: int | None) -> Iterator[str]:
    yield "The pictures were reconstructed again for this page, with the settings of the scores."
    rescaled = sum(row.divisor != 1 for row in rows.values())
    if rescaled:
        yield (
            f"The truth of {rescaled} of {len(rows)} frames exceeded 1 and was divided by its maximum; results and "
            "recorded references were not (the published rule)."
        )
    if width is not None and any(_size(row)[0] > width for row in rows.values()):
        yield f"Images are at most {width} pixels wide, area-averaged; scores are computed at full size."


def _made_by(benchmark: Benchmark) -> str:
    engine = benchmark.plan.engine
    return engine.weights if engine.method == "f2hdr" else engine.method


def _sources(benchmark: Benchmark) -> Iterator[Source]:
    trust = benchmark.plan.scoring.reference_trust
    yield Source("A", f"{_made_by(benchmark)}, flow {benchmark.flow}", f"reference trust {trust}")
    yield Source("B", "reference as recorded", "gamma 2.2, over its exposure")
    if _has_truth(benchmark):
        yield Source("truth", "ground truth", "clipped at 0, scaled to at most 1")


def _has_truth(benchmark: Benchmark) -> bool:
    return all(files.truth for files in benchmark.reader.windows)


def _picture(benchmark: Benchmark, number: int, width: int | None) -> PageFrame:
    scored, _ = benchmark.reconstruct(benchmark.reader.windows[number])
    frame = PageFrame(number, _planes(scored))
    return frame if width is None else page.shrink(frame, width)


def _planes(scored: Scored) -> dict[str, Plane]:
    window, frame = scored.window, scored.frame
    recorded = radiance_of(window.codes[1], window.exposures[1])
    planes: dict[str, Plane] = {"A": scored.result, "B": recorded}
    if window.truth is not None:
        planes["truth"] = window.truth.radiance
    for side, name in enumerate(("backward", "forward")):
        planes[f"A/{name}"] = frame.flows[side]
        planes[f"A/motion.{name}"] = frame.masks[side]
    planes["A/reconstructed"] = reconstructed_share(window, scored.settings.reference_trust, scored.reader.cycle)
    return planes


def _score_rows(benchmark: Benchmark, rows: Rows, scenes: Groups) -> Iterator[ScoreRow]:
    """Yield every column: the metrics of frames, those of scenes, then the costs."""
    firsts = {scene: frames[0] for scene, frames in scenes.items()}
    whole = {firsts[row.scene]: row.scores for row in benchmark.rows.scenes}
    frames = {number: row.scores for number, row in rows.items()}
    columns = dict.fromkeys(column for scores in frames.values() for column in scores)
    measured = [column for column in columns if column not in COSTS]
    yield from (_score_row(column, frames, "frames") for column in measured)
    yield from (_score_row(column, whole, "scenes") for column in next(iter(whole.values()), {}))
    yield from (_score_row(column, frames, "frames") for column in COSTS if column in columns)


def _score_row(column: str, scores: Mapping[int, Mapping[str, Score]], over: str) -> ScoreRow:
    against = "truth" if column.startswith(AGAINST_TRUTH) else ""
    return ScoreRow("A", against, {number: each[column] for number, each in scores.items()}, column, over)


def _published(benchmark: Benchmark) -> dict[str, float]:
    """Return the paper's numbers for this dataset, by column."""
    dataset = str(benchmark.settings["dataset"])
    tables = (*BY_DATASET.get(dataset, ()), *ABLATIONS.get(dataset, ()))
    return {column: value for table in tables for column, value in table.rows[OURS].items()}


def _frame_bytes(rows: Rows, width: int | None) -> int:
    """Return the bytes of the largest frame on a page."""
    sizes = (_size(row) for row in rows.values())
    shrunk = ((wide, high) if width is None or wide <= width else (width, high * width // wide) for wide, high in sizes)
    return 2 * VALUES * max(wide * high for wide, high in shrunk)


def _size(row: FrameRow) -> tuple[int, int]:
    """Return width and height of a frame in pixels."""
    wide, _, high = str(dict(row.scores["seconds"].facts)["size"]).partition("x")
    return int(wide), int(high)
