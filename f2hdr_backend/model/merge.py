"""The classical merge: the mean of aligned frames, weighted by the exposure of each pixel and by agreement.

It needs no learned weights. It is a separate method (``--method merge``), and the starting point of the network of
:mod:`f2hdr_backend.model.mergenet`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from f2hdr_backend.model.radiance import re_expose, to_radiance
from f2hdr_backend.model.warp import backward_warp
from f2hdr_backend.shot.cancellation import check_stop

CLIP_START, CLIP_END = 0.9, 0.98
"""Code values of the brightest channel between which a pixel's weight falls from 1 to 0."""
AGREEMENT = 0.12
"""Difference in code value, at the longer exposure, at which a neighbor's weight has fallen to 1/e."""
DOUBT = 0.02
"""Factor of a neighbor's weight where the reference is clipped and forward and backward flow disagree."""
FLOOR = 1e-6
"""Weight of a clipped pixel of exposure 1. It falls with the fourth power of the exposure, so that where every frame
is clipped, the shortest exposure decides."""


@dataclass(frozen=True)
class Merged:
    """The merge of a window, and its inputs on the reference's grid."""

    radiance: Tensor
    """``(B, 3, H, W)`` the merge; 1 is the clip of exposure 1."""
    views: tuple[Tensor, Tensor, Tensor]
    """``(B, 3, H, W)`` radiance of the reference, of the warped previous and of the warped next frame."""
    maps: tuple[Tensor, ...]
    """``(B, 1, H, W)`` each, 0-1: headroom of the reference; headroom, agreement and occlusion of previous and next."""
    weight: Tensor
    """``(B, 1, H, W)`` the sum of the frames' weights."""


def merge(frames: Tensor, exposures: Tensor, flows: Tensor, occlusions: Tensor) -> Merged:
    """Merge the frames of a window.

    The weight of a frame is its exposure (shot noise) times its distance from clipping. A neighbor's weight is also
    multiplied by its agreement with the reference; where the reference is clipped, a neighbor agrees if it is at least
    as bright as the clip, and its weight is multiplied by :data:`DOUBT` if forward and backward flow disagree.

    Args:
        frames: ``(B, 3, 3, H, W)`` previous, reference, next; gamma-2.2 codes 0-1.
        exposures: ``(B, 3)`` relative exposures, 1 the shortest.
        flows: ``(B, 2, 2, H, W)`` pixels, reference to previous and to next.
        occlusions: ``(B, 2, 1, H, W)`` 1 where a neighbor does not show the pixel.
    """
    reference, own_exposure = frames[:, 1], exposures[:, 1]
    own_headroom = _headroom(reference)
    weight = own_headroom * own_exposure.view(-1, 1, 1, 1) + _floor(own_exposure)
    views, maps = [to_radiance(reference, own_exposure)], [own_headroom]
    total = weight * views[0]
    for side, index in ((0, 0), (1, 2)):
        check_stop()
        exposure, hidden = exposures[:, index], occlusions[:, side]
        neighbor = backward_warp(frames[:, index], flows[:, side])
        inside = backward_warp(torch.ones_like(own_headroom), flows[:, side])
        agreement = _agreement(reference, neighbor, own_exposure, exposure)
        headroom = _headroom(neighbor)
        unseen = torch.where(hidden > 0, DOUBT, 1.0)
        usable = agreement * (own_headroom + (1 - own_headroom) * unseen)
        share = headroom * exposure.view(-1, 1, 1, 1) * usable
        share = (share + _floor(exposure)) * inside
        views.append(to_radiance(neighbor, exposure))
        maps += [headroom, agreement, hidden]
        total = total + share * views[-1]
        weight = weight + share
    return Merged(total / weight, (views[0], views[1], views[2]), tuple(maps), weight)


def _floor(exposure: Tensor) -> Tensor:
    return FLOOR / exposure.view(-1, 1, 1, 1) ** 4


def _headroom(codes: Tensor) -> Tensor:
    """``(B, 1, H, W)`` 1 well below the clip, falling to 0 at it."""
    return ((CLIP_END - codes.amax(1, keepdim=True)) / (CLIP_END - CLIP_START)).clamp(0, 1)


def _agreement(reference: Tensor, neighbor: Tensor, exposure: Tensor, other: Tensor) -> Tensor:
    """``(B, 1, H, W)`` 1 where both show the same radiance, compared at the longer of the two exposures."""
    longer = exposure.maximum(other)
    difference = re_expose(reference, exposure, longer) - re_expose(neighbor, other, longer)
    return torch.exp(-(difference.abs().amax(1, keepdim=True) / AGREEMENT).square())
