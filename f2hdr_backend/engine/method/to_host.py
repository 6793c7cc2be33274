"""Copy the pictures of a reconstructed window from the device to an HdrFrame."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection

import torch
from torch import Tensor

from f2hdr_backend.engine.method.base import NOTHING, HdrFrame, WindowFrames
from f2hdr_backend.engine.method.padding import Padding
from f2hdr_backend.flow.occlusion import occlusion
from f2hdr_backend.model.transfer import Download
from f2hdr_backend.shot.cancellation import check_stop
from f2hdr_backend.trust.device import blend_softly


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


SOFT_TRUST = "soft trust"
"""Among the requested layers: apply soft trust on the device, so that flows need not leave it."""


def on_host(
    padding: Padding,
    pictures: dict[str, Tensor],
    layers: Collection[str],
    codes: Tensor | None = None,
    frames: WindowFrames | None = None,
    levels: Tensor | None = None,
) -> tuple[HdrFrame, bool]:
    """Copy the result of a window from the device.

    Args:
        padding: of the pictures.
        pictures: ``radiance``, ``flow`` and further layers by name, each a batch of one.
        layers: which of them are copied beside the radiance.
        codes: ``(1, 3, 3, H, W)`` of the window, padded; needed for :data:`SOFT_TRUST`.
        frames: the window; needed for :data:`SOFT_TRUST`.
        levels: ``(2,)`` factors that bring previous and next to the reference's level, of a method that has applied
            soft trust itself.

    Returns:
        The frame, and whether radiance and flow are finite everywhere. (A flow that overflowed leads nowhere, and its
        pixel would look right.)
    """
    check_stop()
    finite = torch.isfinite(pictures["radiance"]).all() & torch.isfinite(pictures["flow"]).all()
    names = ["radiance", *(name for name in pictures if name in layers)]
    cropped = {name: padding.crop(pictures[name][0]).float() for name in {*names, "flow"}}
    trusted = levels is not None
    if SOFT_TRUST in layers and codes is not None and frames is not None:
        previous, reference, following = (frame.exposure for frame in frames)
        window = padding.crop(codes[0]), (previous, reference, following)
        cropped["radiance"], levels = blend_softly(cropped["radiance"], cropped["flow"], *window)
        trusted = True
    if levels is None:
        levels = cropped["radiance"].new_ones(2)
    planes = [CHANNELS_LAST[name](cropped[name]).contiguous() for name in names]
    all_finite, matched, *arrays = Download(finite, levels, *planes).wait()
    found = {name: array.numpy() for name, array in zip(names, arrays, strict=True)}
    coarse, flows, masks, occlusions = (found.get(name, NOTHING) for name in ("coarse", "flow", "mask", "occlusion"))
    before, after = matched.tolist()
    frame = HdrFrame(found["radiance"], coarse, flows, masks, occlusions, (before, after), trusted=trusted)
    return frame, bool(all_finite)


def digest_of(*parts: str) -> str:
    """One SHA-256 of several texts, for resuming."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
