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
"""Incremented whenever the same frames produce another flow."""


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
        """See :class:`Estimator`: a warning if plain torch computes the correlation, with the reason."""
        lacking = lacking_kernel(self._device)
        return lacking and f"Plain torch computes the correlation on {self._device}, which is slow: {lacking}."

    @property
    def digest(self) -> str:
        """Hash of the code version and the weights file's SHA-256."""
        return self._digest

    def encode(self, frames: Tensor) -> FrameFeatures:
        """Return matching features of ``(B, 3, H, W)`` code values 0-1, and their pyramid."""
        return self._network().encode(frames)

    def batch(self, encoded: Sequence[FrameFeatures]) -> FrameFeatures:
        """Return the features of all batches, concatenated."""
        return FrameFeatures.stack(encoded)

    def estimate(self, reference: FrameFeatures, neighbor: FrameFeatures) -> Tensor:
        """Return the flow from reference to neighbor, ``(B, 2, H, W)`` float32 in pixels."""
        return self._network().estimate(reference, neighbor)

    def _network(self) -> SeaRaft:
        return self._networks(autocast_precision(self._device))
