"""Copy the pictures of a reconstructed window from the device to an HdrFrame."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection

import torch
from torch import Tensor

from f2hdr_backend.engine.method.base import NOTHING, HdrFrame
from f2hdr_backend.engine.method.padding import Padding
from f2hdr_backend.flow.occlusion import occlusion
from f2hdr_backend.model.transfer import Download


def occlusions_of(flows: Tensor, back: Tensor) -> Tensor:
    """``(B, 2, 1, H, W)`` where each neighbor does not show the reference's pixel; flows ``(B, 2, 2, H, W)``."""
    return torch.stack([occlusion(flows[:, side], back[:, side]) for side in (0, 1)], 1)


CHANNELS_LAST: dict[str, Callable[[Tensor], Tensor]] = {
    "radiance": lambda picture: picture.movedim(0, -1),
    "coarse": lambda picture: picture.movedim(0, -1),
    "flow": lambda picture: picture.movedim(1, -1),
    "mask": lambda picture: picture[:, 0],
    "occlusion": lambda picture: picture[:, 0],
}
"""Layout of each layer in an HdrFrame."""


def on_host(padding: Padding, pictures: dict[str, Tensor], layers: Collection[str]) -> tuple[HdrFrame, bool]:
    """Copy the result of a window from the device.

    Args:
        padding: of the pictures.
        pictures: ``radiance``, ``flow`` and further layers by name, each a batch of one.
        layers: which of them are copied beside the radiance.

    Returns:
        The frame, and whether radiance and flow are finite everywhere. (A flow that overflowed leads nowhere, and its
        pixel would look right.)
    """
    finite = torch.isfinite(pictures["radiance"]).all() & torch.isfinite(pictures["flow"]).all()
    names = ["radiance", *(name for name in pictures if name in layers)]
    planes = [CHANNELS_LAST[name](padding.crop(pictures[name][0])).float().contiguous() for name in names]
    all_finite, *arrays = Download(finite, *planes).wait()
    found = {name: array.numpy() for name, array in zip(names, arrays, strict=True)}
    coarse, flows, masks, occlusions = (found.get(name, NOTHING) for name in ("coarse", "flow", "mask", "occlusion"))
    return HdrFrame(found["radiance"], coarse, flows, masks, occlusions), bool(all_finite)


def digest_of(*parts: str) -> str:
    """One SHA-256 of several texts, for resuming."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
