"""The flows of a window, estimated on frames that were brought to one exposure or left alone."""

from __future__ import annotations

import torch
from torch import Tensor

from f2hdr_backend.flow.estimator import Estimator
from f2hdr_backend.model.radiance import re_expose


def flow_inputs(
    reference: Tensor, neighbor: Tensor, exposures: tuple[Tensor, Tensor], alignment: str
) -> tuple[Tensor, Tensor]:
    """The pair a flow estimator is given.

    Args:
        reference: ``(B, 3, H, W)`` gamma-2.2 codes 0-1.
        neighbor: likewise.
        exposures: ``(B,)`` relative exposures of both.
        alignment: the descriptor's ``exposure_alignment``: ``none``; ``eq2``, the reference at the neighbor's
            exposure; ``brightest``, the darker of the two raised to the other, so that both clip alike.

    Returns:
        Both frames, ``(B, 3, H, W)``.
    """
    shown = shown_exposures(*exposures, alignment)
    return re_expose(reference, exposures[0], shown[0]), re_expose(neighbor, exposures[1], shown[1])


def shown_exposures(reference: Tensor, neighbor: Tensor, alignment: str) -> tuple[Tensor, Tensor]:
    """The exposures, ``(B,)`` each, at which a pair recorded at ``reference`` and ``neighbor`` is shown to the flow."""
    if alignment == "none":
        return reference, neighbor
    if alignment == "eq2":
        return neighbor, neighbor
    brightest = reference.maximum(neighbor)
    return brightest, brightest


def estimate_flows(frames: Tensor, exposures: Tensor, estimator: Estimator, alignment: str) -> Tensor:
    """Coarse flows of windows.

    Args:
        frames: ``(B, 3, 3, H, W)`` previous, reference, next; codes 0-1; sides as the estimator requires.
        exposures: ``(B, 3)``.
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
