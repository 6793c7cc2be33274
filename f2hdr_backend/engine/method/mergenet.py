"""The merge after soft trust, corrected by a small network: the flows and layers of the merge, another radiance."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import torch
from torch import Tensor

from f2hdr_backend.engine.method.base import WindowWork
from f2hdr_backend.engine.method.to_host import Pictures, occlusions_of
from f2hdr_backend.engine.method.trained import TrainedMethod
from f2hdr_backend.flow.estimator import SizeRequirement
from f2hdr_backend.model.descriptor import MergeNetDescriptor
from f2hdr_backend.model.merge import merge
from f2hdr_backend.model.mergenet import Correction, MergeNet
from f2hdr_backend.model.precision import InPrecision
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import WeightsMismatch
from f2hdr_backend.trust.clipped import CLIPPED, LOWEST
from f2hdr_backend.trust.device import blend_softly, blend_softly_on_host
from f2hdr_backend.weights import store


class MergeNetMethod(TrainedMethod):
    """The classical merge, soft trust, and a network that corrects their result.

    ``coarse`` is what the network starts from, ``mask`` the occlusions. Soft trust comes before the network and not
    after it, because the network was trained that way: it corrects what soft trust leaves wrong.
    """

    descriptor: MergeNetDescriptor

    def __init__(self, engine: Engine, device: torch.device, entry: store.WeightsEntry | None = None) -> None:
        """Load the weights that ``engine`` names, or those of ``entry``.

        Raises:
            WeightsError: they are missing, changed, or of another kind.
        """
        entry = entry or store.find(engine.weights)
        weights = store.load(entry)
        if not isinstance(weights.descriptor, MergeNetDescriptor):
            raise WeightsMismatch(
                f"Weights {entry.name!r} are not of kind mergenet.",
                hint="`f2hdr weights list` shows the kind of each.",
                name=entry.name,
            )
        self.descriptor = weights.descriptor
        with torch.device("meta"):
            network = MergeNet(self.descriptor)
        network.load_state_dict(dict(weights.tensors), assign=True)
        network.eval().requires_grad_(False)
        network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._networks = InPrecision(network)
        super().__init__(engine, device, entry, weights.card)

    @property
    def requirements(self) -> tuple[SizeRequirement, ...]:
        """Sizes that the estimator takes, as for the merge."""
        return (self.estimator.size,)

    def needs_back(self, layers: Collection[str]) -> bool:
        """See :class:`Method`: always, as for the merge."""
        return True

    def _reconstruct(self, work: WindowWork) -> Pictures:
        codes, exposures = self._tensors(work)
        with self._autocast(work.precision):
            flows = self._flows(work)
            hidden = occlusions_of(flows, self._flows(work, back=True))
            merged = merge(codes, exposures, flows, hidden)
            start, levels = self._trusted(work, merged.radiance, flows, codes)
            found: Correction = self._networks(work.precision)(
                replace(merged, radiance=start), exposures, work.plan.over
            )
            lowest = torch.where(codes[:, 1] >= CLIPPED, merged.views[0] * LOWEST, 0.0)
            pictures = {
                "radiance": found.radiance.maximum(lowest), "coarse": start, "flow": flows, "mask": hidden,
                "occlusion": hidden,
            }  # fmt: skip
        return Pictures(pictures, codes, levels)

    def _trusted(self, work: WindowWork, merged: Tensor, flows: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """``(1, 3, H, W)`` the merge after soft trust, and ``(2,)`` the levels of the neighbors that it found."""
        previous, reference, following = (frame.exposure for frame in work.frames)
        exposures = previous, reference, following
        radiance, along = work.padding.crop(merged[0]), work.padding.crop(flows[0])
        if self.on_host:
            start, levels = blend_softly_on_host(radiance, along, [frame.codes for frame in work.frames], exposures)
        else:
            start, levels = blend_softly(radiance, along, work.padding.crop(codes[0]), exposures)
        return work.padding.pad(start[None]), levels
