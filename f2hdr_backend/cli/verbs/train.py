"""``f2hdr train``: weights from a folder of radiance images; ``f2hdr train preview``: samples of the training
windows.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from f2hdr_backend.cli.command import CONTEXT, App, Section, Verbs
from f2hdr_backend.model.descriptor import ABLATIONS, AnyDescriptor, Descriptor, MergeNetDescriptor
from f2hdr_backend.shot.errors import DocumentError

if TYPE_CHECKING:
    from f2hdr_backend.train.loop import StepDone, Trainer, TrainPlan
    from f2hdr_backend.train.sources import Source
    from f2hdr_backend.weights import store

REPORT_EVERY = 10
SCORED_WINDOWS = 42
EDITIONS = ("standard", "lite", "mergenet")
LOG_COLUMNS = ("step", "loss")
VALIDATION_COLUMNS = ("step", "psnr_t")


class _TrainUnlessNamed(Verbs):
    """``f2hdr train IMAGES ...`` is the verb itself; ``f2hdr train preview`` its second form."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Parse the arguments of ``f2hdr train``."""
        return super().resolve_command(ctx, args if args[0] in self.commands else ["run", *args])


def register(app: typer.Typer) -> None:
    """Add the verb ``train`` to the command line."""
    group = App(cls=_TrainUnlessNamed, help="Train weights on synthetic shots, or preview what is drawn.")
    group.command("run")(train)
    group.command()(preview)
    settings = {**CONTEXT, "ignore_unknown_options": True}
    app.add_typer(group, name="train", rich_help_panel=Section.MEASURE, context_settings=settings)


def train(
    images: Annotated[Path, typer.Argument(help="Folder of scene-linear EXR images; 2:1 ones are panoramas.")],
    run: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run; resumed if it is there.")],
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
        Path | None, typer.Option(help="Real clips as a second source: Vimeo-90K's folder, or one of movies.")
    ] = None,
    into: Annotated[Path | None, typer.Option(help="Folder for them; by default the user's weights folder.")] = None,
    license_text: Annotated[str, typer.Option("--license", help="License of the finished weights.")] = "unstated",
    steps: Annotated[int, typer.Option(help="Optimizer steps in all.")] = 3000,
    windows: Annotated[int, typer.Option(help="Windows a step, over all processes.")] = 4,
    accumulate: Annotated[int, typer.Option(min=1, help="Parts a step's windows are taken in, for less memory.")] = 1,
    crop: Annotated[int, typer.Option(help="Side of a training window in pixels, a multiple of 16.")] = 128,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 4e-4,
    seed: Annotated[int, typer.Option(help="Seed of windows and first weights.")] = 1,
    validate_every: Annotated[int, typer.Option(help="Steps between looks at held-out windows; 0: none.")] = 500,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:0.")] = "auto",
) -> None:
    """Train the network on synthetic shots; repeating the command resumes from the last checkpoint.

    Panoramas that are held out of training (f2hdr_backend.train.sources.HELD_OUT) score the result. Started by
    torchrun, processes share every step's windows.
    """
    from f2hdr_backend.train.loop import TrainPlan
    from f2hdr_backend.train.loss import RECIPES
    from f2hdr_backend.weights import store

    store.check_name(name, into, replace=True)
    run.mkdir(parents=True, exist_ok=True)
    plan = TrainPlan(
        steps,
        windows=windows,
        accumulate=accumulate,
        crop_px=crop,
        learning_rate=rate,
        seed=seed,
        recipe=_known("recipe", recipe, RECIPES),
    )
    descriptor = _reading(edition, ablation)
    first = None if start is None else _first(start, descriptor)
    job = _Run(images, clips, run, descriptor, plan, validate_every, first)
    if not job.learn(device):
        return
    weights = store.Weights(name, job.descriptor, job.card(license_text), job.tensors())
    entry = store.save(weights, into, replace=True)
    print(f"{entry.path}  {entry.sha256[:12]}  {weights.card['scores']}")


