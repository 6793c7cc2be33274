"""Batches of synthetic windows, each drawn from its own seed: step 700 is the same whatever came before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from f2hdr_backend.flow.estimator import load_estimator
from f2hdr_backend.flow.window import estimate_flows
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.train.sources import Source
from f2hdr_backend.train.synthesis import synthesize

MARGIN_PX = 32
"""Pixels synthesized around a crop, so that flow at its border is as good as inside."""


@dataclass(frozen=True)
class Batch:
    """What a training step needs; shapes as the network's, with B windows of ``crop`` pixels a side."""

    frames: Tensor
    """``(B, 3, 3, h, w)`` gamma-2.2 codes 0-1."""
    exposures: Tensor
    """``(B, 3)``."""
    coarse_flows: Tensor
    """``(B, 2, 2, h, w)`` the estimator's flow in pixels."""
    radiance: Tensor
    """``(B, 3, 3, h, w)`` truth of all three frames, clipped to 0-1."""
    true_flows: Tensor
    """``(B, 2, 2, h, w)`` pixels."""
    visible: Tensor
    """``(B, 2, 1, h, w)`` 1 where the true flow leads to the same surface."""


@dataclass(frozen=True)
class BatchPlan:
    """What is drawn: how many windows a step, how large, from which seed, for which flow."""

    windows: int
    crop_px: int
    seed: int
    descriptor: Descriptor


class Windows(Dataset[tuple[Tensor, ...]]):
    """Window ``i`` of an endless row of training windows; it depends on the plan's seed and on ``i`` alone."""

    def __init__(self, sources: Sequence[Source], plan: BatchPlan) -> None:
        self._sources = sources
        self._plan = plan
        self._estimator = load_estimator(plan.descriptor.flow, torch.device("cpu"))

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """The fields of a :class:`Batch`, without the leading B."""
        side = self._plan.crop_px + 2 * MARGIN_PX
        window = synthesize(self._sources, (side, side), np.random.default_rng((self._plan.seed, index)))
        frames, exposures = _planes(window.ldr), torch.from_numpy(window.exposures)
        alignment = self._plan.descriptor.exposure_alignment
        flows = estimate_flows(frames[None], exposures[None], self._estimator, alignment)[0]
        visible = torch.from_numpy(window.visible[:, None].astype(np.float32))
        pictures = (frames, flows, _planes(window.radiance).clamp(0, 1), _planes(window.flows), visible)
        inner = slice(MARGIN_PX, -MARGIN_PX)
        frames, *rest = (picture[..., inner, inner].contiguous() for picture in pictures)
        return frames, exposures, *rest


def batches(sources: Sequence[Source], plan: BatchPlan, steps: range) -> Iterator[Batch]:
    """The batches of ``steps``, made ahead in a process of their own."""
    loader = DataLoader(
        Windows(sources, plan),
        batch_size=plan.windows,
        sampler=range(steps.start * plan.windows, steps.stop * plan.windows),
        num_workers=1,
        prefetch_factor=4,
    )
    for parts in loader:
        yield Batch(*parts)


def _planes(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pictures, -1, 1), np.float32))
