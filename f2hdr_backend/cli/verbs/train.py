"""``f2hdr train``: weights from a folder of radiance images; ``f2hdr train preview``: a sheet of training windows."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.command import CONTEXT, MOST_PROCESSES, App, Section, Verbs
from f2hdr_backend.model.descriptor import ABLATIONS
from f2hdr_backend.shot.printable import escaped


class _TrainUnlessNamed(Verbs):
    """``f2hdr train IMAGES ...`` is the verb itself; ``f2hdr train preview`` is its second form."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the words after ``f2hdr train`` name."""
        return super().resolve_command(ctx, args if args[0] in self.commands else ["run", *args])


def register(app: typer.Typer) -> None:
    """Add the verb ``train`` to the command line."""
    group = App(cls=_TrainUnlessNamed, help="Train weights on synthetic shots, or preview the training windows.")
    group.command("run")(train)
    group.command()(preview)
    settings = {**CONTEXT, "ignore_unknown_options": True}
    app.add_typer(group, name="train", rich_help_panel=Section.MEASURE, context_settings=settings)


def train(
    images: Annotated[
        Path, typer.Argument(metavar="IMAGES", help="Folder of scene-linear EXR images; 2:1 ones are panoramas.")
    ],
    run: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder of the run; resumed if it is there.")
    ],
    name: Annotated[str, typer.Option(help="Name of the finished weights.")] = "mine",
    edition: Annotated[str, typer.Option(help="standard, lite, or mergenet (see docs/training.md).")] = "standard",
    ablation: Annotated[
        str | None, typer.Option(help=f"Leave out a part, as the paper's Table 5 does: {', '.join(ABLATIONS)}.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="Installed weights to start from, of the same edition; by default untrained.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="Terms of the loss: ours, or the paper's.")] = "ours",
    clips: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Real clips as a second source: Vimeo-90K's folder, or one of movies."),
    ] = None,
    into: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder for the weights; by default the user's.")
    ] = None,
    license_text: Annotated[str, typer.Option("--license", help="License of the finished weights.")] = "unstated",
    steps: Annotated[int, typer.Option(min=1, help="Total number of optimizer steps.")] = 3000,
    windows: Annotated[int, typer.Option(min=1, help="Windows per step, over all processes.")] = 4,
    accumulate: Annotated[int, typer.Option(min=1, help="Gradient accumulation steps, for less memory.")] = 1,
    crop: Annotated[int, typer.Option(min=16, help="Side of a training window in pixels, a multiple of 16.")] = 128,
    rate: Annotated[float, typer.Option(help="Maximum learning rate.")] = 4e-4,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=MOST_PROCESSES,
            help="Processes that draw windows; by default 2, with a GPU the number of processors less 2.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the windows and the initial weights.")] = 1,
    validate_every: Annotated[
        int, typer.Option(min=0, help="Steps between two validations on held-out images; 0: none.")
    ] = 500,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:0.")] = "auto",
) -> None:
    """Train the network on synthetic shots; the same command again resumes from the last checkpoint.

    The result is scored on the panoramas of the folder that are held out from training
    (f2hdr_backend.train.sources.HELD_OUT). Processes that torchrun starts share the windows of every step.
    """
    from f2hdr_backend.evaluate.suite.candidate import candidate_scores
    from f2hdr_backend.machine.device import pick_device
    from f2hdr_backend.train import editions
    from f2hdr_backend.train.distributed import Team
    from f2hdr_backend.train.loop import TrainPlan
    from f2hdr_backend.train.loss import RECIPES
    from f2hdr_backend.train.run import REPORT_EVERY, Run
    from f2hdr_backend.weights import store

    store.check_name(name, into, replace=True)
    descriptor = editions.descriptor_of(edition, ablation)
    plan = TrainPlan(
        steps,
        windows=windows,
        accumulate=accumulate,
        crop_px=crop,
        learning_rate=rate,
        seed=seed,
        recipe=editions.known("recipe", recipe, RECIPES),
    )
    first = None if start is None else editions.weights_to_start_from(start, descriptor)
    run.mkdir(parents=True, exist_ok=True)
    chosen = pick_device(Team.device(device))
    plan = replace(plan, workers=_drawing_processes(chosen.type == "cuda") if workers is None else workers)
    if chosen.type == "cuda":  # a validation needs the weights of its own step
        plan = replace(plan, read_every=math.gcd(REPORT_EVERY, validate_every))
    job = Run(images, clips, run, descriptor, plan, validate_every, first)
    if not job.learn(chosen, _note):
        return
    _draw_curves(run)
    weights, held_out = job.weights(name, license_text), job.held_out()
    if not held_out:
        _note(f"{images} has no held-out panoramas: the weights have no scores.")
    scores = candidate_scores(weights, held_out, _note_scored) if held_out else {}
    entry = store.save(replace(weights, card={**weights.card, "scores": scores}), into, replace=True)
    terminal.show(f"{entry.path}  {entry.sha256[:12]}  {scores}")


def preview(
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="Folder of scene-linear EXR images.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="PNG to write.")] = Path("preview.png"),
    clips: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Real clips as a second source.")] = None,
    windows: Annotated[int, typer.Option(min=1, help="Rows of the sheet.")] = 8,
    size: Annotated[tuple[int, int], typer.Option(metavar="W H", help="Width and height of a window in pixels.")] = (
        240,
        160,
    ),
    seed: Annotated[int, typer.Option(help="Seed of the windows.")] = 1,
) -> None:
    """Draw training windows as a sheet, and report how fast they are drawn.

    Columns: previous, reference and next frame as recorded; the reference's true radiance; the true radiance of
    previous and next along the true flow, gray where they do not show the surface. The last three should be alike.
    """
    from f2hdr_backend.image.write import write_image
    from f2hdr_backend.train.preview import preview as drawn

    sheet, rate = drawn(images, clips, windows, size, seed)
    write_image(output, sheet, 8)
    terminal.show(f"{output}  {rate:.1f} windows of {size[0]} x {size[1]} a second of CPU time")


def _drawing_processes(on_gpu: bool) -> int:
    """Return 2 if the CPU trains, and the number of processors less 2 if a GPU does."""
    from f2hdr_backend.machine.container import usable_cpus

    return max(1, usable_cpus() - 2) if on_gpu else 2


def _draw_curves(folder: Path) -> None:
    from f2hdr_backend.cli.training_plot import draw

    try:
        draw(folder)
    except ModuleNotFoundError as error:
        _note(f"curves.png is not written: {error.name} is missing; install f2hdr[train]")


def _note(line: str) -> None:
    print(escaped(line), file=sys.stderr, flush=True)


def _note_scored(done: int, total: int) -> None:
    _note(f"scored {done}/{total} windows")
