"""The classical merge as a method: no weights, one flow estimator."""

from __future__ import annotations

from collections.abc import Collection

import torch

from f2hdr_backend.engine.method.base import Method, WindowWork
from f2hdr_backend.engine.method.plan import Workload
from f2hdr_backend.engine.method.to_host import Pictures, digest_of, occlusions_of
from f2hdr_backend.flow.estimator import SizeRequirement
from f2hdr_backend.model.merge import merge
from f2hdr_backend.shot.document import Engine

MERGE_ALIGNMENT = "brightest"
"""Exposures that the merge's flow sees: see ``Descriptor.exposure_alignment``."""


class MergeMethod(Method):
    """The classical merge with DIS flow, or with another selected estimator."""

    name = "merge"
    alignment = MERGE_ALIGNMENT

    def __init__(self, engine: Engine, device: torch.device) -> None:
        self.flow_name = "dis" if engine.flow == "auto" else engine.flow
        super().__init__(engine, device)

    @property
    def digest(self) -> str:
        """Identity for resuming."""
        return digest_of("merge-1", self.estimator.digest)

    @property
    def requirements(self) -> tuple[SizeRequirement, ...]:
        """Sizes that the estimator takes."""
        return (self.estimator.size,)

    def needs_back(self, layers: Collection[str]) -> bool:
        """See :class:`Method`: always true, because the weight of occluded neighbors is reduced to almost 0."""
        return True

    def workload(self, padded: tuple[int, int]) -> Workload:
        """See :class:`Method`: no network, but its own intermediate images."""
        return Workload(*padded, None, torch.float32, self.estimator.bytes_per_pixel, self.on_host)

    def _reconstruct(self, work: WindowWork) -> Pictures:
        """See :class:`Method`: the coarse image is the merge, and the masks are the occlusions."""
        codes, exposures = self._tensors(work)
        flows = self._flows(work)
        hidden = occlusions_of(flows, self._flows(work, back=True))
        merged = merge(codes, exposures, flows, hidden).radiance
        pictures = {"radiance": merged, "coarse": merged, "flow": flows, "mask": hidden, "occlusion": hidden}
        return Pictures(pictures, codes)
