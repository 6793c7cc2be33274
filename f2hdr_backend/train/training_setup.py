"""The training of an edition: its network, windows, loss and optimizer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from f2hdr_backend.train.batches import BatchPlan, SomeBatch
from f2hdr_backend.train.sampling_ranges import Style
from f2hdr_backend.train.sources import Source


@dataclass(frozen=True)
class Shown:
    """Radiance of a batch for a validation sheet, ``(B, 3, h, w)`` each; 1 is the clip of the shortest exposure."""

    first: Tensor
    """Starting point of the network: stage I, or the merge."""
    result: Tensor
    truth: Tensor


class TrainingSetup(ABC, Generic[SomeBatch]):
    """Training of one kind of network."""

    batch: Callable[..., SomeBatch]
    """The class of its batches."""
    gradient_limit: float
    """Largest norm of a step's gradients; larger ones are scaled down to it."""
    style: Style
    """Source of its windows."""
    group_count, turns_count = 1, 1
    """Batches are drawn in groups of the first number, and each group is used as often as the second says."""
    figures: tuple[str, ...]
    """Names of the numbers that :meth:`loss` returns besides the loss: columns of the log."""

    @abstractmethod
    def model(self) -> nn.Module:
        """The network with the weights that training starts from, from torch's global seed."""

    @abstractmethod
    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """An optimizer whose parameter groups have a ``share`` of the learning rate."""

    @abstractmethod
    def windows(self, sources: Sequence[Source], plan: BatchPlan) -> Dataset[tuple[Tensor, ...]]:
        """The training windows, by index."""

    @abstractmethod
    def loss(self, model: nn.Module, batch: SomeBatch, progress: float) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The scalar loss of a batch, and one number without gradient for each of :attr:`figures`.

        All are on the model's device: reading a number there would wait for it. ``progress`` goes from 0 to 1 over a
        run from untrained weights; it is 1 for weights that were trained before.
        """

    @abstractmethod
    def shown(self, model: nn.Module, batch: SomeBatch) -> Shown:
        """The network's result of a batch."""

    @abstractmethod
    def describe(self, figures: Sequence[float]) -> str:
        """The figures of a step as text for a user."""

    def turn(self, batch: SomeBatch, number: int) -> SomeBatch:
        """The batch as it is used in turn ``number``, 0 to :attr:`turns_count` - 1."""
        return batch

    def rated(self, parameters: list[nn.Parameter], share: float = 1.0) -> dict[str, Any]:
        """A parameter group that has ``share`` of the learning rate."""
        return {"params": parameters, "share": share}
