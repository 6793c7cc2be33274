"""The training loop: steps, checkpoints that resume exactly, and a moving average of the weights, which is shipped."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import Dataset

from f2hdr_backend.model.descriptor import AnyDescriptor, MergeNetDescriptor
from f2hdr_backend.shot.atomic import atomic_file
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.safe_open import open_file
from f2hdr_backend.train.batches import BatchPlan, WindowBatch, batches
from f2hdr_backend.train.clips import Clip
from f2hdr_backend.train.distributed import Team
from f2hdr_backend.train.mergenet_setup import MergeNetSetup
from f2hdr_backend.train.paper_setup import PaperSetup
from f2hdr_backend.train.sources import Source
from f2hdr_backend.train.training_setup import TrainingSetup

CHECKPOINT = "checkpoint.pt"
WARM_UP_STEPS = 100
LAST_RATE = 0.02
AVERAGE_DECAY = 0.998


@dataclass(frozen=True)
class TrainPlan:
    """One training run. The same plan on the same CPU gives the same weights, interrupted or not."""

    steps: int
    windows: int = 4
    """A step, over all processes."""
    accumulate: int = 1
    """Gradient accumulation steps; batch statistics are those of one part."""
    crop_px: int = 128
    learning_rate: float = 4e-4
    seed: int = 1
    recipe: str = "ours"
    """Terms of the paper's network's loss: a key of :data:`~f2hdr_backend.train.loss.RECIPES`."""
    checkpoint_every: int = 100
    half: bool = True
    """bf16 autocast."""
    workers: int = 2
    """Processes that draw windows while this one trains; 0 draws in this one. The windows are the same."""
    read_every: int = 1
    """Interval in steps at which losses are read: reading synchronizes the GPU."""


@dataclass(frozen=True)
class StepDone:
    """The report of one step."""

    step: int
    loss: float
    figures: tuple[float, ...]
    """One for each of the setup's :attr:`~f2hdr_backend.train.training_setup.TrainingSetup.figures`."""


class Trainer:
    """A model in training and the state that a checkpoint stores."""

    def __init__(self, plan: TrainPlan, descriptor: AnyDescriptor, device: torch.device, team: Team) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.team = team
        self.device = device
        self.setup = setup_of(descriptor, plan.recipe)
        self.model = self.setup.model()
        self.model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.optimizer = self.setup.optimizer(self.model)
        self.step = 0
        self._untrained = True

    def start_from(self, tensors: Mapping[str, Tensor]) -> None:
        """Take other first weights than the untrained ones."""
        self._untrained = False
        self.model.load_state_dict(dict(tensors))
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}

    def save(self, folder: Path) -> None:
        """Write the checkpoint atomically. Raises UnwritableFrame."""
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
        }
        with atomic_file(folder / CHECKPOINT) as file:
            torch.save(state, file)

    def resume(self, folder: Path) -> None:
        """Resume from the folder's checkpoint, if there is one."""
        path = folder / CHECKPOINT
        if not path.exists():
            return
        state = _checkpoint(path)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average = {name: value.to(self.device) for name, value in state["average"].items()}
        self.step = state["step"]

    def advance(self, batch: WindowBatch) -> Tensor:
        """Take one optimizer step; returns ``(1 + F,)`` on the device: the loss, then the setup's F figures."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.learning_rate * group["share"] * _schedule(self.step, self.plan.steps)
        self.optimizer.zero_grad(set_to_none=True)
        parts = batch.parts(self.plan.accumulate)
        learned = torch.stack([self._learn(part, 1 / len(parts)) for part in parts]).mean(0)
        self.team.average_gradients(self.model)
        nn.utils.clip_grad_norm_(self.model.parameters(), self.setup.gradient_limit)
        self.optimizer.step()
        self.step += 1
        self._update_average()
        return learned

    def _learn(self, batch: WindowBatch, share: float) -> Tensor:
        """Add the gradients of a part of the step; returns its loss and the setup's figures, on the device."""
        progress = self.step / self.plan.steps if self._untrained else 1.0
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.plan.half):
            value, figures = self.setup.loss(self.model, batch.to(self.device), progress)
        (value * share).backward()
        return torch.stack([number.detach().float() for number in (value, *figures)])

    @torch.no_grad()
    def _update_average(self) -> None:
        """Move the average towards the weights, in a few kernel launches instead of one per tensor."""
        decay = min(AVERAGE_DECAY, self.step / (self.step + 10))
        now = self.model.state_dict()
        weights = [name for name, value in now.items() if value.is_floating_point()]
        moved = get_ema_multi_avg_fn(decay)
        moved([self.average[name] for name in weights], [now[name] for name in weights], None)
        for name in now.keys() - set(weights):  # batch counters
            self.average[name].copy_(now[name])


