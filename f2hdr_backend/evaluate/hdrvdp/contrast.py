"""Neural contrast sensitivity and masking of HDR-VDP-2.2: the visibility of the difference of two pyramids.

Source: Mantiuk et al. 2011, with the constants of release 2.2.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from f2hdr_backend.evaluate.hdrvdp.bicubic import resize
from f2hdr_backend.evaluate.hdrvdp.eye import LOG_RANGE, filter_padded, frequency_grid, read_log_table

CSF_LUMINANCE = (0.002, 0.02, 0.2, 2.0, 20.0, 150.0)
"""Adaptation luminances in cd/m2 of the rows of ``CSF_PARAMETERS``."""
CSF_PARAMETERS = (
    (0.991265, 3.74038, 0.50722, 4.46044),
    (0.800889, 3.54104, 0.682505, 4.94958),
    (0.476505, 4.37453, 0.750315, 5.28678),
    (0.405782, 4.40602, 0.935314, 5.61425),
    (0.334278, 3.79542, 1.07327, 6.4635),
    (0.394533, 2.7755, 1.16577, 7.45665),
)
CSF_STEPS = 256
MASK_P = 10**0.544068
MASK_Q = 10**0.49576
MASK_SELF = 10**0.189065
MASK_ORIENTATION = 10**0.449199
MASK_NEIGHBOR = 10**1.52512


def sensitivity(frequency: Tensor, log_luminance: Tensor) -> Tensor:
    """Neural contrast sensitivity at ``frequency`` (cycles per degree) and adaptation log10 cd/m2; 0 at frequency 0."""
    nodes = torch.tensor(CSF_LUMINANCE, dtype=torch.float64).log10()
    rows = torch.tensor(CSF_PARAMETERS, dtype=torch.float64)
    log_light = log_luminance.to("cpu", torch.float64).clamp(float(nodes[0]), float(nodes[-1]))
    above = torch.searchsorted(nodes, log_light).clamp(1, len(nodes) - 1)
    fraction = (log_light - nodes[above - 1]) / (nodes[above] - nodes[above - 1])
    p = torch.lerp(rows[above - 1], rows[above], fraction.unsqueeze(-1)).to(frequency)
    p1, p2, p3, p4 = p.unbind(-1)
    low_cut = -torch.expm1(-((frequency / 7) ** 2))
    value = p4 / torch.sqrt((1 + (p1 * frequency) ** p2) / low_cut**p3)
    return torch.where(frequency > 0, value, torch.zeros_like(value))


def filter_base(base: Tensor, pad: Tensor, adaptation: Tensor, rate: float) -> Tensor:
    """The base band ``(h, w)`` after the contrast sensitivity at the frame's mean ``adaptation`` (cd/m2, scalar).

    Args:
        base: one frame's unfiltered base band.
        pad: the value around it: the mean of the reference's unfiltered base band, for both frames.
        adaptation: the frame's mean adaptation luminance.
        rate: samples per degree of the base band's grid.
    """
    height, width = base.shape
    transfer = sensitivity(frequency_grid(2 * height, 2 * width, rate, base), adaptation.log10())
    return filter_padded(base, transfer, pad)


def noise(frequency: float, log_adaptation: Tensor) -> Tensor:
    """``(h, w)`` neural noise 1 / sensitivity of a band, at its own frequency and log10 adaptation luminance."""
    log_light = torch.linspace(*LOG_RANGE, CSF_STEPS, dtype=torch.float64)
    table = sensitivity(torch.full_like(log_light, frequency), log_light)
    return 1.0 / read_log_table(table.to(log_adaptation), log_adaptation)


def mutual_masker(test: Tensor, reference: Tensor) -> Tensor:
    """``(O, h, w)``: 3 x 3 box mean, zero outside, of the smaller magnitude of both frames' bands."""
    smaller = torch.minimum(test.abs(), reference.abs())
    return torch.nn.functional.avg_pool2d(smaller.unsqueeze(0), 3, stride=1, padding=1)[0]


def masked_differences(maskers: list[Tensor], band: int, difference: Tensor, neural_noise: Tensor) -> Iterator[Tensor]:
    """Yield the visible difference D of each orientation of a band, one ``(h, w)`` at a time.

    Args:
        maskers: `mutual_masker` of every band, fine to coarse, ``(O, h, w)`` each.
        band: index of the band.
        difference: ``(O, h, w)`` test minus reference of this band.
        neural_noise: ``(h, w)`` from `noise`, or a single 1 for the base band.
    """
    gain = 2.0**band
    own = maskers[band]
    total = own.sum(dim=0)
    floor = neural_noise ** (2 * MASK_P)
    for orientation, masker in enumerate(own):
        masking = (_neighbors(maskers, band, orientation) / neural_noise).pow_(MASK_Q).mul_(MASK_NEIGHBOR)
        within = neural_noise * gain
        masking += (masker / within).pow_(MASK_Q).mul_(MASK_SELF)
        if len(own) > 1:
            masking += (total - masker).clamp_min_(0).div_(within).pow_(MASK_Q).mul_(MASK_ORIENTATION)
        delta = difference[orientation] / gain
        excitation = delta.abs().pow_(MASK_P).copysign_(delta).mul_(gain)
        yield excitation / masking.mul_(gain).square_().add_(floor).sqrt_()


def _neighbors(maskers: list[Tensor], band: int, orientation: int) -> Tensor:
    """The same orientation one band finer and one coarser, at this band's size and gain; the base band masks no
    other.
    """
    size = maskers[band].shape[-2], maskers[band].shape[-1]
    gain = 2.0**band
    total = torch.zeros_like(maskers[band][0])
    for other, weight in ((band - 1, 2.0 / gain), (band + 1, 0.5 / gain)):
        if 0 <= other < len(maskers) - 1:
            masker = maskers[other][min(orientation, len(maskers[other]) - 1)]
            total.add_(resize(masker, size).clamp_min(0), alpha=weight)
    return total
