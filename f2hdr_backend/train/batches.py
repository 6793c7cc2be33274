"""Batches of synthetic windows, each drawn from its own seed: step 700 is the same whatever came before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from f2hdr_backend.flow.estimator import load_estimator
from f2hdr_backend.flow.window import estimate_flows
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.train.clips import Clip, clip_window
from f2hdr_backend.train.sources import Source
from f2hdr_backend.train.style import Style
from f2hdr_backend.train.synthesis import SyntheticWindow, synthesize
from f2hdr_backend.train.team import Team

MARGIN_PX = 32
"""Pixels synthesized around a crop, so that flow at its border is as good as inside."""
CLIP_SHARE = 0.25
"""Share of windows that come from real clips where there are any."""


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

    def parts(self, count: int) -> list[Batch]:
        """``count`` equal batches, in order."""
        pieces = zip(*(values.chunk(count) for values in vars(self).values()), strict=True)
        return [Batch(*piece) for piece in pieces]


@dataclass(frozen=True)
class BatchPlan:
    """What is drawn: how many windows a step, how large, from which seed, for which flow."""

    windows: int
    crop_px: int
    seed: int
    descriptor: Descriptor
    clips: Sequence[Clip] = ()
    style: Style = field(default_factory=Style)


class Windows(Dataset[tuple[Tensor, ...]]):
    """Window ``i`` of an endless row of training windows; it depends on the plan's seed and on ``i`` alone."""

    def __init__(self, sources: Sequence[Source], plan: BatchPlan) -> None:
        self._sources = sources
        self._plan = plan
        self._estimator = load_estimator(plan.descriptor.flow, torch.device("cpu"))

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """The fields of a :class:`Batch`, without the leading B."""
        side = self._plan.crop_px + 2 * MARGIN_PX
        window = self._drawn((side, side), np.random.default_rng((self._plan.seed, index)))
        frames, exposures = _planes(window.ldr), torch.from_numpy(window.exposures)
        alignment = self._plan.descriptor.exposure_alignment
        flows = estimate_flows(frames[None], exposures[None], self._estimator, alignment)[0]
        visible = torch.from_numpy(window.visible[:, None].astype(np.float32))
        pictures = (frames, flows, _planes(window.radiance).clamp(0, 1), _planes(window.flows), visible)
        inner = slice(MARGIN_PX, -MARGIN_PX)
        frames, *rest = (picture[..., inner, inner].contiguous() for picture in pictures)
        return frames, exposures, *rest

    def _drawn(self, size: tuple[int, int], random: np.random.Generator) -> SyntheticWindow:
        plan = self._plan
        if plan.clips and random.random() < CLIP_SHARE:
            return clip_window(plan.clips, size, random, plan.style)
        return synthesize(self._sources, size, random, plan.style)


def batches(sources: Sequence[Source], plan: BatchPlan, steps: range, team: Team | None = None) -> Iterator[Batch]:
    """This process's share of the batches of ``steps``, made ahead in a process of their own."""
    team = team or Team()
    share = team.share(plan.windows)
    firsts = (step * plan.windows + team.rank * share for step in steps)
    loader = DataLoader(
        Windows(sources, plan),
        batch_size=share,
        sampler=[first + index for first in firsts for index in range(share)],
        num_workers=1,
        prefetch_factor=4,
    )
    for parts in loader:
        yield Batch(*parts)


def _planes(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pictures, -1, 1), np.float32))
