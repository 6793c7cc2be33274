"""Local correlation on CUDA with Triton. Importing this module raises ModuleNotFoundError without Triton."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import triton
from torch import Tensor
from torch.autograd.function import once_differentiable

from f2hdr_backend.kernels import triton_kernels

_RUN = 8
"""Number of adjacent pixels that a program processes in sequence; their windows share most features."""

_WARPS = 2
"""Warps of a program of the lookup: with more, its reductions need more barriers."""


def look_up(reference: Tensor, pyramid: tuple[Tensor, ...], coords: Tensor, radius: int) -> Tensor:
    """See `local_correlation`. Gradients of the pyramid are summed atomically, so they differ between runs by
    rounding.
    """
    found: Tensor = _Lookup.apply(reference, coords, radius, *pyramid)
    return found


def try_out(device: torch.device) -> None:
    """Compile and run the forward kernel once on a tiny image. Raises the exceptions of Triton."""
    features = torch.zeros(1, 16, 2, 2, device=device)
    look_up(features, (features,), torch.zeros(1, 2, 2, 2, device=device), 1)
    torch.cuda.synchronize(device)


class _Lookup(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, reference: Tensor, coords: Tensor, radius: int, *pyramid: Tensor) -> Tensor:
        batch, _, height, width = reference.shape
        seen, positions = _channels_last(reference), _channels_last(coords).float()
        found = positions.new_empty(batch, height, width, len(pyramid) * (2 * radius + 1) ** 2)
        with torch.cuda.device_of(reference):
            for index, features in enumerate(pyramid):
                level = _Level.of(seen, features, index, radius)
                triton_kernels.correlate[level.grid](
                    seen,
                    _channels_last(features),
                    positions,
                    found,
                    *level.sizes,
                    found.shape[-1],
                    **level.constants,
                    num_warps=_WARPS,
                )
        ctx.save_for_backward(reference, coords, *pyramid)
        ctx.radius = radius
        return found.permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        reference, coords, *pyramid = ctx.saved_tensors
        seen, positions = _channels_last(reference), _channels_last(coords).float()
        received = _channels_last(gradient).float()
        own = torch.zeros_like(seen, dtype=torch.float32)
        levels = [torch.zeros_like(_channels_last(features), dtype=torch.float32) for features in pyramid]
        with torch.cuda.device_of(reference):
            for index, features in enumerate(pyramid):
                level = _Level.of(seen, features, index, ctx.radius)
                triton_kernels.backpropagate[level.grid](
                    seen,
                    _channels_last(features),
                    positions,
                    received,
                    own,
                    levels[index],
                    *level.sizes,
                    received.shape[-1],
                    **level.constants,
                )
        towards_pyramid = (_channels_first(one, like) for one, like in zip(levels, pyramid, strict=True))
        return (_channels_first(own, reference), None, None, *towards_pyramid)


class _Level(NamedTuple):
    """Launch parameters of the kernels for one level."""

    grid: tuple[int, int]
    sizes: tuple[int, int, int, float, float, int]
    """Pixels per image, level height and width, scale of the coordinates, norm, first channel of the result."""
    constants: dict[str, int]

    @classmethod
    def of(cls, seen: Tensor, features: Tensor, index: int, radius: int) -> _Level:
        batch, height, width, channels = seen.shape
        pixels = height * width
        constants = {
            "CHANNELS": channels,
            "CHANNEL_BLOCK": triton.next_power_of_2(channels),
            "RADIUS": radius,
            "SAMPLES": 2 * radius + 1,
            "SIDE": triton.next_power_of_2(2 * radius + 2),
            "RUN": _RUN,
        }
        first_channel = index * (2 * radius + 1) ** 2
        sizes = (pixels, *features.shape[-2:], 0.5**index, channels**-0.5, first_channel)
        return cls((triton.cdiv(pixels, _RUN), batch), sizes, constants)


def _channels_last(picture: Tensor) -> Tensor:
    return picture.permute(0, 2, 3, 1).contiguous()


def _channels_first(picture: Tensor, like: Tensor) -> Tensor:
    return picture.permute(0, 3, 1, 2).to(like.dtype)
