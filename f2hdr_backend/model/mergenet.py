"""A small network that corrects the classical merge: it chooses, pixel by pixel, between the merge and its frames.

Untrained it gives the merge bit for bit. It is an edition of this project and not part of the F2HDR paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from f2hdr_backend.model.bands import Over, whole
from f2hdr_backend.model.blocks import convolved, from_cells, infinities_as_nan, to_cells, unchanged
from f2hdr_backend.model.descriptor import MergeNetDescriptor
from f2hdr_backend.model.merge import Merged
from f2hdr_backend.model.precision import autocast_precision
from f2hdr_backend.model.radiance import tonemap
from f2hdr_backend.shot.equations import MU

CELL_PX = 2
"""The network works on cells of 2 x 2 pixels."""
GRID_PX = 4 * CELL_PX
"""Pixels of a cell on the coarsest of the three grids; pictures are padded to a multiple of it."""
VIEWS = 3
"""Reference, previous and next frame: what the network may choose instead of the merge."""
FREE_SCALE = 0.2
"""Mu-law units of the correction that is not a choice between frames."""
DOUBTFUL = 0.012
"""Mu-law units of a correction that is halved (10 % of the radiance). Smaller ones fade out: where the start is right
within that, as in static scenes with little noise, it is left alone."""
TRAINED_DOUBTFUL = 0.004
"""The same in training."""
RATIO_SCALE = 4.0
"""Stops by which the exposure ratio is divided as an input."""
WEIGHT_SCALE = 8.0
"""Natural logarithms by which the merge's weight is divided as an input."""
INPUTS = 3 * (1 + VIEWS) + 9
OUTPUTS = 3 * (VIEWS + 1)


