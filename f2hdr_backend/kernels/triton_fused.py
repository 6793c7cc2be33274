"""Fused operations on CUDA with Triton: the end of a convolution, and sampling with a gate.

Importing this module raises ModuleNotFoundError without Triton.
"""

from __future__ import annotations

import torch
import triton
from torch import Tensor

from f2hdr_backend.kernels import triton_fused_kernels as kernels

_ELEMENTS = 1024
"""Elements of a program of the first kernel: 16 bytes of half precision for each thread."""
_TILE = 2048
"""Pixels times channels of a program of the second kernel."""


def finish_convolution(
    values: Tensor,
    bias: Tensor,
    activation: str = "none",
    slopes: Tensor | float = 0.0,
    *,
    before: Tensor | None = None,
    after: Tensor | None = None,
) -> Tensor:
    """``activation(values + bias + before) + after``, in float32 and rounded once.

    Args:
        values: ``(B, C, H, W)`` result of a convolution without its bias; the result may be written into it.
        bias: ``(C,)``.
        activation: ``none``, ``slopes`` (the negative part is multiplied by ``slopes``) or ``silu``.
        slopes: ``(C,)``, or one number.
        before: added before the activation, in the shape of ``values``; at most one of ``before`` and ``after``.
        after: added after it.
    """
    values = values.contiguous(memory_format=torch.channels_last)
    added = before if after is None else after
    each = isinstance(slopes, Tensor)
    with torch.cuda.device_of(values):
        kernels.finish_convolution[(triton.cdiv(values.numel(), _ELEMENTS),)](
            values,
            bias,
            slopes if each else bias,
            values if added is None else added.contiguous(memory_format=torch.channels_last),
            values.numel(),
            0.0 if each else slopes,
            CHANNELS=values.shape[1],
            ACTIVATION="each" if each and activation == "slopes" else activation,
            ADDED="none" if added is None else "before" if after is None else "after",
            ELEMENTS=_ELEMENTS,
        )
    return values


def sample(
    picture: Tensor,
    places: Tensor,
    *,
    from_pixel: bool = False,
    stretch: tuple[float, float] = (1.0, 1.0),
    shift: float = 0.0,
    gate: Tensor | None = None,
    added: Tensor | None = None,
) -> Tensor:
    """``picture`` read bilinearly, zero outside, times ``gate``, plus ``added``.

    Args:
        picture: ``(B, C, H, W)`` of any float type and memory layout.
        places: ``(B, 2, h, w)`` x and y at which it is read, in its pixels.
        from_pixel: whether ``places`` count from each pixel: then it is read at ``(pixel + place) * stretch - shift``.
        stretch: factors of x and y; only with ``from_pixel``.
        shift: in pixels; only with ``from_pixel``.
        gate: ``(B, 1, h, w)``, by which the result is multiplied.
        added: ``(B, C, h, w)`` in the layout and type of the result, which is written into it.

    Returns:
        ``(B, C, h, w)`` in the type of ``picture``, channels-last if ``picture`` is.
    """
    batch, channels, height, width = picture.shape
    rows, columns = places.shape[-2:]
    last = picture.stride(1) == 1 and channels > 1
    layout = torch.channels_last if last else torch.contiguous_format
    if added is None:
        shape = (batch, channels, rows, columns)
        result = torch.empty(shape, dtype=picture.dtype, device=picture.device, memory_format=layout)
    else:
        result = added.contiguous(memory_format=layout)
    block = triton.next_power_of_2(channels)
    pixels = max(16, _TILE // block)
    places = places.float().contiguous()
    with torch.cuda.device_of(picture):
        kernels.sample[(triton.cdiv(rows * columns, pixels), batch)](
            picture,
            places,
            places if gate is None else gate.contiguous(),
            result,
            height,
            width,
            rows * columns,
            columns,
            *stretch,
            shift,
            *picture.stride(),
            *((1, channels) if last else (rows * columns, 1)),
            CHANNELS=channels,
            CHANNEL_BLOCK=block,
            FROM_PIXEL=from_pixel,
            GATED=gate is not None,
            ADDED=added is not None,
            PIXELS=pixels,
        )
    return result


def try_out(device: torch.device) -> None:
    """Compile and run each kernel once on a tiny image. Raises the exceptions of Triton."""
    picture = torch.zeros(1, 16, 2, 2, device=device, dtype=torch.float16).to(memory_format=torch.channels_last)
    finish_convolution(picture, torch.zeros(16, device=device, dtype=torch.float16), "silu", after=picture.clone())
    sample(picture, torch.zeros(1, 2, 2, 2, device=device))
    torch.cuda.synchronize(device)
