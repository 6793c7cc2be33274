"""Local correlation in C++ (see src/). Importing this module fails with ModuleNotFoundError if it was not built."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

import f2hdr_backend.kernels._core as _core


def instructions() -> str:
    """Return the fastest instruction set of this CPU: ``avx512``, ``avx2`` or ``plain``."""
    return _core.instruction_sets()[0]


def look_up(
    reference: Tensor, pyramid: tuple[Tensor, ...], coords: Tensor, radius: int, instruction_set: str = ""
) -> Tensor:
    """See `local_correlation`. Uses as many threads as torch, with the fastest or the given instruction set."""
    found: Tensor = _Lookup.apply(reference, coords, radius, instruction_set or instructions(), *pyramid)
    return found


class _Lookup(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, reference: Tensor, coords: Tensor, radius: int, instruction_set: str, *pyramid: Tensor
    ) -> Tensor:
        batch, _, height, width = reference.shape
        found = torch.empty((batch, height, width, len(pyramid) * (2 * radius + 1) ** 2), dtype=torch.float32)
        _core.correlate(
            _channels_last(reference),
            [_channels_last(features) for features in pyramid],
            _channels_last(coords),
            found.numpy(),
            radius,
            torch.get_num_threads(),
            instruction_set,
        )
        ctx.save_for_backward(reference, coords, *pyramid)
        ctx.radius, ctx.instruction_set = radius, instruction_set
        return found.permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        reference, coords, *pyramid = ctx.saved_tensors
        seen = _channels_last(reference)
        levels = [_channels_last(features) for features in pyramid]
        seen_gradient = np.empty_like(seen)
        level_gradients = [np.zeros_like(level) for level in levels]
        _core.backpropagate(
            seen,
            levels,
            _channels_last(coords),
            _channels_last(gradient),
            seen_gradient,
            level_gradients,
            ctx.radius,
            torch.get_num_threads(),
            ctx.instruction_set,
        )
        towards_pyramid = (
            _channels_first(one, features) for one, features in zip(level_gradients, pyramid, strict=True)
        )
        return (_channels_first(seen_gradient, reference), None, None, None, *towards_pyramid)


def _channels_last(picture: Tensor) -> NDArray[np.float32]:
    """Convert ``(B, C, H, W)`` to ``(B, H, W, C)`` float32; a view if the memory layout allows it."""
    array: NDArray[np.float32] = picture.detach().float().permute(0, 2, 3, 1).contiguous().numpy()
    return array


def _channels_first(array: NDArray[np.float32], like: Tensor) -> Tensor:
    return torch.from_numpy(array).permute(0, 3, 1, 2).to(like.dtype)