def preview(
    images: Annotated[Path, typer.Argument(help="Folder of scene-linear EXR images.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The sheet, a PNG.")] = Path("preview.png"),
    clips: Annotated[Path | None, typer.Option(help="Real clips as a second source.")] = None,
    windows: Annotated[int, typer.Option(min=1, help="Rows of the sheet.")] = 8,
    size: Annotated[tuple[int, int], typer.Option(help="Width and height of a window in pixels.")] = (240, 160),
    seed: Annotated[int, typer.Option(help="Seed of the windows.")] = 1,
) -> None:
    """Draw training windows as a sheet, and print the drawing speed.

    Columns: previous, reference and next frame as recorded; the reference's true light; the true light of previous
    and next along the true flow, gray where they do not show the surface. The last three should be alike.
    """
    import time

    import numpy as np

    from f2hdr_backend.image.write import write_image
    from f2hdr_backend.train.clips import clip_window, open_clips
    from f2hdr_backend.train.sheet import sheet, window_row
    from f2hdr_backend.train.sources import load_sources
    from f2hdr_backend.train.style import Style
    from f2hdr_backend.train.synthesis import synthesize

    sources, listed = load_sources(images), [] if clips is None else open_clips(clips)
    rows, started = [], time.process_time()
    for index in range(windows):
        random = np.random.default_rng((seed, index))
        real = bool(listed) and index % 2 == 1
        drawn = clip_window(listed, size, random, Style()) if real else synthesize(sources, size, random)
        rows.append(window_row(drawn))
    seconds = time.process_time() - started
    write_image(output, sheet(rows), 8)
    print(f"{output}  {windows / seconds:.1f} windows of {size[0]} x {size[1]} a second of CPU time")


@dataclass(frozen=True)
class _Run:
    """Operations on the folder of one run."""

    images: Path
    clips: Path | None
    folder: Path
    descriptor: AnyDescriptor
    plan: TrainPlan
    validate_every: int
    start: store.Weights | None = None

    def learn(self, device: str) -> bool:
        """Take all steps that are left; whether this process leads its team."""
        from f2hdr_backend.machine.device import pick_device
        from f2hdr_backend.train.clips import open_clips
        from f2hdr_backend.train.loop import Material, train
        from f2hdr_backend.train.sources import load_sources
        from f2hdr_backend.train.team import Team

        first = None if self.start is None else self.start.tensors
        material = Material(load_sources(self.images), [] if self.clips is None else open_clips(self.clips), first)
        chosen = pick_device(Team.device(device))
        team = Team.join(chosen)
        for done, trainer in train(material, self.plan, self.folder, self.descriptor, chosen):
            if team.leads:
                self._report(done, trainer)
                self._validate(done, trainer)
        if team.leads:
            self._plot()
        return team.leads

    def tensors(self) -> dict[str, Any]:
        """The finished weights."""
        from f2hdr_backend.train.loop import averaged_tensors

        return averaged_tensors(self.folder)

    def card(self, license_text: str) -> dict[str, Any]:
        """Notes on the weights for the user."""
        from f2hdr_backend.train.clips import movies
        from f2hdr_backend.train.sources import load_sources
        from f2hdr_backend.train.style import SceneStyle

        names, plan = [source.name for source in load_sources(self.images)], self.plan
        card: dict[str, Any] = {
            "source": f"f2hdr train, {len(names)} images, {plan.steps} steps of {plan.windows} x {plan.crop_px} px",
            "license": license_text,
            "images": names,
            "steps": plan.steps,
            "seed": plan.seed,
            "ratio_stops": [min(SceneStyle.ratios_ev), max(SceneStyle.ratios_ev)],
        }
        if self.clips is not None:
            card["clips"] = [path.stem for path in movies(self.clips)] or [self.clips.name]
        if self.start is not None:
            card["started_from"] = self.start.name
        return card | {"scores": _scores(self._held_out(), self.descriptor, self.tensors(), card)}

    def _held_out(self) -> list[Source]:
        """The images kept for scores; none if the folder has none."""
        from f2hdr_backend.train.sources import load_sources

        try:
            return load_sources(self.images, held_out=True)
        except DocumentError:
            return []

    def _report(self, done: StepDone, trainer: Trainer) -> None:
        numbers = (done.step, f"{done.loss:.5f}", *(f"{figure:.4f}" for figure in done.figures))
        _append(self.folder / "train.csv", (*LOG_COLUMNS, *trainer.course.figures), numbers)
        if done.step % REPORT_EVERY == 0:
            figures = trainer.course.describe(done.figures)
            print(f"step {done.step}/{self.plan.steps}  loss {done.loss:.4f}  {figures}", file=sys.stderr, flush=True)

    def _validate(self, done: StepDone, trainer: Trainer) -> None:
        if not self.validate_every or done.step % self.validate_every:
            return
        from f2hdr_backend.train.validation import Validation

        held_out = self._held_out()
        if not held_out:
            return
        picture = self.folder / f"validation.{done.step:06d}.png"
        score = Validation(held_out, self.descriptor, trainer.course)(trainer.average, picture)
        _append(self.folder / "validation.csv", VALIDATION_COLUMNS, (done.step, f"{score:.3f}"))
        print(f"step {done.step}  PSNR_T of held-out windows {score:.2f} dB", file=sys.stderr, flush=True)

    def _plot(self) -> None:
        try:
            from f2hdr_backend.cli.training_plot import draw
        except ModuleNotFoundError as error:
            print(f"no curves.png: {error.name} is missing (the extra f2hdr[train] brings it)", file=sys.stderr)
            return
        draw(self.folder)