@dataclass(frozen=True)
class Correction:
    """What the network started from and its correction of it."""

    start: Tensor
    """``(B, 3, H, W)`` radiance of the merge; 1 is the clip of the shortest exposure."""
    delta: Tensor
    """``(B, 3, H, W)`` float32, added to the start on the mu-law curve."""

    @property
    def tone(self) -> Tensor:
        """``(B, 3, H, W)`` the result on the mu-law curve, not limited: what the loss compares."""
        return tonemap(self.start) + self.delta

    @property
    def radiance(self) -> Tensor:
        """``(B, 3, H, W)`` the result, 0 up to the clip of the shortest exposure; the start itself where delta is 0."""
        gain = torch.expm1(self.delta * math.log1p(MU))
        radiance = self.start + (self.start + 1 / MU) * gain
        return torch.minimum(radiance.clamp_min(0), self.start.clamp_min(1))


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions added to the input. The second starts at zero, so the block starts as the identity."""

    REACH = 2

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        _start_at_zero(self.second)

    def forward(self, features: Tensor) -> Tensor:
        """``(B, C, H, W)`` to the same."""
        return convolved(self.second, convolved(self.first, features, F.silu), unchanged, after=features)


class MergeNet(nn.Module):
    """A U-Net on three grids. Its last layer gives a gate for each view and channel, and a free correction.

    On the mu-law curve the correction is ``sum(tanh(gate_i) (view_i - start)) + 0.2 free``, without what is doubtful
    (:data:`DOUBTFUL`).
    """

    def __init__(self, descriptor: MergeNetDescriptor | None = None) -> None:
        super().__init__()
        self.descriptor = descriptor or MergeNetDescriptor()
        fine, middle, coarse = self.descriptor.channels
        counts = self.descriptor.blocks
        self.head = nn.Conv2d(INPUTS * CELL_PX**2, fine, 3, padding=1)
        self.fine_in = _blocks(fine, counts[0])
        self.to_middle = nn.Conv2d(fine, middle, 2, 2)
        self.middle_in = _blocks(middle, counts[1])
        self.to_coarse = nn.Conv2d(middle, coarse, 2, 2)
        self.coarse = _blocks(coarse, counts[2])
        self.from_coarse = nn.Conv2d(coarse, middle, 1)
        self.middle_out = _blocks(middle, counts[1])
        self.from_middle = nn.Conv2d(middle, fine, 1)
        self.fine_out = _blocks(fine, counts[0])
        self.tail = nn.Conv2d(fine, OUTPUTS * CELL_PX**2, 3, padding=1)
        _start_at_zero(self.tail)

    def forward(self, merged: Merged, exposures: Tensor, over: Over = whole) -> Correction:
        """Correct the merge of a window.

        Args:
            merged: the merge; its radiance may have been changed since, as soft trust does.
            exposures: ``(B, 3)`` relative exposures of previous, reference and next, 1 the shortest.
            over: how layers run over the frame.
        """
        return Correction(merged.radiance, self._delta(merged, exposures, over))

    def _delta(self, merged: Merged, exposures: Tensor, over: Over) -> Tensor:
        height, width = merged.radiance.shape[-2:]
        stops = torch.log2(exposures[:, 1] / exposures[:, 0]).view(-1, 1, 1, 1) / RATIO_SCALE
        pictures = [_padded(picture) for picture in (merged.radiance, *merged.views)]
        evidence = [_padded(picture) for picture in (merged.weight, *merged.maps)]

        def start(*inputs: Tensor) -> Tensor:
            tones, (weight, *maps) = _tones(inputs[: 1 + VIEWS]), inputs[1 + VIEWS :]
            values = [tones[0], *(view - tones[0] for view in tones[1:]), weight.log() / WEIGHT_SCALE, *maps]
            values.append(stops.expand_as(weight))
            cells = to_cells(torch.cat(values, 1).to(autocast_precision(weight.device)), CELL_PX)
            return convolved(self.head, cells.contiguous(memory_format=torch.channels_last), F.silu)

        def finish(features: Tensor, *inputs: Tensor) -> Tensor:
            values = infinities_as_nan(self.tail(features)).float()
            gates, free = from_cells(values, CELL_PX).split((3 * VIEWS, 3), 1)
            merge_tone, *views = _tones(inputs)
            choice = torch.tanh(gates) * (torch.cat(views, 1) - merge_tone.repeat(1, VIEWS, 1, 1))
            correction = choice.unflatten(1, (VIEWS, 3)).sum(1) + FREE_SCALE * free
            return _without_doubtful(correction)

        features = self._features(over(start, CELL_PX, *pictures, *evidence), over)
        return over(finish, 1, features, *pictures)[..., :height, :width]

    def _features(self, fine: Tensor, over: Over) -> Tensor:
        """``(B, C, h, w)`` on the grid of cells, through the three grids and back."""
        fine = _run(self.fine_in, fine, over)
        middle = _run(self.middle_in, over(lambda band: convolved(self.to_middle, band, F.silu), 0, fine), over)
        coarse = _run(self.coarse, over(lambda band: convolved(self.to_coarse, band, F.silu), 0, middle), over)
        middle = over(lambda small, large: large + _doubled(self.from_coarse(small)), 0, coarse, middle)
        middle = _run(self.middle_out, middle, over)
        fine = over(lambda small, large: large + _doubled(self.from_middle(small)), 0, middle, fine)
        return _run(self.fine_out, fine, over)


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(count)))


def _run(blocks: nn.Sequential, features: Tensor, over: Over) -> Tensor:
    return over(blocks, ResidualBlock.REACH * len(blocks), features)


def _without_doubtful(correction: Tensor) -> Tensor:
    """Corrections well above :data:`DOUBTFUL` as they are, smaller ones nearer to 0.

    In training the level is lower, so that the network learns to keep its small corrections right; gradients pass
    unchanged, so that a network whose correction is 0 can learn.
    """
    level = TRAINED_DOUBTFUL if correction.requires_grad else DOUBTFUL
    kept = correction * (correction**2 / (correction**2 + level**2))
    return correction + (kept - correction).detach() if correction.requires_grad else kept


def _tones(pictures: tuple[Tensor, ...]) -> list[Tensor]:
    return [tonemap(picture.clamp(0, 1)) for picture in pictures]


def _doubled(features: Tensor) -> Tensor:
    return F.interpolate(features, scale_factor=2, mode="nearest")


def _padded(picture: Tensor) -> Tensor:
    """Repeat the last row and column until both sides are multiples of :data:`GRID_PX`."""
    below, right = ((-side) % GRID_PX for side in picture.shape[-2:])
    return F.pad(picture, (0, right, 0, below), mode="replicate") if below or right else picture


def _start_at_zero(layer: nn.Conv2d) -> None:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
