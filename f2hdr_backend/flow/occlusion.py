"""Occlusion test: where forward and backward flow disagree."""

from __future__ import annotations

from torch import Tensor

from f2hdr_backend.model.warp import backward_warp, pixel_grid

SLACK_PX = 0.5
SLACK_SHARE = 0.01


def occlusion(flow: Tensor, back: Tensor) -> Tensor:
    """Return the pixels of the reference that are not visible in the neighbor.

    The test of Sundaram, Brox and Keutzer (ECCV 2010): following the flow and then the neighbor's flow back should
    end at the start, with a tolerance of 0.01 of the squared lengths plus half a squared pixel. Pixels that leave the
    frame count as occluded.

    Args:
        flow: ``(B, 2, H, W)`` pixels, reference to neighbor.
        back: ``(B, 2, H, W)`` pixels, neighbor to reference.

    Returns:
        ``(B, 1, H, W)`` 1 where occluded, else 0.
    """
    returned = backward_warp(back, flow)
    gap = (flow + returned).square().sum(1, keepdim=True)
    length = flow.square().sum(1, keepdim=True) + returned.square().sum(1, keepdim=True)
    occluded = gap > SLACK_SHARE * length + SLACK_PX
    target = pixel_grid(flow) + flow
    height, width = flow.shape[-2:]
    x, y = target[:, :1], target[:, 1:]
    outside = (x < 0) | (x > width - 1) | (y < 0) | (y > height - 1)
    return (occluded | outside).to(flow.dtype)
