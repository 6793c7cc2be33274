"""Fused operations for GPUs: whether a device has them, and what is used instead.

Without them, torch runs an operation for each step, and each reads and writes the picture once more.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType

import torch
from torch import Tensor


def kernels_for(picture: Tensor) -> ModuleType | None:
    """Return :mod:`~f2hdr_backend.kernels.triton_fused` where its kernels run on this picture; None otherwise.

    They run on CUDA devices with Triton, and have no gradient.
    """
    if not picture.is_cuda or torch.is_grad_enabled():
        return None
    return _found(picture.device)[0]


def fusing(device: torch.device) -> str:
    """Return what computes these operations on a device, as text: ``Triton`` or ``torch (reason)``."""
    device = torch.device(device)
    if device.type != "cuda":
        return f"torch (no fused kernels for {device.type})"
    kernels, lacking = _found(device)
    return f"torch ({lacking})" if kernels is None else "Triton"


@cache
def _found(device: torch.device) -> tuple[ModuleType | None, str]:
    """The kernels, or why there are none."""
    try:
        from f2hdr_backend.kernels import triton_fused
    except ModuleNotFoundError:
        return None, "Triton is not installed"
    try:
        triton_fused.try_out(device)
    except Exception as error:  # Triton compiles on first use: no compiler, an old GPU, no headers, ...
        return None, f"Triton does not run here: {' '.join(str(error).split())[:200]}"
    return triton_fused, ""
