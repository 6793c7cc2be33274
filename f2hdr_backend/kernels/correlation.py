"""The function of this package, and the selection of its implementation: torch, C++ or Triton."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from f2hdr_backend.kernels import torch_lookup


class Lookup(Protocol):
    """The interface of an implementation; `local_correlation` has checked the arguments."""

    def __call__(self, reference: Tensor, pyramid: tuple[Tensor, ...], coords: Tensor, radius: int) -> Tensor:
        """See `local_correlation`."""
        ...


def feature_pyramid(features: Tensor, levels: int) -> tuple[Tensor, ...]:
    """Downsample ``(B, C, H, W)`` features by 2, 0 to ``levels - 1`` times.

    Each pixel is the mean of 2 x 2, as in bilinear downsampling with ``align_corners=False``; an odd last row or
    column is omitted. A side of one pixel stays one pixel. The result is channels-last, the layout of all
    implementations.
    """
    halved = [features.contiguous(memory_format=torch.channels_last)]
    for _ in range(levels - 1):
        height, width = halved[-1].shape[-2:]
        halved.append(F.avg_pool2d(halved[-1], (min(2, height), min(2, width))))
    return tuple(halved)


def local_correlation(reference: Tensor, pyramid: Sequence[Tensor], coords: Tensor, radius: int) -> Tensor:
    """Read the all-pairs correlation around one position per pixel and level, without storing the volume.

    Level ``l`` of the volume is the dot product of each reference pixel with each pixel of ``pyramid[l]``,
    divided by ``sqrt(C)``. It is sampled bilinearly at ``coords / 2**l`` plus every integer offset of the window, and
    is zero outside the image (SEA-RAFT, Wang et al., ECCV 2024; RAFT, Teed and Deng, ECCV 2020, section 3.2). Exact for
    any position; a position that is not finite gives zeros. Sums are always float32.

    Args:
        reference: ``(B, C, H, W)`` features.
        pyramid: the neighbor's features, ``(B, C, H_l, W_l)``, finest first (see `feature_pyramid`).
        coords: ``(B, 2, H, W)`` positions x, y in pixels of level 0. They get no gradient.
        radius: number of pixels of the window on each side.

    Returns:
        ``(B, levels * (2 radius + 1)**2, H, W)`` float32: levels, then offsets in x, then offsets in y.

    Raises:
        ValueError: the shapes do not match.
    """
    _check(reference, pyramid, coords, radius)
    return _made_by(reference.device).look_up(reference, tuple(pyramid), coords.detach(), radius)


def maker(device: torch.device) -> str:
    """Return the implementation for this device as text: ``C++ (avx2)``, ``Triton`` or ``torch (reason)``."""
    made_by = _made_by(torch.device(device))
    return made_by.kernel or f"torch ({made_by.lacking})"


def lacking_kernel(device: torch.device) -> str:
    """Return why the slow torch implementation is used on this device; empty if there is a kernel."""
    return _made_by(torch.device(device)).lacking


class _Maker(NamedTuple):
    look_up: Lookup
    kernel: str = ""
    lacking: str = ""
    """Why there is no kernel."""


@cache
def _made_by(device: torch.device) -> _Maker:
    if device.type == "cpu":
        return _for_cpu()
    if device.type == "cuda":
        return _for_cuda(device)
    return _Maker(torch_lookup.look_up, lacking=f"no kernel for {device.type}")


def _for_cpu() -> _Maker:
    try:
        from f2hdr_backend.kernels import cpu_lookup
    except ModuleNotFoundError:
        return _Maker(torch_lookup.look_up, lacking="the C++ kernel was not built")
    return _Maker(cpu_lookup.look_up, f"C++ ({cpu_lookup.instructions()})")


def _for_cuda(device: torch.device) -> _Maker:
    try:
        from f2hdr_backend.kernels import triton_lookup
    except ModuleNotFoundError:
        return _Maker(torch_lookup.look_up, lacking="Triton is not installed")
    try:
        triton_lookup.try_out(device)
    except Exception as error:  # Triton compiles on first use: no compiler, an old GPU, no headers, ...
        reason = " ".join(str(error).split())[:200]
        return _Maker(torch_lookup.look_up, lacking=f"Triton does not run here: {reason}")
    return _Maker(triton_lookup.look_up, "Triton")


def _check(reference: Tensor, pyramid: Sequence[Tensor], coords: Tensor, radius: int) -> None:
    if reference.ndim != 4:
        raise ValueError(f"reference has shape {tuple(reference.shape)}; (B, C, H, W) is needed.")
    batch, channels, height, width = reference.shape
    if coords.shape != (batch, 2, height, width):
        raise ValueError(f"coords has shape {tuple(coords.shape)}; {(batch, 2, height, width)} is needed.")
    if radius < 0:
        raise ValueError(f"radius is {radius}; it cannot be negative.")
    if not pyramid:
        raise ValueError("pyramid is empty; at least one level is needed.")
    for level, features in enumerate(pyramid):
        if features.ndim != 4 or features.shape[:2] != (batch, channels) or 0 in features.shape:
            raise ValueError(
                f"pyramid level {level} has shape {tuple(features.shape)}; ({batch}, {channels}, H, W) is needed."
            )
    if len({tensor.device for tensor in (reference, coords, *pyramid)}) > 1:
        raise ValueError("reference, pyramid and coords are on different devices; move them to one.")