def _reading(edition: str, ablation: str | None) -> AnyDescriptor:
    if _known("edition", edition, EDITIONS) == "mergenet":
        if ablation is not None:
            raise DocumentError("mergenet is not the paper's network and has no ablations.", hint="Omit --ablation.")
        return MergeNetDescriptor()
    whole = Descriptor.lite() if _known("edition", edition, EDITIONS) == "lite" else Descriptor()
    return whole if ablation is None else whole.without(_known("ablation", ablation, ABLATIONS))


def _first(name: str, descriptor: AnyDescriptor) -> store.Weights:
    """Installed weights to start from. Raises DocumentError if they are of another network."""
    from f2hdr_backend.weights import store

    weights = store.load(store.find(name))
    if weights.descriptor != descriptor:
        raise DocumentError(f"The weights {name!r} are of another network.", hint="Give --edition as they have it.")
    return weights


def _known(what: str, name: str, offered: Iterable[str]) -> str:
    if name not in offered:
        raise DocumentError(f"There is no {what} {name!r}.", hint=f"Use {' or '.join(offered)}.")
    return name


def _append(path: Path, columns: tuple[str, ...], row: tuple[object, ...]) -> None:
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        csv.writer(file).writerows([columns, row] if fresh else [row])


def _scores(
    held_out: list[Source], descriptor: AnyDescriptor, tensors: dict[str, Any], card: dict[str, Any]
) -> dict[str, float]:
    """Mean PSNR_T on the synthetic suite, beside the merge and the bare reference; none without held-out images."""
    import tempfile

    import torch

    from f2hdr_backend.engine.method.base import Method
    from f2hdr_backend.engine.method.choose import open_method
    from f2hdr_backend.engine.method.merge import MergeMethod
    from f2hdr_backend.evaluate.suite.scoring import run
    from f2hdr_backend.evaluate.suite.suites.synthetic import Suite
    from f2hdr_backend.evaluate.suite.summary import summary
    from f2hdr_backend.shot.document import Engine
    from f2hdr_backend.weights import store

    if not held_out:
        print("no held-out panoramas in that folder: the weights carry no scores", file=sys.stderr)
        return {}
    print("scoring the weights on the synthetic suite", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        entry = store.save(store.Weights("candidate", descriptor, card, tensors), Path(folder))
        cpu = torch.device("cpu")
        methods: dict[str, Method] = {
            "f2hdr": open_method(Engine(), cpu, entry),
            "merge": MergeMethod(Engine(method="merge"), cpu),
        }
        table = summary(list(run(Suite.of(held_out), methods, SCORED_WINDOWS, Engine().reference_trust)))
    return {f"{method} PSNR_T": round(row["PSNR_T"], 2) for method, row in table.items()}
