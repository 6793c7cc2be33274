"""How ``mergenet`` is trained: starting at the merge as rendered, not below it, alike in both phases of a scene."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import Dataset

from f2hdr_backend.flow.estimator import Estimator, load_estimator
from f2hdr_backend.flow.occlusion import occlusion
from f2hdr_backend.flow.window import flow_inputs
from f2hdr_backend.model.descriptor import MergeNetDescriptor
from f2hdr_backend.model.merge import merge
from f2hdr_backend.model.mergenet import Correction, MergeNet
from f2hdr_backend.model.radiance import tonemap
from f2hdr_backend.train.batches import MARGIN_PX, BatchPlan, WindowBatch, draw_window, planes
from f2hdr_backend.train.sampling_ranges import WIDE_CAMERA, SceneStyle, Style
from f2hdr_backend.train.sources import Source
from f2hdr_backend.train.training_setup import Shown, TrainingSetup
from f2hdr_backend.trust.device import blend_softly_on_host

CELL_PX = 8
"""Side of the squares over which errors are averaged to compare them with the merge's and the other phase's."""
L1, WORSE, PHASE = 0.5, 1.0, 0.5
"""Weights of the terms for the mean error, for what is worse than the start, and for the difference between phases."""
PIECES = (0, 0, 0, 1, 1, 2, 2, 3, 4, 5)
RATIOS_EV = (1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0)
"""More windows in which nothing moves, and more of a large ratio: there the network is worse than the start first."""
SMALLEST_ERROR = 1e-3
"""Error on the mu-law curve below which an improvement counts less and less: 60 dB."""
FIRST_SMALLEST_ERROR, EASY_SHARE = 3e-2, 0.5
"""From untrained weights the smallest error starts higher and :data:`WORSE` at 0; both reach their values at this share
of the run. Otherwise the errors of nearly right windows decide the direction of every step, and a network that cannot
tell yet where its correction helps learns to make none."""
WEIGHT_DECAY = 1e-4


@dataclass(frozen=True)
class MergeBatch(WindowBatch):
    """Inputs of a step: windows of ``crop`` pixels a side with the flow that a render would compute."""

    frames: Tensor
    """``(B, 3, 3, h, w)`` gamma-2.2 codes 0-1 of previous, reference and next."""
    exposures: Tensor
    """``(B, 3)``."""
    flows: Tensor
    """``(B, 2, 2, h, w)`` pixels, reference to previous and to next."""
    occlusions: Tensor
    """``(B, 2, 1, h, w)`` 1 where forward and backward flow disagree."""
    start: Tensor
    """``(B, 3, h, w)`` the merge after soft trust: what the network corrects."""
    radiance: Tensor
    """``(B, 3, h, w)`` truth of the reference, clipped to 0-1."""
    scene: Tensor
    """``(B,)`` number of the scene: two windows in a row with the same number are its two phases."""

    def mirrored(self) -> MergeBatch:
        """The windows left to right and backward in time, with red, green and blue exchanged in turn."""
        return self._flipped(-1, (-1.0, 1.0), backward=True)

    def upside_down(self) -> MergeBatch:
        """The windows top to bottom, with red, green and blue exchanged in turn."""
        return self._flipped(-2, (1.0, -1.0), backward=False)

    def _flipped(self, axis: int, flow_signs: tuple[float, float], *, backward: bool) -> MergeBatch:
        in_time = (1,) if backward else ()
        return MergeBatch(
            frames=self.frames.flip(axis, *in_time).roll(1, 2),
            exposures=self.exposures.flip(in_time),
            flows=self.flows.flip(axis, *in_time) * torch.tensor(flow_signs).view(2, 1, 1),
            occlusions=self.occlusions.flip(axis, *in_time),
            start=self.start.flip(axis).roll(1, 1),
            radiance=self.radiance.flip(axis).roll(1, 1),
            scene=self.scene,
        )


class MergeWindows(Dataset[tuple[Tensor, ...]]):
    """Windows by index, in groups of four: both phases of one scene, then two other scenes."""

    def __init__(self, sources: Sequence[Source], plan: BatchPlan) -> None:
        self._sources = sources
        self._plan = plan
        self._estimator = load_estimator(plan.descriptor.flow, torch.device("cpu"))

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """The fields of a :class:`MergeBatch`, without the leading B."""
        place = index % 4
        scene = index - (place == 1)
        style = replace(self._plan.style, long_reference=bool(place)) if place < 2 else self._plan.style
        side = self._plan.crop_px + 2 * MARGIN_PX
        random = np.random.default_rng((self._plan.seed, scene))
        window = draw_window(self._sources, self._plan, (side, side), random, style)
        frames, exposures = planes(window.ldr), torch.from_numpy(window.exposures)
        flows, hidden = _flows(frames[None], exposures[None], self._estimator, self._plan.descriptor.exposure_alignment)
        inner = slice(MARGIN_PX, -MARGIN_PX)
        previous, reference, following = (float(exposure) for exposure in window.exposures)
        merged = merge(frames[None], exposures[None], flows, hidden).radiance[0]
        start, _ = blend_softly_on_host(merged, flows[0], list(window.ldr), (previous, reference, following))
        pictures = (frames, flows[0], hidden[0], start, planes(window.radiance[1:2])[0].clamp(0, 1))
        frames, *rest = (picture[..., inner, inner].contiguous() for picture in pictures)
        return frames, exposures, *rest, torch.tensor(scene)


class MergeNetSetup(TrainingSetup[MergeBatch]):
    """Decibels gained over the start, terms for what is worse than it, and one for the difference between phases."""

    batch = MergeBatch
    gradient_limit = 2.0
    style = Style(SceneStyle(still=0.4, pieces=PIECES, patchwork=0.2, vivid=0.25, ratios_ev=RATIOS_EV), WIDE_CAMERA)
    group_count, turns_count = 32, 4
    figures = ("psnr_t", "merge_psnr_t", "phase")

    def __init__(self, descriptor: MergeNetDescriptor) -> None:
        self._descriptor = descriptor

    def model(self) -> MergeNet:
        """See :class:`TrainingSetup`: the result is the start."""
        return MergeNet(self._descriptor)

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """See :class:`TrainingSetup`."""
        return torch.optim.AdamW([self.rated(list(model.parameters()))], weight_decay=WEIGHT_DECAY)

    def windows(self, sources: Sequence[Source], plan: BatchPlan) -> Dataset[tuple[Tensor, ...]]:
        """See :class:`TrainingSetup`."""
        return MergeWindows(sources, plan)

    def loss(self, model: nn.Module, batch: MergeBatch, progress: float) -> tuple[Tensor, tuple[Tensor, ...]]:
        """See :class:`TrainingSetup`; the figures are PSNR_T in dB of result and start, and the term of the phases.

        Every term is relative to the start's error in the same window, so that a window counts by the decibels it
        gains and not by how difficult it is.
        """
        easy = max(0.0, 1 - progress / EASY_SHARE)
        smallest = SMALLEST_ERROR * (FIRST_SMALLEST_ERROR / SMALLEST_ERROR) ** easy
        found = self._corrected(model, batch)
        truth = tonemap(batch.radiance)
        error = found.tone - truth
        before = tonemap(found.start) - truth
        scale = before.abs().mean((1, 2, 3)) + smallest
        gained = _logarithm(error.square(), smallest**2) - _logarithm(before.square(), smallest**2)
        total = gained.mean() / 2 + L1 * (_logarithm(error.abs(), smallest) - _logarithm(before.abs(), smallest)).mean()
        worse = (_averaged(error.abs()) - _averaged(before.abs())).clamp_min(0).mean((1, 2, 3))
        phase = _phase_difference(error / scale.view(-1, 1, 1, 1), batch.scene)
        lost = gained.clamp_min(0).mean() / 2 + (worse / scale).mean()
        total = total + (1 - easy) * WORSE * lost + PHASE * phase
        return total, (_psnr(error), _psnr(before), phase.detach())

    def turn(self, batch: MergeBatch, number: int) -> MergeBatch:
        """See :class:`TrainingSetup`: drawing takes longer than learning, so each batch is used four times.

        Between two turns of a batch come those of others: with four in a row the network learned little.
        """
        used = batch.mirrored() if number % 2 else batch
        return used.upside_down() if number >= 2 else used

    def shown(self, model: nn.Module, batch: MergeBatch) -> Shown:
        """See :class:`TrainingSetup`."""
        found = self._corrected(model, batch)
        return Shown(found.start, found.radiance, batch.radiance)

    @staticmethod
    def _corrected(model: nn.Module, batch: MergeBatch) -> Correction:
        merged = merge(batch.frames, batch.exposures, batch.flows, batch.occlusions)
        found: Correction = model(replace(merged, radiance=batch.start), batch.exposures)
        return found

    def describe(self, figures: Sequence[float]) -> str:
        """See :class:`TrainingSetup`."""
        return f"PSNR_T {figures[0]:.2f} dB (merge {figures[1]:.2f})"


def _logarithm(errors: Tensor, smallest: float) -> Tensor:
    """``(B, 3)`` natural logarithm of the mean of errors ``(B, 3, h, w)`` in each channel, plus ``smallest``."""
    return (errors.mean((2, 3)) + smallest).log()


def _averaged(error: Tensor) -> Tensor:
    """``(B, 1, h, w)`` the mean over channels and squares."""
    return F.avg_pool2d(error.mean(1, keepdim=True), CELL_PX)


def _phase_difference(error: Tensor, scene: Tensor) -> Tensor:
    """Difference between the mean errors of a scene's two phases, over the batch's pairs; 0 without pairs.

    Errors and not results are compared: with motion blur the truth itself depends on the phase.
    """
    local = F.avg_pool2d(error, CELL_PX)
    pairs = (scene[1:] == scene[:-1]).float().view(-1, 1, 1, 1)
    difference = ((local[1:] - local[:-1]).abs() * pairs).mean((1, 2, 3)).sum()
    return difference / pairs.sum().clamp_min(1)


def _psnr(error: Tensor) -> Tensor:
    """``()`` the mean PSNR in dB (peak 1) of the windows."""
    squares = error.detach().square().flatten(1).mean(1).clamp_min(1e-12)
    return (-10 * squares.log() / math.log(10)).mean()


def _flows(frames: Tensor, exposures: Tensor, estimator: Estimator, alignment: str) -> tuple[Tensor, Tensor]:
    """``(B, 2, 2, H, W)`` flows from the reference to its neighbors, and ``(B, 2, 1, H, W)`` where they are hidden."""
    flows, hidden = [], []
    for side in (0, 2):
        pair = flow_inputs(frames[:, 1], frames[:, side], (exposures[:, 1], exposures[:, side]), alignment)
        reference, neighbor = (estimator.encode(picture) for picture in pair)
        flows.append(estimator.estimate(reference, neighbor))
        hidden.append(occlusion(flows[-1], estimator.estimate(neighbor, reference)))
    return torch.stack(flows, 1), torch.stack(hidden, 1)
