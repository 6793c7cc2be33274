"""The training loss: mu-law reconstruction (Eq. 20), alignment where the reference is badly exposed, true flow."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from f2hdr_backend.model.f2hdr import Reconstruction
from f2hdr_backend.model.radiance import tonemap
from f2hdr_backend.model.warp import backward_warp
from f2hdr_backend.shot.equations import BRIGHT, DARK, LUMA
from f2hdr_backend.train.batches import Batch

FLOW_ERROR_LIMIT_PX = 20.0


@dataclass(frozen=True)
class Recipe:
    """Weights of the terms besides the mu-law L1 of the final frame."""

    alignment: float = 0.5
    """Warping error of the neighbors' true radiance where the reference is badly exposed."""
    coarse: float = 0.5
    """Mu-law L1 of stage I."""
    flow: float = 0.03
    """End-point error in pixels of the adapted flow where the surface is visible."""


RECIPES = {"ours": Recipe(), "paper": Recipe(coarse=0.0, flow=0.0)}
"""Ours, and the released training program's."""


def loss(result: Reconstruction, batch: Batch, recipe: Recipe) -> Tensor:
    """The scalar loss of a step.

    Stage I is compared with the truth as well as the final frame, and the adapted flow with the true one where the
    neighbor shows the reference's surface (both are ours; the rest is the released training program's).
    """
    truth = tonemap(batch.radiance[:, 1])
    total = (tonemap(result.hdr) - truth).abs().mean()
    total = total + recipe.coarse * (tonemap(result.coarse) - truth).abs().mean()
    badly_exposed = _badly_exposed(batch.frames[:, 1])
    for index, neighbor in ((0, 0), (1, 2)):
        warped = tonemap(backward_warp(batch.radiance[:, neighbor], result.flows[:, index]))
        error = ((warped - truth).abs() * badly_exposed).sum() / (3 * badly_exposed.sum()).clamp_min(1)
        total = total + recipe.alignment * error
    return total + recipe.flow * flow_error(result.flows, batch)


def flow_error(flows: Tensor, batch: Batch) -> Tensor:
    """Mean end-point error in pixels of ``(B, 2, 2, h, w)`` flows where the surface is visible, limited a pixel."""
    squares = (flows - batch.true_flows).square().sum(2, keepdim=True)
    error = (squares + 1e-6).sqrt().clamp_max(FLOW_ERROR_LIMIT_PX)
    return (error * batch.visible).sum() / batch.visible.sum().clamp_min(1)


def _badly_exposed(codes: Tensor) -> Tensor:
    red, green, blue = LUMA  # numbers instead of a tensor, whose copy to a GPU would synchronize
    luma = red * codes[:, :1] + green * codes[:, 1:2] + blue * codes[:, 2:]
    return ((luma < DARK) | (luma > BRIGHT)).float()
