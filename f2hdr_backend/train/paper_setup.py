"""Training of the paper's network (``standard``, ``lite`` and the ablations)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.f2hdr import F2HDR
from f2hdr_backend.train.batches import Batch, BatchPlan, Windows
from f2hdr_backend.train.loss import RECIPES, flow_error, loss
from f2hdr_backend.train.sampling_ranges import Style
from f2hdr_backend.train.sources import Source
from f2hdr_backend.train.training_setup import Shown, TrainingSetup

TAIL_RATE = 0.1
"""Share of the learning rate for the adapter's last layer. Its unit is 20 px: at the full rate, one Adam step would
change flows by pixels."""


class PaperSetup(TrainingSetup[Batch]):
    """Loss and optimizer of the paper's network, with our terms or without them."""

    batch = Batch
    gradient_limit = 1.0
    style = Style()
    figures = ("coarse_flow_px", "flow_px")

    def __init__(self, descriptor: Descriptor, recipe: str = "ours") -> None:
        """``recipe`` is a key of :data:`~f2hdr_backend.train.loss.RECIPES`."""
        self._descriptor = descriptor
        self._recipe = RECIPES[recipe]

    def model(self) -> F2HDR:
        """See :class:`TrainingSetup`: the refinement starts at zero, so training starts from stage I."""
        model = F2HDR(self._descriptor)
        if self._descriptor.refine:
            for parameter in model.refine_net.head[-1].parameters():
                nn.init.zeros_(parameter)
        return model

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """See :class:`TrainingSetup`."""
        tail = [parameter for name, parameter in model.named_parameters() if name.startswith("flow_adapter.tail")]
        rest = [parameter for name, parameter in model.named_parameters() if not name.startswith("flow_adapter.tail")]
        return torch.optim.Adam([self.rated(rest), self.rated(tail, TAIL_RATE)])

    def windows(self, sources: Sequence[Source], plan: BatchPlan) -> Dataset[tuple[Tensor, ...]]:
        """See :class:`TrainingSetup`."""
        return Windows(sources, plan)

    def loss(self, model: nn.Module, batch: Batch, progress: float) -> tuple[Tensor, tuple[Tensor, ...]]:
        """See :class:`TrainingSetup`; the figures are mean end-point errors of the estimator's and the adapted flow."""
        result = model(batch.frames, batch.exposures, batch.coarse_flows)
        coarse, adapted = (flow_error(flows.detach(), batch) for flows in (batch.coarse_flows, result.flows))
        with torch.autocast(batch.frames.device.type, enabled=False):
            return loss(result, batch, self._recipe), (coarse, adapted)

    def shown(self, model: nn.Module, batch: Batch) -> Shown:
        """See :class:`TrainingSetup`."""
        result = model(batch.frames, batch.exposures, batch.coarse_flows)
        return Shown(result.coarse, result.hdr, batch.radiance[:, 1])

    def describe(self, figures: Sequence[float]) -> str:
        """See :class:`TrainingSetup`."""
        return f"flow error {figures[0]:.2f} -> {figures[1]:.2f} px"
