"""Flows of a window, estimated on frames that were converted to one exposure or left unchanged."""

from __future__ import annotations

import torch
from torch import Tensor

from f2hdr_backend.flow.estimator import Estimator
from f2hdr_backend.model.radiance import re_expose


def flow_inputs(
    reference: Tensor, neighbor: Tensor, exposures: tuple[Tensor, Tensor], alignment: str
) -> tuple[Tensor, Tensor]:
    """Return the input of a flow estimator.

    Args:
        reference: ``(B, 3, H, W)`` gamma-2.2 codes 0-1.
        neighbor: the same for the neighbor.
        exposures: ``(B,)`` relative exposures of both.
        alignment: the descriptor's ``exposure_alignment``: ``none``; ``eq2``, the reference at the neighbor's exposure
            (Eq. 2); ``brightest``, the darker frame at the exposure of the brighter one, so that both clip at the same
            radiance.

    Returns:
        Both frames, ``(B, 3, H, W)``.
    """
    shown = shown_exposures(*exposures, alignment)
    return re_expose(reference, exposures[0], shown[0]), re_expose(neighbor, exposures[1], shown[1])


def shown_exposures(reference: Tensor, neighbor: Tensor, alignment: str) -> tuple[Tensor, Tensor]:
    """Return the exposures, ``(B,)`` each, at which the flow estimator sees a pair with these exposures."""
    if alignment == "none":
        return reference, neighbor
    if alignment == "eq2":
        return neighbor, neighbor
    brightest = reference.maximum(neighbor)
    return brightest, brightest


def estimate_flows(frames: Tensor, exposures: Tensor, estimator: Estimator, alignment: str) -> Tensor:
    """Estimate the flows of windows.

    Args:
        frames: ``(B, 3, 3, H, W)`` previous, reference, next; codes 0-1; sides as the estimator requires.
        exposures: ``(B, 3)`` relative exposures.
        estimator: the flow estimator.
        alignment: the descriptor's ``exposure_alignment``.

    Returns:
        ``(B, 2, 2, H, W)`` pixels, reference to previous and to next.
    """
    flows = []
    for side in (0, 2):
        pair = flow_inputs(frames[:, 1], frames[:, side], (exposures[:, 1], exposures[:, side]), alignment)
        flows.append(estimator.estimate(estimator.encode(pair[0]), estimator.encode(pair[1])))
    return torch.stack(flows, 1)
