"""``f2hdr bench``: speed and memory of the engine, the merge and the network as in the released code."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.command import Section
from f2hdr_backend.flow import estimators
from f2hdr_backend.shot.device_names import device_names
from f2hdr_backend.shot.errors import DocumentError

if TYPE_CHECKING:
    import torch

    from f2hdr_backend.evaluate.bench.measure import Size
    from f2hdr_backend.evaluate.bench.methods import Bench
    from f2hdr_backend.evaluate.bench.report import Report

SIZES = {"540p": (960, 540), "720p": (1280, 720), "1080p": (1920, 1080), "uhd": (3840, 2160)}


def register(app: typer.Typer) -> None:
    """Add the verb ``bench`` to the command line."""
    app.command("bench", rich_help_panel=Section.MEASURE)(bench)


def bench(
    sizes: Annotated[
        str, typer.Option(help="540p, 720p, 1080p, uhd or a size such as 2048x858; several with commas.")
    ] = "540p,1080p",
    weights: Annotated[str, typer.Option(help="Name of the weights; f2hdr weights list shows them.")] = "standard",
    flow: Annotated[
        str,
        typer.Option(
            help=f"Flow estimator: auto (the one of the weights), {', '.join(estimators.names())} (untrained if its "
            "weights are not installed)."
        ),
    ] = "auto",
    frames: Annotated[int, typer.Option(min=1, help="Number of windows to time after the first one.")] = 4,
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:0.")] = "auto",
    memory: Annotated[str, typer.Option(help="Memory limit such as 8G or 8GiB; empty for what is free.")] = "",
    plain: Annotated[bool, typer.Option(help="Also run the network the way the released code does.")] = True,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all numbers to this file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Write a chart over sizes to this PNG file.")] = None,
) -> None:
    """Measure speed and memory: the engine, the classical merge, and a plain float32 run of the same network.

    Everything runs in one process on frames made in memory. Seconds per frame are the median of the windows after the
    first. Memory is the peak above what the process used before. Parts are those of one steady window.
    """
    wanted = _parsed(sizes)
    device_names(device)
    from f2hdr_backend.cli.bench_tables import show, title
    from f2hdr_backend.evaluate.bench.chart import draw
    from f2hdr_backend.evaluate.bench.methods import MERGE, OURS, PLAIN, open_bench
    from f2hdr_backend.evaluate.bench.report import Report
    from f2hdr_backend.image.write import write_image
    from f2hdr_backend.shot.document import Engine

    methods = (OURS, MERGE, PLAIN) if plain else (OURS, MERGE)
    shown = terminal.console()
    engine = Engine(weights=weights, flow=flow, precision=precision, device=device, memory=memory)
    with open_bench(engine) as opened:
        report = Report(_settings(opened))
        _save(report, json_file)
        for size, method in ((size, method) for size in wanted for method in methods):
            with shown.status(f"{method} at {size[0]} x {size[1]}"):
                report.results.append(opened.measure(method, size, frames))
            _save(report, json_file)
        for method in (method for method in methods if method != MERGE and opened.runs(method)):
            with shown.status(f"operations of {method}"):
                report.operations[method] = opened.count(method)
    _save(report, json_file)
    show(report)
    if plot is not None and report.measured:
        write_image(plot, draw(report, title(report)), bits=8)


def _parsed(sizes: str) -> list[Size]:
    return list(dict.fromkeys(_size(word.strip().lower()) for word in sizes.split(",")))


def _size(word: str) -> Size:
    if word in SIZES:
        return SIZES[word]
    found = re.fullmatch(r"([1-9]\d{1,4})x([1-9]\d{1,4})", word, re.ASCII)
    if not found:
        raise DocumentError(f"{word!r} is not a frame size.", hint=f"Use {', '.join(SIZES)} or a size like 2048x858.")
    return int(found[1]), int(found[2])


def _settings(opened: Bench) -> dict[str, Any]:
    """Facts about the run: versions, weights, precision, device."""
    import torch

    import f2hdr_backend
    from f2hdr_backend.kernels import maker

    engine = opened.engine
    return {
        "version": f2hdr_backend.__version__,
        "weights": opened.entry.name,
        "flow": opened.flow,
        "untrained_flow": opened.untrained_flow,
        "precision": opened.precision,
        "device": str(opened.device),
        "processor": _processor(opened.device),
        "threads": torch.get_num_threads(),
        "correlation": maker(opened.device),
        "memory": engine.memory,
        "torch": torch.__version__,
        "system": platform.platform(terse=True),
    }


def _processor(device: torch.device) -> str:
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        named = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        named = None
    return named[1] if named else platform.processor() or platform.machine()


def _save(report: Report, path: Path | None) -> None:
    from f2hdr_backend.shot.atomic import write_file

    if path is not None:
        write_file(path, json.dumps(report.to_json(), indent=1) + "\n")
