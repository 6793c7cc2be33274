"""The classical merge: aligned frames averaged by how well each pixel was exposed, where they agree.

A baseline, and a method a user can choose: no learned weights, no invented detail.
"""

from __future__ import annotations

import torch
from torch import Tensor

from f2hdr_backend.model.radiance import re_expose, to_radiance
from f2hdr_backend.model.warp import backward_warp

CLIP_START, CLIP_END = 0.9, 0.98
"""Code values over which a pixel's weight falls to nothing as its brightest channel clips."""
AGREEMENT = 0.12
"""Difference in code value, at the longer exposure, at which a neighbor's weight has fallen to 1/e."""
DOUBT = 0.02
"""Weight left to a neighbor whose flow is in doubt where the reference is clipped: better than nothing."""
FLOOR = 1e-6
"""Weight of a clipped pixel of exposure 1; it falls steeply with exposure: where all clip, the shortest knows most."""


def merge(frames: Tensor, exposures: Tensor, flows: Tensor, occlusions: Tensor) -> Tensor:
    """Merge one window.

    Each frame's weight is its exposure (shot noise) times how far it is from clipping; a neighbor's is also
    multiplied by its agreement with the reference, and where the reference is clipped and cannot tell, it is next to
    nothing if forward and backward flow disagree. Where every frame is clipped the shortest stands.

    Args:
        frames: ``(B, 3, 3, H, W)`` previous, reference, next; gamma-2.2 codes 0-1.
        exposures: ``(B, 3)`` relative exposures, 1 the shortest.
        flows: ``(B, 2, 2, H, W)`` pixels, reference to previous and to next.
        occlusions: ``(B, 2, 1, H, W)`` 1 where a neighbor does not show the pixel.

    Returns:
        ``(B, 3, H, W)`` radiance; 1 is the clip of exposure 1.
    """
    reference, own_exposure = frames[:, 1], exposures[:, 1]
    own_headroom = _headroom(reference)
    weight = own_headroom * own_exposure.view(-1, 1, 1, 1) + _floor(own_exposure)
    total = weight * to_radiance(reference, own_exposure)
    for side, index in ((0, 0), (1, 2)):
        neighbor = backward_warp(frames[:, index], flows[:, side])
        inside = backward_warp(torch.ones_like(own_headroom), flows[:, side])
        agreement = _agreement(reference, neighbor, own_exposure, exposures[:, index])
        unseen = torch.where(occlusions[:, side] > 0, DOUBT, 1.0)
        usable = own_headroom * agreement + (1 - own_headroom) * unseen
        share = _headroom(neighbor) * exposures[:, index].view(-1, 1, 1, 1) * usable
        share = (share + _floor(exposures[:, index])) * inside
        total = total + share * to_radiance(neighbor, exposures[:, index])
        weight = weight + share
    return total / weight


def _floor(exposure: Tensor) -> Tensor:
    return FLOOR / exposure.view(-1, 1, 1, 1) ** 4


def _headroom(codes: Tensor) -> Tensor:
    """``(B, 1, H, W)`` 1 well below the clip, falling to 0 at it."""
    return ((CLIP_END - codes.amax(1, keepdim=True)) / (CLIP_END - CLIP_START)).clamp(0, 1)


def _agreement(reference: Tensor, neighbor: Tensor, exposure: Tensor, other: Tensor) -> Tensor:
    """``(B, 1, H, W)`` 1 where both show the same light, seen at the longer of the two exposures."""
    longer = exposure.maximum(other)
    difference = re_expose(reference, exposure, longer) - re_expose(neighbor, other, longer)
    return torch.exp(-(difference.abs().amax(1, keepdim=True) / AGREEMENT).square())
