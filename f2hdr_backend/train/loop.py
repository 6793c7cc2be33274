"""The training loop: steps, checkpoints that resume exactly, and a moving average that is what ships."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.f2hdr import F2HDR
from f2hdr_backend.train.batches import Batch, BatchPlan, batches
from f2hdr_backend.train.clips import Clip
from f2hdr_backend.train.loss import RECIPES, flow_error, loss
from f2hdr_backend.train.sources import Source
from f2hdr_backend.train.team import Team

CHECKPOINT = "checkpoint.pt"
WARM_UP_STEPS = 100
LAST_RATE = 0.02
TAIL_RATE = 0.1
GRADIENT_LIMIT = 1.0
AVERAGE_DECAY = 0.998


@dataclass(frozen=True)
class TrainPlan:
    """One training run; the same plan on the same CPU gives the same weights, interrupted or not."""

    steps: int
    windows: int = 4
    """A step, over all processes."""
    accumulate: int = 1
    """In how many parts each process takes its windows, for less memory; batch statistics are those of a part."""
    crop_px: int = 128
    learning_rate: float = 4e-4
    seed: int = 1
    recipe: str = "ours"
    """A key of :data:`~f2hdr_backend.train.loss.RECIPES`."""
    checkpoint_every: int = 100
    half: bool = True
    """bf16 autocast."""


@dataclass(frozen=True)
class StepDone:
    """What one step reports."""

    step: int
    loss: float
    coarse_flow_px: float
    """Mean end-point error of the estimator's flow where the surface is visible."""
    flow_px: float
    """The same of the adapted flow."""


class Trainer:
    """A model in training and everything that a checkpoint must hold."""

    def __init__(self, plan: TrainPlan, descriptor: Descriptor, device: torch.device, team: Team) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.team = team
        self.device = device
        self.model = F2HDR(descriptor)
        if descriptor.refine:
            _start_at_zero(self.model.refine_net.head[-1])
        self.model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.optimizer = torch.optim.Adam(_rates(self.model))
        self.step = 0

    def save(self, folder: Path) -> None:
        """Write the checkpoint, whole or not at all."""
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
        }
        partial = folder / (CHECKPOINT + ".part")
        torch.save(state, partial)
        partial.replace(folder / CHECKPOINT)

    def resume(self, folder: Path) -> None:
        """Go on from the folder's checkpoint, if there is one."""
        path = folder / CHECKPOINT
        if not path.exists():
            return
        state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average, self.step = state["average"], state["step"]

    def advance(self, batch: Batch) -> StepDone:
        """One optimizer step."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.learning_rate * group["share"] * _schedule(self.step, self.plan.steps)
        self.optimizer.zero_grad(set_to_none=True)
        parts = batch.parts(self.plan.accumulate)
        means = torch.tensor([self._learn(part, 1 / len(parts)) for part in parts]).mean(0)
        self.team.average_gradients(self.model)
        nn.utils.clip_grad_norm_(self.model.parameters(), GRADIENT_LIMIT)
        self.optimizer.step()
        self.step += 1
        self._update_average()
        return StepDone(self.step, *means.tolist())

    def _learn(self, batch: Batch, share: float) -> tuple[float, float, float]:
        """Add the gradients of a part of the step; returns its loss and the coarse and adapted flow's error."""
        batch = Batch(*(part.to(self.device) for part in vars(batch).values()))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.plan.half):
            result = self.model(batch.frames, batch.exposures, batch.coarse_flows)
        value = loss(result, batch, RECIPES[self.plan.recipe])
        (value * share).backward()
        coarse, adapted = (float(flow_error(flows.detach(), batch)) for flows in (batch.coarse_flows, result.flows))
        return value.item(), coarse, adapted

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(AVERAGE_DECAY, self.step / (self.step + 10))
        for name, value in self.model.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1 - decay)
            else:
                self.average[name].copy_(value)


@dataclass(frozen=True)
class Material:
    """What a run learns from."""

    sources: Sequence[Source]
    clips: Sequence[Clip] = ()


def train(
    material: Material, plan: TrainPlan, folder: Path, descriptor: Descriptor, device: torch.device
) -> Iterator[tuple[StepDone, Trainer]]:
    """Run the plan in ``folder``, from its last checkpoint on; yields after every step, on every process of a team.

    Raises:
        DocumentError: the windows cannot be shared evenly.
    """
    team = Team.join(device)
    trainer = Trainer(plan, descriptor, device, team)
    trainer.resume(folder)
    drawn = BatchPlan(plan.windows, plan.crop_px, plan.seed, descriptor, material.clips)
    for batch in batches(material.sources, drawn, range(trainer.step, plan.steps), team):
        done = trainer.advance(batch)
        if team.leads and (trainer.step % plan.checkpoint_every == 0 or trainer.step == plan.steps):
            trainer.save(folder)
        yield done, trainer


def averaged_tensors(folder: Path) -> dict[str, Tensor]:
    """The moving average of a run's checkpoint: the tensors to ship, float32 on the CPU."""
    state = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)
    return {name: value.contiguous() for name, value in state["average"].items()}


def _schedule(step: int, steps: int) -> float:
    """Share of the learning rate: a linear start, then half a cosine down to 2 %."""
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return warm * (LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps))))


def _rates(model: F2HDR) -> list[dict[str, Any]]:
    """Parameter groups with their share of the learning rate.

    The adapter's last layer speaks in units of 20 px: at the full rate one Adam step moves flows by pixels.
    """
    tail = [parameter for name, parameter in model.named_parameters() if name.startswith("flow_adapter.tail")]
    rest = [parameter for name, parameter in model.named_parameters() if not name.startswith("flow_adapter.tail")]
    return [{"params": rest, "share": 1.0}, {"params": tail, "share": TAIL_RATE}]


def _start_at_zero(layer: nn.Module) -> None:
    """Let the refinement begin as nothing: training starts from stage I."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
