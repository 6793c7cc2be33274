"""The merge corrected by a small network, as a method: the flows and layers of the merge, another radiance."""

from __future__ import annotations

from collections.abc import Collection

import torch

from f2hdr_backend.engine.method.base import HdrFrame, WindowFrames
from f2hdr_backend.engine.method.flows import KnownFlows
from f2hdr_backend.engine.method.padding import Padding
from f2hdr_backend.engine.method.pictures import occlusions_of, on_host
from f2hdr_backend.engine.method.plan import Plan
from f2hdr_backend.engine.method.trained import TrainedMethod
from f2hdr_backend.flow.estimator import SizeRequirement
from f2hdr_backend.model.descriptor import MergeNetDescriptor
from f2hdr_backend.model.mergenet import Correction, MergeNet
from f2hdr_backend.model.precision import InPrecision
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import WeightsMismatch
from f2hdr_backend.weights import store


class MergeNetMethod(TrainedMethod):
    """The classical merge and a network that corrects it; ``coarse`` is the merge, ``mask`` its occlusions."""

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
                f"weights {entry.name!r} are not of kind mergenet.",
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

    def _computed(
        self,
        frames: WindowFrames,
        plan: Plan,
        padding: Padding,
        layers: Collection[str],
        known: KnownFlows,
        precision: torch.dtype,
    ) -> tuple[HdrFrame, bool]:
        codes, exposures = self._tensors(frames, padding)
        with self._autocast(precision):
            flows = self._flows(frames, plan, padding, known)
            hidden = occlusions_of(flows, self._flows(frames, plan, padding, known, back=True))
            found: Correction = self._networks(precision)(codes, exposures, flows, hidden, plan.over)
            pictures = {
                "radiance": found.radiance, "coarse": found.merged, "flow": flows, "mask": hidden, "occlusion": hidden
            }  # fmt: skip
        return on_host(padding, pictures, layers)
