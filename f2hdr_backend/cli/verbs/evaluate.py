"""``f2hdr evaluate``: scores weights on a benchmark dataset, with the paper's tables, or on a test suite."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.command import MOST_PROCESSES, App, Section
from f2hdr_backend.evaluate.paper import metrics as paper_metrics
from f2hdr_backend.evaluate.reading import datasets
from f2hdr_backend.evaluate.suite import suites
from f2hdr_backend.flow import estimators

if TYPE_CHECKING:
    from f2hdr_backend.evaluate.page.page import Page
    from f2hdr_backend.evaluate.paper.benchmark import Benchmark
    from f2hdr_backend.evaluate.paper.results import ResultsFolder

ESTIMATORS = ", ".join(estimators.names())
WEIGHTS_HELP = "Weights by name; f2hdr weights list shows them."
Precision = Annotated[str, typer.Option(metavar="auto|fp32|bf16|fp16", help="Arithmetic of the network.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda:0.")]
Report = Annotated[
    Path | None, typer.Option(help="HTML page to write: pictures of some frames to compare by eye, and all scores.")
]
PageFrames = Annotated[int, typer.Option(min=1, help="Maximum number of frames in the page, worst and best first.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output, one event a line.")]


def register(app: typer.Typer) -> None:
    """Add the verb ``evaluate`` and its two commands to the command line."""
    group = App(help="Score weights on a benchmark dataset, or on a test suite.")
    group.command("dataset")(dataset)
    group.command("suite")(suite)
    app.add_typer(group, name="evaluate", rich_help_panel=Section.MEASURE)


def dataset(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"Dataset: {', '.join(datasets.names())}.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The dataset's root folder.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="Folder for CSV and JSON; the same command resumes there."
        ),
    ] = None,
    method: Annotated[str, typer.Option(metavar="f2hdr|merge", help="Reconstruction method.")] = "f2hdr",
    weights: Annotated[str, typer.Option(help=WEIGHTS_HELP)] = "standard",
    flow: Annotated[str, typer.Option(help=f"Flow estimator: auto (the one of the weights), {ESTIMATORS}.")] = "auto",
    reference_trust: Annotated[
        str, typer.Option(metavar="hard|soft|off", help="hard is the published composite; the others as in a render.")
    ] = "hard",
    metrics: Annotated[
        str | None,
        typer.Option(
            help=f"Metrics: {', '.join(paper_metrics.names())}; none: only time and memory. "
            "Default: psnr,ssim,hdrvdp, or flicker without ground truth."
        ),
    ] = None,
    ref_exposure: Annotated[
        str, typer.Option(metavar="alternate|low|high", help="Exposure of the reference; low and high: real-hdrv only.")
    ] = "alternate",
    hdrvdp: Annotated[
        str, typer.Option(help="HDR-VDP settings other than the paper's: round_trip=official,encoding=rgb-bt.709,...")
    ] = "",
    label_flow: Annotated[str, typer.Option(help="Flow estimator that labels EPE on the ground truth.")] = "dis",
    precision: Precision = "fp32",
    device: Device = "auto",
    jobs: Annotated[int, typer.Option(min=1, max=MOST_PROCESSES, help="Processes that share the frames.")] = 1,
    report: Report = None,
    page_frames: PageFrames = 8,
    page_width: Annotated[
        int | None, typer.Option(min=16, help="Maximum width of the page's pictures in pixels.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score weights on a benchmark dataset, and compare with the paper's tables.

    Every number is printed with the parameters it depends on. Means are over frames.
    """
    from f2hdr_backend.evaluate.hdrvdp.options import hdrvdp_settings
    from f2hdr_backend.evaluate.paper.benchmark import Benchmark, Plan
    from f2hdr_backend.evaluate.paper.metric import ScoreSettings
    from f2hdr_backend.evaluate.paper.results import ResultsFolder
    from f2hdr_backend.evaluate.paper.scoring import default_metrics
    from f2hdr_backend.evaluate.reading.dataset import open_dataset
    from f2hdr_backend.shot.document import Engine

    _require_report(report)
    reader = open_dataset(name, folder, ref_exposure)
    chosen = default_metrics(reader) if metrics is None else _listed(metrics)
    scoring = ScoreSettings(chosen, reference_trust, hdrvdp_settings(hdrvdp), label_flow)
    engine = Engine(method=method, weights=weights, flow=flow, precision=precision, device=device)
    benchmark = Benchmark(Plan(name, folder, engine, scoring, ref_exposure, jobs), reader)
    results = None if output is None else ResultsFolder(output, benchmark.settings)
    (_print_events if as_json else _print_tables)(benchmark, results)
    if report is not None:
        from f2hdr_backend.evaluate.paper.report import report_page

        _write(report, report_page(benchmark, _heading(benchmark), page_frames, page_width))


