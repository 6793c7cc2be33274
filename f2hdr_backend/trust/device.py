"""Reference trust of tensors: as torch operations for frames that are on a GPU, and as the CPU runs it.

The steps and constants are those of :mod:`f2hdr_backend.trust.blend` and the modules that it calls, which the CPU runs.
The operations do not wait for the device. One difference remains: where the result shows another surface, the CPU
compares neighbors in the smallest box around those pixels, and the operations over the whole frame, so the cells that
are compared may be up to 3 pixels apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.model.radiance import radiance_of
from f2hdr_backend.model.warp import backward_warp
from f2hdr_backend.shot.equations import GAMMA, LUMA
from f2hdr_backend.trust import agreement, aligned, blend, clipped, deghost
from f2hdr_backend.trust.aligned import CELL_PX
from f2hdr_backend.trust.published import used_by_luma


class _Neighbor(NamedTuple):
    """See :class:`~f2hdr_backend.trust.aligned.AlignedNeighbor`."""

    light: Tensor
    """``(3, H, W)``."""
    exposure: float
    matched: Tensor
    """``()``."""


def blend_softly(
    radiance: Tensor, flows: Tensor, codes: Tensor, exposures: tuple[float, float, float]
) -> tuple[Tensor, Tensor]:
    """The result of :func:`f2hdr_backend.trust.blend.blend` in mode ``soft``, on the device of ``radiance``.

    Args:
        radiance: ``(3, H, W)`` float32, a method's result; 1 is the clip of the shortest exposure.
        flows: ``(2, 2, H, W)`` float32 pixels, reference to previous and to next.
        codes: ``(3, 3, H, W)`` gamma-2.2 codes 0-1 of previous, reference and next.
        exposures: of previous, reference and next; 1 is the shortest.

    Returns:
        ``(3, H, W)`` radiance, and ``(2,)`` the factors that bring previous and next to the reference's level.
    """
    reference, exposure = codes[1], exposures[1]
    with torch.autocast(radiance.device.type, enabled=False):  # it would compute the means of cells in half precision
        own = radiance_of(reference, exposure)
        neighbors = _align(own, codes, exposures, flows)
        radiance = _confirm(radiance, own, exposure, neighbors)
        radiance = _keep_surface(radiance, reference, own, exposure, neighbors)
        radiance = _respect_clip(radiance, reference, own, neighbors)
        radiance = radiance + _trust(reference, exposures) * (own - radiance)
        return radiance, torch.stack([neighbor.matched for neighbor in neighbors])


def blend_softly_on_host(
    radiance: Tensor, flows: Tensor, codes: Sequence[FloatArray], exposures: tuple[float, float, float]
) -> tuple[Tensor, Tensor]:
    """The result of :func:`blend_softly` for tensors on the host, by :func:`f2hdr_backend.trust.blend.blend` itself.

    ``codes`` are ``(H, W, 3)`` each, as frames are stored.
    """
    light, along = radiance.movedim(0, -1).contiguous().numpy(), flows.movedim(1, -1).contiguous().numpy()
    blended, matched = blend.blend(light, along, codes, exposures, "soft")
    return torch.from_numpy(blended).movedim(-1, 0).contiguous(), torch.tensor(matched)


def blend_hard(radiance: Tensor, codes: Tensor, exposure: float) -> Tensor:
    """The result of :func:`f2hdr_backend.trust.blend.blend` in mode ``hard``, on the device of ``radiance``.

    ``radiance`` is that of :func:`blend_softly`; ``codes`` ``(3, H, W)`` and ``exposure`` are the reference's.
    """
    used = used_by_luma(_luma(codes), exposure <= 1.0)
    return torch.where(used, radiance_of(codes, exposure), radiance)


def _align(own: Tensor, codes: Tensor, exposures: tuple[float, float, float], flows: Tensor) -> list[_Neighbor]:
    """See :func:`~f2hdr_backend.trust.aligned.align_neighbors`."""
    here, found = _comparable(own, exposures[1]), []
    for side, index in ((0, 0), (1, 2)):
        light = backward_warp(radiance_of(codes[index], exposures[index])[None], flows[side][None])[0]
        matched = _level(here, _comparable(light, exposures[index]))
        found.append(_Neighbor(light * matched, exposures[index], matched))
    return found


def _comparable(light: Tensor, exposure: float) -> Tensor:
    """``(h, w)`` mean radiance of the cells; NaN where a cell is too dark or too bright to compare."""
    mean = _cell_means(light)
    bad = _cell_means((_brightest(light) * exposure > aligned.BRIGHT).float())[0] > 0
    bad = bad | (mean.amin(0) * exposure < aligned.DARK)
    return torch.where(bad, torch.nan, mean.mean(0))


def _level(here: Tensor, there: Tensor) -> Tensor:
    """``()`` the factor that brings a neighbor to the reference's level: see the module ``aligned``."""
    same = (here - there).abs() < aligned.SAME * here
    count = same.sum()
    ratios = torch.where(same, here / there, torch.inf).flatten().sort().values
    middle = [ratios.take((count - shift).clamp_min(0) // 2) for shift in (1, 0)]
    measured = ((middle[0] + middle[1]) / 2).log()
    level = torch.copysign((measured.abs() - aligned.UNSURE).clamp_min(0), measured).exp()
    return torch.where(count < aligned.FEWEST_CELLS, 1.0, level)


def _confirm(radiance: Tensor, own: Tensor, exposure: float, neighbors: list[_Neighbor]) -> Tensor:
    """See :func:`~f2hdr_backend.trust.agreement.average_agreeing`."""
    light, frames = radiance.clamp_min(0), [(own, exposure), *(neighbor[:2] for neighbor in neighbors)]
    longest = max(gain for _, gain in frames)
    total, weights = light, torch.ones_like(light[:1])
    for other, gain in frames:
        weight = _unclipped(other, gain) * _agreement(light, other) * (gain / longest)
        total, weights = total + weight * other, weights + weight
    return radiance + (total / weights - light)


def _unclipped(light: Tensor, exposure: float) -> Tensor:
    """``(1, H, W)`` 1 well below the clip of a frame's brightest channel, 0 at it."""
    span = agreement.CLIP_END - agreement.CLIP_START
    return ((agreement.CLIP_END - _brightest(light) * exposure) / span).clamp(0, 1)


def _agreement(one: Tensor, other: Tensor) -> Tensor:
    """``(1, H, W)`` 1 where two frames have the same radiance in every channel, falling to 0."""
    difference = (one - other).abs() / (one + other + agreement.DARKEST)
    return (1 - (_brightest(difference) / agreement.AGREEMENT).square()).clamp_min(0).square()


def _keep_surface(
    radiance: Tensor, reference: Tensor, own: Tensor, exposure: float, neighbors: list[_Neighbor]
) -> Tensor:
    """See :func:`~f2hdr_backend.trust.deghost.keep_surface`."""
    usable, black = _below_highlights(reference), deghost.BLACK / exposure
    wrong = _differs(radiance, own, usable, black) * usable
    total, weight = own * exposure, torch.full_like(usable, exposure)
    for neighbor in neighbors:
        seen = _unclipped(neighbor.light / neighbor.matched, neighbor.exposure)
        share = seen * (1 - _differs(neighbor.light, own, usable * seen, black)) * neighbor.exposure
        total, weight = total + share * neighbor.light, weight + share
    return radiance + wrong * (total / weight - radiance)


def _differs(radiance: Tensor, own: Tensor, usable: Tensor, black: float) -> Tensor:
    """``(1, H, W)`` 0-1: whether there is another surface than the reference's in the pixel's cell or next to it."""
    difference = (radiance - own) * usable
    means = _cell_means(torch.cat((usable, difference, difference.square(), own * usable)))
    covered, mean, squares = means[:1], means[1:4], means[4:7]
    share = covered.clamp_min(1e-6)
    variance = _median_3x3((squares / share - (mean / share).square()).clamp_min(0))
    found = torch.zeros_like(covered)
    for side in deghost.AREA_CELLS:
        around = F.avg_pool2d(F.pad(means[None], [side // 2] * 4, mode="replicate"), side, 1)[0]
        covered, mean, level = around[:1], around[1:4], around[7:]
        count = covered.clamp_min(1e-6) * (side * CELL_PX) ** 2
        allowed = black + deghost.TOLERANCE * level + deghost.STANDARD_ERRORS * (variance / count).sqrt()
        found = found.maximum(_ramp(_brightest(mean.abs() / allowed) - 1) * (covered > deghost.FEWEST))
    found = F.max_pool2d(found[None], 3, 1, 1)
    return F.interpolate(found, size=own.shape[1:], mode="bilinear")[0]


def _respect_clip(radiance: Tensor, reference: Tensor, own: Tensor, neighbors: list[_Neighbor]) -> Tensor:
    """See :func:`~f2hdr_backend.trust.clipped.respect_clip`."""
    clip = torch.where(reference >= clipped.CLIPPED, own, 0.0)
    inside = (_brightest(clip) > 0).float()
    wrong = _ramp((1 + clipped.DOUBTED - _reach(radiance, clip)) / clipped.DOUBTED) * inside
    total, weight = torch.zeros_like(clip), torch.zeros_like(wrong)
    for neighbor in neighbors:
        fits = _ramp((_reach(neighbor.light, clip) - clipped.LOWEST) / (1 - clipped.LOWEST)) * inside
        total, weight = total + fits * neighbor.light, weight + fits
    around = _mean_around(torch.cat((total, weight)), clipped.FILL_PX) * 0.01
    total = total + around[:3] + radiance.maximum(clip) * 1e-4
    weight = weight + around[3:] + 1e-4
    return (radiance + wrong * (total / weight - radiance)).maximum(clip * clipped.LOWEST)


def _reach(radiance: Tensor, clip: Tensor) -> Tensor:
    """``(1, H, W)`` the smallest share of its clip that a clipped channel reaches; infinite where none is clipped."""
    return torch.where(clip > 0, radiance / clip, torch.inf).amin(0, keepdim=True)


def _trust(codes: Tensor, exposures: tuple[float, float, float]) -> Tensor:
    """``(1, H, W)`` weight of the reference: see :func:`f2hdr_backend.trust.blend.trust`, mode ``soft``."""
    luma, longest = _luma(codes), max(exposures)
    if exposures[1] < longest:
        return _ramp((luma - (exposures[1] / longest) ** (1 / GAMMA)) / aligned.FEATHER)
    return _below_highlights(codes) * _ramp((luma - blend.DIM) / (blend.WELL_LIT - blend.DIM))


def _luma(codes: Tensor) -> Tensor:
    """``(1, H, W)``."""
    return LUMA[0] * codes[:1] + LUMA[1] * codes[1:2] + LUMA[2] * codes[2:]


def _brightest(picture: Tensor) -> Tensor:
    return picture.amax(0, keepdim=True)


def _below_highlights(codes: Tensor) -> Tensor:
    return _ramp((aligned.HIGHLIGHT - _brightest(codes)) / aligned.FEATHER)


def _ramp(position: Tensor) -> Tensor:
    """A smooth step: 0 up to 0, 1 from 1."""
    inside = position.clamp(0, 1)
    return inside.square() * (3 - 2 * inside)


def _cell_means(picture: Tensor) -> Tensor:
    """``(C, h, w)`` means over the cells of a ``(C, H, W)`` picture."""
    for axis in (1, 2):
        pixels = picture.shape[axis]
        cells = max(pixels // CELL_PX, 1)
        if pixels == cells * CELL_PX:
            picture = picture.unflatten(axis, (cells, CELL_PX)).mean(axis + 1)
        else:
            shares = _shares(pixels, cells, picture.device)
            picture = shares @ picture if axis == 1 else picture @ shares.T
    return picture


@lru_cache(maxsize=16)
def _shares(pixels: int, cells: int, device: torch.device) -> Tensor:
    """``(cells, pixels)`` the share of each pixel of a line in the mean of each cell, as OpenCV's INTER_AREA has it."""
    step = pixels / cells
    with torch.inference_mode(False):
        start = torch.arange(cells, device=device, dtype=torch.float64).unsqueeze(1) * step
        pixel = torch.arange(pixels, device=device, dtype=torch.float64)
        inside = torch.minimum(start + step, pixel + 1) - torch.maximum(start, pixel)
        return (inside.clamp_min(0) / step).float()


def _median_3x3(picture: Tensor) -> Tensor:
    """``(C, h, w)`` the median of each pixel and its eight neighbors; the edge is repeated."""
    height, width = picture.shape[1:]
    padded = F.pad(picture[None], [1] * 4, mode="replicate")[0]
    shifted = [padded[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return torch.stack(shifted).median(0).values


def _mean_around(picture: Tensor, side: int) -> Tensor:
    """``(C, H, W)`` means over squares of ``side`` pixels; beyond the edge the picture is mirrored without it."""
    for axis in (1, 2):
        size, reach = picture.shape[axis], side // 2
        place = torch.arange(-reach, size + reach, device=picture.device).abs()
        place = (size - 1 - (size - 1 - place).abs()).clamp_min(0)
        kernel = (side, 1) if axis == 1 else (1, side)
        picture = F.avg_pool2d(picture.index_select(axis, place)[None], kernel, 1)[0]
    return picture
