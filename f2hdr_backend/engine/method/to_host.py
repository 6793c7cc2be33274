"""The pictures of a reconstructed window on their way from the device to an HdrFrame."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from f2hdr_backend.engine.method.finishing import Finishing
from f2hdr_backend.engine.method.frame import NOTHING, HdrFrame
from f2hdr_backend.engine.method.padding import Padding
from f2hdr_backend.flow.occlusion import occlusion
from f2hdr_backend.model.transfer import Download
from f2hdr_backend.shot.cancellation import check_stop

CHANNELS_LAST: dict[str, Callable[[Tensor], Tensor]] = {
    "radiance": lambda picture: picture.movedim(0, -1),
    "coarse": lambda picture: picture.movedim(0, -1),
    "flow": lambda picture: picture.movedim(1, -1),
    "mask": lambda picture: picture[:, 0],
    "occlusion": lambda picture: picture[:, 0],
}
"""Layout of each layer in an HdrFrame."""


@dataclass(frozen=True)
class Pictures:
    """A reconstructed window on its device, with borders; each picture is a batch of one."""

    layers: dict[str, Tensor]
    """``radiance``, ``flow`` and further layers by name, in the shapes of the model."""
    codes: Tensor
    """``(1, 3, 3, H, W)`` gamma-2.2 codes 0-1 of the window."""
    levels: Tensor | None = None
    """``(2,)`` factors that bring previous and next to the reference's level, of a method that has applied soft trust
    itself."""


class Leaving:
    """The result of a window on its way from the device: copies are queued, and waited for once."""

    def __init__(
        self,
        pictures: Pictures,
        padding: Padding,
        layers: Collection[str],
        exposures: tuple[float, float, float],
        finishing: Finishing | None,
    ) -> None:
        """Queue the copies.

        Args:
            pictures: the result, with the borders of ``padding``.
            padding: borders to remove.
            layers: which layers are copied besides the radiance.
            exposures: of previous, reference and next; 1 is the shortest.
            finishing: what is done on the device first; None if the host does all of it.
        """
        check_stop()
        found, levels = pictures.layers, pictures.levels
        finite = torch.isfinite(found["radiance"]).all() & torch.isfinite(found["flow"]).all()
        self._names = ["radiance", *(name for name in found if name in layers)]
        cropped = {name: padding.crop(found[name][0]).float() for name in {*self._names, "flow"}}
        if finishing is not None and (finishing.trust != "soft" or levels is None):
            window = padding.crop(pictures.codes[0]), exposures
            cropped["radiance"], levels = finishing.blended(cropped["radiance"], cropped["flow"], *window)
        self._trusted = levels is not None
        planes = {name: CHANNELS_LAST[name](cropped[name]) for name in self._names}
        self._finished = finishing is not None and finishing.matrix is not None
        numbers = [finite, cropped["radiance"].new_ones(2) if levels is None else levels]
        if finishing is not None and self._finished:
            for name in {"radiance", "coarse"} & planes.keys():
                planes[name] = finishing.converted(planes[name])
            planes["radiance"], beyond = finishing.stored(planes["radiance"])
            numbers.append(beyond)
        self._counted = len(numbers)
        self._download = Download(*numbers, *(planes[name].contiguous() for name in self._names))

    def wait(self) -> tuple[HdrFrame, bool]:
        """Wait for the copies; they can be waited for again.

        Returns:
            The frame, and whether radiance and flow are finite everywhere. (A pixel that was
            warped by an overflowed flow can be finite and wrong.)
        """
        arrived = self._download.wait()
        finite, levels, *beyond = arrived[: self._counted]
        found = {name: array.numpy() for name, array in zip(self._names, arrived[self._counted :], strict=True)}
        others = ("coarse", "flow", "mask", "occlusion")
        coarse, flows, masks, occlusions = (found.get(name, NOTHING) for name in others)
        before, after = levels.tolist()
        frame = HdrFrame(
            found["radiance"], coarse, flows, masks, occlusions, (before, after), self._trusted, self._finished,
            sum(count.tolist()[0] for count in beyond),
        )  # fmt: skip
        return frame, bool(finite)


def occlusions_of(flows: Tensor, back: Tensor) -> Tensor:
    """``(B, 2, 1, H, W)`` where each neighbor does not show the reference's pixel; flows ``(B, 2, 2, H, W)``."""
    return torch.stack([occlusion(flows[:, side], back[:, side]) for side in (0, 1)], 1)


def digest_of(*parts: str) -> str:
    """One SHA-256 of several texts, for resuming."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
