"""SEA-RAFT, size M: the estimator that the published F2HDR weights were trained on. Needs imported weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from f2hdr_backend.flow.estimator import SizeRequirement
from f2hdr_backend.model.folding import fold_batch_norms
from f2hdr_backend.model.precision import InPrecision, autocast_precision
from f2hdr_backend.model.sea_raft import SIZE_MINIMUM, SIZE_MULTIPLE, FrameFeatures, SeaRaft, lacking_kernel
from f2hdr_backend.weights import store

WEIGHTS_NAME = "sea_raft"
VERSION = 2
"""Raised whenever the same frames begin to give another flow."""


class Estimator:
    """The published network with the weights installed under the name ``sea_raft``."""

    size = SizeRequirement(multiple_of=SIZE_MULTIPLE, minimum=SIZE_MINIMUM)
    bytes_per_pixel = 600
    on_host = False

    def __init__(self, device: torch.device) -> None:
        entry = store.find(WEIGHTS_NAME)
        with torch.device("meta"):
            network = SeaRaft()
        network.load_state_dict(store.load(entry).tensors, assign=True)
        fold_batch_norms(network.eval().requires_grad_(False))
        network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._networks = InPrecision(network)
        self._device = device
        self._digest = f"sea_raft-{VERSION}/{entry.sha256[:16]}"

    @property
    def caution(self) -> str:
        """That plain torch looks correlation up, and why."""
        lacking = lacking_kernel(self._device)
        return lacking and f"Correlation is looked up by plain torch on {self._device}, which is slow: {lacking}."

    @property
    def digest(self) -> str:
        """Identity: version of the code and the weights file's SHA-256."""
        return self._digest

    def encode(self, frames: Tensor) -> FrameFeatures:
        """``(B, 3, H, W)`` code values 0-1 to matching features and their pyramid."""
        return self._network().encode(frames)

    def batch(self, encoded: Sequence[FrameFeatures]) -> FrameFeatures:
        """The features of all of them, stacked."""
        return FrameFeatures.stack(encoded)

    def estimate(self, reference: FrameFeatures, neighbor: FrameFeatures) -> Tensor:
        """``(B, 2, H, W)`` float32 pixels, reference to neighbor."""
        return self._network().estimate(reference, neighbor)

    def _network(self) -> SeaRaft:
        return self._networks(autocast_precision(self._device))
