"""``f2hdr farm``: render a prepared Shot in chunks here or on Dask, or export it for a studio's scheduler."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.batch_mode import AsJson, Progress, ProgressOption, say, show_lines, task
from f2hdr_backend.cli.command import MOST_PROCESSES, App, Section
from f2hdr_backend.cli.own_command import own_command
from f2hdr_backend.cli.shot_options import PathMappingFile, frame_range, path_mapping, read_shot
from f2hdr_backend.cli.user import user_name
from f2hdr_backend.farm import engines, schedulers
from f2hdr_backend.farm.job import DEFAULT_CHUNK, FarmJob, Site, chunks, write_files
from f2hdr_backend.farm.report import ChunkDone, ChunkFailed, ChunkRetried, failed, failures_in
from f2hdr_backend.shot.document import Engine, Shot
from f2hdr_backend.shot.errors import Canceled
from f2hdr_backend.shot.events import Event, FrameDone, FrameSkipped
from f2hdr_backend.shot.frames import Sequence

if TYPE_CHECKING:
    from f2hdr_backend.engine.renderer import Renderer


RunEngine = StrEnum("RunEngine", {name: name for name in engines.names()})  # type: ignore[misc]
"""The engines of ``farm run``."""
ExportEngine = StrEnum("ExportEngine", {name: name for name in schedulers.names()})  # type: ignore[misc]
"""The schedulers of ``farm export``."""
_RUN_HELP = " ".join(f"{name}: {engines.engine(name).HELP}." for name in engines.names())

ShotFile = Annotated[str, typer.Argument(metavar="SHOT.json", help="A Shot from f2hdr prepare.")]
Frames = Annotated[str | None, typer.Option(help="Frames of the Shot, such as 1001-1010. Default: all.")]
Chunk = Annotated[int, typer.Option(help="Frames per task.", min=1)]
Name = Annotated[str, typer.Option(help="Name of the job. Default: the name of the output.")]
Retries = Annotated[int, typer.Option(help="Number of times a failed task is tried again.", min=0)]
Gpu = Annotated[bool, typer.Option("--gpu", help="Run tasks only on workers with a GPU, one task per GPU.")]


def register(app: typer.Typer) -> None:
    """Add the verb ``farm`` and its commands to the command line."""
    farm = App(help="Render a prepared Shot in chunks on many machines.")
    farm.command("run")(run)
    farm.command("export")(export)
    farm.command("plan")(plan)
    farm.command("task")(warm_task)
    app.add_typer(farm, name="farm", rich_help_panel=Section.SHARE)


def run(
    source: ShotFile,
    engine: Annotated[RunEngine, typer.Option(help=_RUN_HELP)],
    workers: Annotated[
        int, typer.Option(help="Processes to start on this machine, at most one per task.", min=1, max=MOST_PROCESSES)
    ] = 2,
    scheduler: Annotated[str, typer.Option(help="Dask scheduler to use instead, such as tcp://10.0.0.1:8786.")] = "",
    frames: Frames = None,
    chunk: Chunk = DEFAULT_CHUNK,
    retries: Retries = 2,
    gpu: Gpu = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder",
            metavar="FOLDER",
            help="Folder for the bundle and the logs of openjd. Default: SHOT.farm in the folder of the Shot.",
        ),
    ] = None,
    rules: PathMappingFile = None,
    as_json: AsJson = False,
) -> None:
    """Render every chunk, try failed chunks again, and check all frames.

    Frames that are already done are skipped: the same command again resumes the job.
    """
    with task(Progress.JSON if as_json else Progress.BAR):
        shot = _shot(source, frames)
        job = FarmJob(shot, _name(shot), chunk=chunk, retries=retries, needs_gpu=gpu, command=_own_command())
        setup = engines.Setup(
            _site(folder or Path(source).with_suffix(".farm"), ""),
            min(workers, len(chunks(job.frames, chunk))), open_renderer, _verify,
            scheduler=scheduler, rules=rules or "",
        )  # fmt: skip
        failures: list[ChunkFailed] = []
        events = engines.engine(engine).run(job, setup)
        _show(failures_in(events, failures), as_json)
        if failures:
            raise failed(shot, failures)


def export(
    source: ShotFile,
    engine: Annotated[ExportEngine, typer.Option(help="Scheduler to write for.")],
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write the job to.")],
    frames: Frames = None,
    chunk: Chunk = DEFAULT_CHUNK,
    name: Name = "",
    retries: Retries = 2,
    gpu: Gpu = False,
    priority: Annotated[int, typer.Option(help="Priority in the queue.", min=0, max=100)] = 50,
    command: Annotated[str, typer.Option(help="The f2hdr command on the workers.")] = "f2hdr",
    show: Annotated[str, typer.Option(help="Name of the OpenCue show.")] = "testing",
    convert_to: Annotated[
        str, typer.Option(help="Movie or pictures to convert the result to (openjd, deadline-cloud).")
    ] = "",
    display: Annotated[str, typer.Option(help="Display for --convert-to, such as Rec.2100-PQ.")] = "",
    warm: Annotated[
        bool, typer.Option("--warm", help="Keep the model loaded between a session's tasks (openjd, deadline-cloud).")
    ] = False,
) -> None:
    """Write the job: an OpenJD bundle (also for Deadline Cloud), OpenCue's XML, or Deadline 10's files."""
    shot = _shot(source, frames)
    job = FarmJob(
        shot, name or _name(shot), chunk=chunk, retries=retries, needs_gpu=gpu, priority=priority, command=command,
        convert_to=os.path.abspath(convert_to) if convert_to else "", display=display, warm=warm,
    )  # fmt: skip
    write_files(folder, schedulers.exporter(engine)(job, _site(folder, show)))
    tasks = terminal.count(len(chunks(job.frames, chunk)), "task")
    terminal.note(f"{folder}: {terminal.count(len(job.frames), 'frame')} in {tasks}")


def plan(
    frames: Annotated[int, typer.Argument(metavar="FRAMES", help="Number of frames.", min=1)],
    workers: Annotated[int, typer.Option(help="Number of workers that render at the same time.", min=1)],
    frame_seconds: Annotated[float, typer.Option(help="Measured seconds per frame.", min=0.0)],
    start_seconds: Annotated[float, typer.Option(help="Seconds until a task has loaded the model.", min=0.0)] = 8.0,
    read_seconds: Annotated[float, typer.Option(help="Seconds to read one frame of the plate.", min=0.0)] = 0.5,
    warm: Annotated[bool, typer.Option("--warm", help="Workers keep the model loaded between tasks.")] = False,
) -> None:
    """Predict a job's duration for several chunk sizes, from measured times."""
    from f2hdr_backend.farm.plan import Costs, schedules

    costs = Costs(start_seconds, frame_seconds, read_seconds)
    print(f"{'chunk':>6} {'tasks':>6} {'minutes':>8} {'overhead':>9}")
    for found in schedules(frames, workers, costs, warm=warm):
        print(f"{found.chunk:>6} {found.tasks:>6} {found.seconds / 60:>8.1f} {found.overhead:>8.1%}")


