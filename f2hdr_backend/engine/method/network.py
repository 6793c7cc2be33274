"""The paper's network as a method."""

from __future__ import annotations

import torch
from torch import Tensor

from f2hdr_backend.engine.method.base import WindowWork
from f2hdr_backend.engine.method.features import NetworkFrame
from f2hdr_backend.engine.method.padding import Padding
from f2hdr_backend.engine.method.plan import Plan
from f2hdr_backend.engine.method.to_host import Pictures, occlusions_of
from f2hdr_backend.engine.method.trained import TrainedMethod
from f2hdr_backend.flow.estimator import SizeRequirement
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.f2hdr import F2HDR, SIZE_MULTIPLE, Reconstruction
from f2hdr_backend.model.folding import fold_batch_norms
from f2hdr_backend.model.precision import InPrecision
from f2hdr_backend.model.transfer import upload
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import WeightsMismatch
from f2hdr_backend.weights import store


class NetworkMethod(TrainedMethod):
    """The network of the F2HDR paper: ``standard``, ``lite``, the published weights and the ablations."""

    descriptor: Descriptor

    def __init__(self, engine: Engine, device: torch.device, entry: store.WeightsEntry | None = None) -> None:
        """Load the weights that ``engine`` names, or those of ``entry``.

        Raises:
            WeightsError: they are missing, changed, or not those of the paper's network.
        """
        entry = entry or store.find(engine.weights)
        weights = store.load(entry)
        descriptor = weights.reading()
        if not isinstance(descriptor, Descriptor):
            raise WeightsMismatch(
                f"Weights {entry.name!r} are not those of the paper's network.",
                hint="Choose weights of kind f2hdr; `f2hdr weights list` shows them.",
                name=entry.name,
            )
        self.descriptor = descriptor
        with torch.device("meta"):
            self._network = F2HDR(descriptor)
        self._network.load_state_dict(dict(weights.tensors), assign=True)
        fold_batch_norms(self._network.eval().requires_grad_(False))
        self._network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._networks = InPrecision(self._network)
        super().__init__(engine, device, entry, weights.card)

    @property
    def requirements(self) -> tuple[SizeRequirement, ...]:
        """Sizes that the estimator and the network take."""
        return self.estimator.size, SizeRequirement(multiple_of=SIZE_MULTIPLE)

    def _reconstruct(self, work: WindowWork) -> Pictures:
        frames, plan = work.frames, work.plan
        codes, exposures = self._tensors(work)
        network = self._networks(work.precision)
        with self._autocast(work.precision):
            flows = self._flows(work)
            encoded = None
            if self.descriptor.refine:
                encoded = [self._encoded(network, frame, plan, work.padding) for frame in frames]
            if frames[0] is not frames[2]:
                frames[0].drop("features")  # as windows move forward, no later one needs them
            result: Reconstruction = network(codes, exposures, flows, encoded=encoded, over=plan.over)
            pictures = {"radiance": result.hdr, "coarse": result.coarse, "flow": result.flows, "mask": result.masks}
            if self.needs_back(work.layers):
                back = self._flows(work, back=True)
                pictures["occlusion"] = occlusions_of(result.flows, back)
        return Pictures(pictures, codes)

    def _encoded(self, network: F2HDR, frame: NetworkFrame, plan: Plan, padding: Padding) -> Tensor:
        """Stage II's features of a frame."""
        if frame.has("features"):
            features: Tensor = frame.kept("features")
            return features
        exposure = upload(torch.tensor([frame.exposure], dtype=torch.float32), self.device)
        features = network.encode(frame.tensor(padding, self.device), exposure, plan.over)
        if plan.keep_features:
            frame.keep("features", features)
        return features
