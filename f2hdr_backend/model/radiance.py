"""The one law between code values, exposures and radiance (Eq. 1, 2 and 19)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from f2hdr_backend.shot.equations import GAMMA, MU


def to_radiance(ldr: Tensor, exposure: Tensor) -> Tensor:
    """Linear radiance of coded frames, Eq. 1: ``ldr ** 2.2 / exposure``.

    Args:
        ldr: ``(B, 3, H, W)`` gamma-2.2 code values, clamped to 0-1.
        exposure: ``(B,)`` relative exposures; 1 is the shortest.

    Returns:
        ``(B, 3, H, W)`` radiance; 1 is the clip of exposure 1.
    """
    return radiance_of(ldr.clamp(0, 1), exposure.view(-1, 1, 1, 1))


def radiance_of(codes: Tensor, exposure: Tensor | float) -> Tensor:
    """Linear radiance of codes 0-1 of any shape at one exposure, Eq. 1."""
    return codes.pow(GAMMA) / exposure


def re_expose(ldr: Tensor, exposure: Tensor, target: Tensor) -> Tensor:
    """Coded frames as another exposure would have recorded them, Eq. 2, clipped to 0-1.

    Args:
        ldr: ``(B, 3, H, W)`` gamma-2.2 code values in 0-1.
        exposure: ``(B,)`` exposures of ``ldr``.
        target: ``(B,)`` exposures wanted.
    """
    gain = (target / exposure).pow(1 / GAMMA).view(-1, 1, 1, 1)
    return (ldr * gain).clamp(0, 1)


def tonemap(radiance: Tensor, mu: float = MU) -> Tensor:
    """The mu-law curve ``log(1 + mu x) / log(1 + mu)``, Eq. 19; radiance 0-1 goes to 0-1."""
    return torch.log1p(mu * radiance) / math.log1p(mu)
