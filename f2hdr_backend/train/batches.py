"""Batches of training windows, each drawn from its own seed, so that a resumed run draws what an unbroken one would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from f2hdr_backend.flow.estimator import load_estimator
from f2hdr_backend.flow.window import estimate_flows
from f2hdr_backend.model.descriptor import AnyDescriptor
from f2hdr_backend.model.transfer import upload
from f2hdr_backend.train.clips import Clip, clip_window
from f2hdr_backend.train.distributed import Team
from f2hdr_backend.train.sampling_ranges import Style
from f2hdr_backend.train.sources import Source
from f2hdr_backend.train.synthesis import SyntheticWindow, synthesize

MARGIN_PX = 32
"""Pixels synthesized around a crop, so that flow at its border is as good as inside."""
CLIP_SHARE = 0.25
"""Share of windows that come from real clips where there are any."""
BATCHES_AHEAD = 4
"""Smallest number of batches that each drawing process prepares ahead."""

SomeBatch = TypeVar("SomeBatch", bound="WindowBatch")


@dataclass(frozen=True)
class WindowBatch:
    """B windows of one step; every field is a tensor whose first axis is B."""

    def parts(self: SomeBatch, count: int) -> list[SomeBatch]:
        """``count`` equal batches, in order."""
        pieces = zip(*(values.chunk(count) for values in vars(self).values()), strict=True)
        return [type(self)(*piece) for piece in pieces]

    def to(self: SomeBatch, device: torch.device) -> SomeBatch:
        """The batch on another device; a GPU copies pinned memory asynchronously."""
        return type(self)(*(upload(values, device) for values in vars(self).values()))


@dataclass(frozen=True)
class Batch(WindowBatch):
    """Inputs of a training step of the paper's network, in its shapes; windows of ``crop`` pixels a side."""

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
    """Settings of the drawn windows: number per step, size, seed, flow, clips and style."""

    windows: int
    crop_px: int
    seed: int
    descriptor: AnyDescriptor
    clips: Sequence[Clip] = ()
    style: Style = field(default_factory=Style)


class Windows(Dataset[tuple[Tensor, ...]]):
    """Training windows of the paper's network by index; each depends on the plan's seed and its index alone."""

    def __init__(self, sources: Sequence[Source], plan: BatchPlan) -> None:
        self._sources = sources
        self._plan = plan
        self._estimator = load_estimator(plan.descriptor.flow, torch.device("cpu"))

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """The fields of a :class:`Batch`, without the leading B."""
        side = self._plan.crop_px + 2 * MARGIN_PX
        random = np.random.default_rng((self._plan.seed, index))
        window = draw_window(self._sources, self._plan, (side, side), random, self._plan.style)
        frames, exposures = planes(window.ldr), torch.from_numpy(window.exposures)
        alignment = self._plan.descriptor.exposure_alignment
        flows = estimate_flows(frames[None], exposures[None], self._estimator, alignment)[0]
        visible = torch.from_numpy(window.visible[:, None].astype(np.float32))
        pictures = (frames, flows, planes(window.radiance).clamp(0, 1), planes(window.flows), visible)
        inner = slice(MARGIN_PX, -MARGIN_PX)
        frames, *rest = (picture[..., inner, inner].contiguous() for picture in pictures)
        return frames, exposures, *rest


def draw_window(
    sources: Sequence[Source], plan: BatchPlan, size: tuple[int, int], random: np.random.Generator, style: Style
) -> SyntheticWindow:
    """A window of ``size`` (width, height) from a clip or, more often, from images; from images alone without clips."""
    if plan.clips and random.random() < CLIP_SHARE:
        return clip_window(plan.clips, size, random, style)
    return synthesize(sources, size, random, style)


def batches(
    windows: Dataset[tuple[Tensor, ...]],
    batch: Callable[..., SomeBatch],
    plan: BatchPlan,
    steps: range,
    team: Team | None = None,
    *,
    workers: int = 2,
    group: int = 1,
    pin: bool = False,
) -> Iterator[SomeBatch]:
    """This process's share of the batches of ``steps``, drawn ahead in other processes.

    The windows do not depend on the number of those processes, nor their order.

    Args:
        windows: gives the fields of a batch for each window, by index.
        batch: the class of the batches.
        plan: has the number of windows of a step.
        steps: numbers of the steps.
        team: the processes that share each step; by default this one alone.
        workers: processes that draw; with 0 this one draws.
        group: number of batches that are wanted at once: together the processes prepare as many ahead.
        pin: whether batches are in pinned memory, from which a GPU copies without waiting.

    Raises:
        DocumentError: the processes cannot share the windows evenly.
    """
    team = team or Team()
    share = team.share(plan.windows)
    firsts = (step * plan.windows + team.rank * share for step in steps)
    loader = DataLoader(
        windows,
        batch_sampler=(list(range(first, first + share)) for first in firsts),  # a list is large in a long run
        num_workers=workers,
        prefetch_factor=max(BATCHES_AHEAD, -(-group // workers)) if workers else None,
        pin_memory=pin,
        worker_init_fn=_draw_in_one_thread,
    )
    for parts in loader:
        yield batch(*parts)


def _draw_in_one_thread(worker: int) -> None:
    """Torch has one thread in a drawing process; OpenCV would start one per processor in each."""
    cv2.setNumThreads(0)


def planes(pictures: np.ndarray) -> Tensor:
    """``(N, h, w, C)`` pictures as a float32 tensor ``(N, C, h, w)``."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pictures, -1, 1), np.float32))