def suite(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help=f"Suite: {', '.join(suites.names())}."),
    ],
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="Folder of the suite's images or clips.")],
    weights: Annotated[str, typer.Option(help=f"{WEIGHTS_HELP} Several: separated by commas.")] = "standard",
    reference_trust: Annotated[str, typer.Option(metavar="soft|hard|off", help="As in a render.")] = "soft",
    precision: Precision = "fp32",
    device: Device = "auto",
    windows: Annotated[
        int | None, typer.Option(min=1, help="Windows to score, from the first. Default: all of the suite.")
    ] = None,
    report: Report = None,
    page_frames: PageFrames = 8,
    as_json: AsJson = False,
) -> None:
    """Score weights on a suite of windows with known truth, together with the merge and other baselines."""
    from f2hdr_backend.engine.method.choose import open_method
    from f2hdr_backend.engine.method.merge import MergeMethod
    from f2hdr_backend.evaluate.suite.scoring import BASELINES, run
    from f2hdr_backend.evaluate.suite.suite import open_suite
    from f2hdr_backend.evaluate.suite.summary import summary
    from f2hdr_backend.machine.device import pick_device
    from f2hdr_backend.shot.document import Engine

    _require_report(report)
    engine = Engine(weights=weights, reference_trust=reference_trust, precision=precision, device=device)
    place = pick_device(engine.device)
    opened = open_suite(name, images)
    methods = {each: open_method(replace(engine, weights=each), place) for each in weights.split(",")}
    methods["merge"] = MergeMethod(engine, place)
    count = len(opened.cases(windows))
    total = count * (len(BASELINES) + 2 * len(methods))
    scores = list(terminal.track(run(opened, methods, windows, reference_trust), "evaluate", total))
    if report is not None:
        from f2hdr_backend.evaluate.suite.report import suite_page

        _write(report, suite_page(opened, scores, methods, reference_trust, page_frames))
    _print_suite({"name": name, "about": opened.about, "size": opened.size, "windows": count}, summary(scores), as_json)


def _require_report(report: Path | None) -> None:
    from f2hdr_backend.shot.atomic import require_writable

    if report is not None:
        require_writable(report)


def _write(path: Path, page: Page) -> None:
    from f2hdr_backend.evaluate.page.page import write_page

    write_page(path, page)
    typer.echo(f"{path}, {path.stat().st_size / 2**20:.1f} MiB", err=True)


def _listed(metrics: str) -> tuple[str, ...]:
    return () if metrics == "none" else tuple(part for part in metrics.split(",") if part)


def _print_events(benchmark: Benchmark, results: ResultsFolder | None) -> None:
    for event in benchmark.run(results):
        print(json.dumps(event.to_json()), flush=True)
    finished = {"event": "evaluation_finished", "settings": benchmark.settings, **benchmark.summary().to_json()}
    print(json.dumps(finished), flush=True)


def _print_tables(benchmark: Benchmark, results: ResultsFolder | None) -> None:
    from rich.console import Console
    from rich.progress import track

    from f2hdr_backend.evaluate.paper import text_tables

    console = Console(stderr=True)
    total = len(benchmark.reader.windows)
    for _ in track(benchmark.run(results), "evaluate", total=total, console=console):
        pass
    summary, rows = benchmark.summary(), benchmark.rows.frames
    dataset = benchmark.settings["dataset"]
    blocks = (
        [_heading(benchmark)],
        text_tables.published_lines(dataset, summary, ablation=benchmark.is_ablation),
        text_tables.cost_lines(rows),
        text_tables.exposure_lines(summary),
        text_tables.scene_lines(summary),
        text_tables.parameter_lines(summary),
    )
    for block in blocks:
        lines = list(block)
        if lines:
            terminal.show("\n".join([*lines, ""]) if lines[-1] else "\n".join(lines))


def _heading(benchmark: Benchmark) -> str:
    settings, plan = benchmark.settings, benchmark.plan
    what = f"weights {plan.engine.weights}, " if plan.engine.method == "f2hdr" else ""
    windows = benchmark.reader.windows
    scenes = len({files.scene for files in windows})
    return (
        f"{settings['dataset']}, reference {plan.reference}: {len(windows)} frames of {scenes} scenes; "
        f"{plan.engine.method}, {what}flow {benchmark.flow}, {benchmark.precision}, "
        f"reference trust {plan.scoring.reference_trust}"
    )


def _print_suite(facts: dict[str, object], table: dict[str, dict[str, float]], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"suite": facts, "scores": table}))
        return
    terminal.show(f"{facts['name']}: {facts['windows']} windows; {facts['about']}")
    names = dict.fromkeys(name for row in table.values() for name in row)
    print(f"{'':44}" + "".join(f"{method:>16}" for method in table))
    for name in names:
        digits = 3 if name.startswith(("flicker", "alternation")) else 2
        values = (f"{row[name]:.{digits}f}" if name in row else "-" for row in table.values())
        terminal.show(f"{name:44}" + "".join(f"{value:>16}" for value in values))