def warm_task(
    source: ShotFile,
    frames: Annotated[str, typer.Option(help="The task's frames.")],
    rules: PathMappingFile = None,
    progress: ProgressOption = Progress.OPENJD,
) -> None:
    """Render a chunk on the session's server, which keeps the model loaded. The server is started when needed.

    The server cancels the chunk when this process ends.
    """
    with task(progress):
        from f2hdr_backend.client.connection import rebuilt
        from f2hdr_backend.client.jobs import submit
        from f2hdr_backend.client.launch import connect
        from f2hdr_backend.farm.openjd_lines import lines_of

        shot = path_mapping(rules).shot(read_shot(source))
        job = submit(connect(), shot, frame_range(frames), client="farm", keep=False)
        for event in job.watch():
            if event["event"] == "error":
                raise rebuilt(event)
            if event["event"] == "canceled":
                raise Canceled("The server's job was canceled.", hint="Start it again to resume.")
            for line in [json.dumps(event)] if progress is Progress.JSON else lines_of(event):
                say(line, sys.stdout)


def open_renderer(engine: Engine) -> Renderer:
    """Return what a Dask worker opens once and keeps."""
    from f2hdr_backend.engine.renderer import Renderer

    return Renderer(engine)


def _verify(shot: Shot) -> Iterator[Event]:
    from f2hdr_backend.engine.check import verify

    yield from verify(shot, sweep=True)


def _show(events: Iterator[Event], as_json: bool) -> None:
    if as_json:
        show_lines(events, Progress.JSON)
        return
    for event in events:
        words = _words(event)
        if words:
            terminal.note(words)


def _words(event: Event) -> str:
    if isinstance(event, (FrameDone, FrameSkipped)):
        return f"frame {event.frame}, {event.done} of {event.total}"
    if isinstance(event, ChunkDone):
        return f"chunk {event.frames} in {event.seconds:.1f} s, {event.done} of {event.total} ({event.worker})"
    if isinstance(event, ChunkRetried):
        return f"chunk {event.frames} failed and will be tried again: {event.message}"
    if isinstance(event, ChunkFailed):
        return f"chunk {event.frames} failed {terminal.count(event.tries, 'time')}: {event.message}"
    return ""


def _shot(source: str, frames: str | None) -> Shot:
    shot = read_shot(source)
    return shot if frames is None else replace(shot, frames=frame_range(frames))


def _name(shot: Shot) -> str:
    """Return the output's name without frame number: sh010 for hdr/sh010.####.exr."""
    stem = Sequence.parse(shot.output.pattern).prefix.rstrip("._-") if shot.output.pattern else ""
    return stem or "f2hdr"


def _site(folder: Path, show: str) -> Site:
    return Site(folder.absolute(), show, user_name() or "f2hdr", os.getuid() if hasattr(os, "getuid") else 0)


def _own_command() -> str:
    """Return the f2hdr command that was typed, else ``f2hdr`` on the PATH of the workers."""
    return own_command() or "f2hdr"