@dataclass(frozen=True)
class Material:
    """Images and clips of a run, and the weights that it starts from."""

    sources: Sequence[Source]
    clips: Sequence[Clip] = ()
    start: Mapping[str, Tensor] | None = None
    """Tensors of the same network; None for untrained ones."""


def train(
    material: Material, plan: TrainPlan, folder: Path, descriptor: AnyDescriptor, device: torch.device
) -> Iterator[tuple[StepDone, Trainer]]:
    """Run the plan in ``folder`` from its last checkpoint, in every process of a team.

    Yields every step, and the trainer as it is after the last of the steps that were read together. Checkpoints are
    read too, and so is the last step.

    Raises:
        DocumentError: the windows cannot be shared evenly.
    """
    team = Team.join(device)
    trainer = Trainer(plan, descriptor, device, team)
    if material.start is not None:
        trainer.start_from(material.start)
    trainer.resume(folder)
    setup = trainer.setup
    drawn = BatchPlan(plan.windows, plan.crop_px, plan.seed, descriptor, material.clips, setup.style)
    windows = setup.windows(material.sources, drawn)
    unread: list[Tensor] = []
    for batch in _steps(trainer, windows, drawn, team):
        unread.append(trainer.advance(batch))
        saved = trainer.step % plan.checkpoint_every == 0 or trainer.step == plan.steps
        if saved and team.leads:
            trainer.save(folder)
        if saved or trainer.step % plan.read_every == 0:
            for done in _read(unread, trainer.step):
                yield done, trainer
            unread.clear()


def _read(unread: Sequence[Tensor], last: int) -> Iterator[StepDone]:
    """Yield the steps up to step ``last`` from their losses and figures, which are read in one copy."""
    numbers = torch.stack(list(unread)).tolist()
    for step, (loss, *figures) in enumerate(numbers, last - len(numbers) + 1):
        yield StepDone(step, loss, tuple(figures))


def _steps(
    trainer: Trainer, windows: Dataset[tuple[Tensor, ...]], drawn: BatchPlan, team: Team
) -> Iterator[WindowBatch]:
    """The batches of all steps that are left: each group is used once in every turn."""
    setup, first, last = trainer.setup, trainer.step, trainer.plan.steps
    group_count, per_group = setup.group_count, setup.group_count * setup.turns_count
    start = first // per_group
    full, rest = divmod(last, per_group)
    draws = range(start * group_count, full * group_count + min(rest, group_count))
    plan, pin = trainer.plan, trainer.device.type == "cuda"
    made = batches(windows, setup.batch, drawn, draws, team, workers=plan.workers, group=group_count, pin=pin)
    step = start * per_group
    while group := list(islice(made, group_count)):
        for turn, batch in product(range(setup.turns_count), group):
            if first <= step < last:
                yield setup.turn(batch, turn)
            step += 1


def setup_of(descriptor: AnyDescriptor, recipe: str = "ours") -> TrainingSetup[Any]:
    """Return the training of this descriptor's network; ``recipe`` concerns the paper's network."""
    if isinstance(descriptor, MergeNetDescriptor):
        return MergeNetSetup(descriptor)
    return PaperSetup(descriptor, recipe)


def averaged_tensors(folder: Path) -> dict[str, Tensor]:
    """The moving average in a run's checkpoint: the weights to ship, float32 on the CPU."""
    state = _checkpoint(folder / CHECKPOINT)
    return {name: value.contiguous() for name, value in state["average"].items()}


def _checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint, on the CPU. Raises DocumentError if it cannot be read; no code in it runs.

    The optimizer moves its averages to the model's device. Its step counters stay on the CPU: reading one from a GPU
    would synchronize, in every step and for every parameter.
    """
    try:
        with open_file(path) as file:
            state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        if not {"model", "average", "optimizer", "step"} <= state.keys():
            raise ValueError("it has no model")
    except Exception as error:  # damaged bytes raise any error in torch's reader
        hint = "Move it away to train from the start, or train in another folder."
        raise DocumentError(f'"{path}" is not a checkpoint of a training run.', hint=hint, path=str(path)) from error
    return state


def _schedule(step: int, steps: int) -> float:
    """Share of the learning rate: a linear start, then half a cosine down to 2 %."""
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return warm * (LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps))))
