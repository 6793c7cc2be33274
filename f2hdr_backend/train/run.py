"""A training run in a folder: its steps with logs and validation, and the finished weights with their card."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from f2hdr_backend.model.descriptor import AnyDescriptor
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.train.clips import movies, open_clips
from f2hdr_backend.train.distributed import Team
from f2hdr_backend.train.loop import Material, StepDone, Trainer, TrainPlan, averaged_tensors, train
from f2hdr_backend.train.sampling_ranges import SceneStyle
from f2hdr_backend.train.sources import Source, load_sources
from f2hdr_backend.train.validation import Validation
from f2hdr_backend.weights import store

LOG, VALIDATION = "train.csv", "validation.csv"
"""Files of a run's folder."""
REPORT_EVERY = 10
"""Steps between two reports."""
LOG_COLUMNS = ("step", "loss")
VALIDATION_COLUMNS = ("step", "psnr_t")

Report = Callable[[str], object]
"""Receives one line of text for the user."""


@dataclass(frozen=True)
class Run:
    """One run: what it learns from, and the folder of its checkpoint and logs."""

    images: Path
    """Folder of scene-linear EXR images."""
    clips: Path | None
    """Folder of real clips, the second source."""
    folder: Path
    descriptor: AnyDescriptor
    plan: TrainPlan
    validate_every: int
    """Steps between two validations; 0 for none."""
    start: store.Weights | None = None
    """Weights to start from; None for untrained ones."""

    def learn(self, device: torch.device, report: Report) -> bool:
        """Take all steps that are left, and write logs and validation sheets into the folder.

        Returns whether this process leads its team: the others have nothing left to do.

        Raises:
            DocumentError: there is nothing to learn from, or a step's windows cannot be shared evenly.
        """
        first = None if self.start is None else self.start.tensors
        material = Material(load_sources(self.images), [] if self.clips is None else open_clips(self.clips), first)
        held_out = self.held_out() if self.validate_every else []
        validation: Validation | None = None
        team = Team.join(device)
        for done, trainer in train(material, self.plan, self.folder, self.descriptor, device):
            if not team.leads:
                continue
            self._log(done, trainer, report)
            if held_out and done.step % self.validate_every == 0:
                validation = validation or Validation(held_out, self.descriptor, trainer.setup)
                self._validate(done, validation, trainer, report)
        return team.leads

    def weights(self, name: str, license_text: str) -> store.Weights:
        """Return the finished weights with their card: images, clips, license, steps, seed and exposure ratios."""
        plan = self.plan
        names = [source.name for source in load_sources(self.images)]
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
        return store.Weights(name, self.descriptor, card, averaged_tensors(self.folder))

    def held_out(self) -> list[Source]:
        """Return the images kept for scores; none if the folder has none."""
        try:
            return load_sources(self.images, held_out=True)
        except DocumentError:
            return []

    def _log(self, done: StepDone, trainer: Trainer, report: Report) -> None:
        numbers = (done.step, f"{done.loss:.5f}", *(f"{figure:.4f}" for figure in done.figures))
        _append(self.folder / LOG, (*LOG_COLUMNS, *trainer.setup.figures), numbers)
        if done.step % REPORT_EVERY == 0:
            figures = trainer.setup.describe(done.figures)
            report(f"step {done.step}/{self.plan.steps}  loss {done.loss:.4f}  {figures}")

    def _validate(self, done: StepDone, validation: Validation, trainer: Trainer, report: Report) -> None:
        score = validation(trainer.average, self.folder / f"validation.{done.step:06d}.png")
        _append(self.folder / VALIDATION, VALIDATION_COLUMNS, (done.step, f"{score:.3f}"))
        report(f"step {done.step}  PSNR_T of held-out windows {score:.2f} dB")


def _append(path: Path, columns: tuple[str, ...], row: tuple[object, ...]) -> None:
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        csv.writer(file).writerows([columns, row] if fresh else [row])
