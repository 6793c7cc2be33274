"""Common part of methods with trained weights: precision, identity and warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch

from f2hdr_backend.engine.method.base import Method
from f2hdr_backend.engine.method.plan import Workload
from f2hdr_backend.engine.method.to_host import digest_of
from f2hdr_backend.machine.device import pick_precision
from f2hdr_backend.model.descriptor import AnyDescriptor
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.events import Warned
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.weights import store

PUBLISHED_RATIO_STOPS = (2.0, 3.0)
"""Stops between the exposures that weights were trained on, where their card does not state it."""


class TrainedMethod(Method):
    """A method whose network comes from a weights file, with the flow it was trained on or the requested one."""

    descriptor: AnyDescriptor
    """The architecture of the network."""

    def __init__(
        self, engine: Engine, device: torch.device, entry: store.WeightsEntry, card: Mapping[str, Any]
    ) -> None:
        """``entry`` and ``card`` belong to the loaded weights; :attr:`descriptor` must be set before the call."""
        self.name = entry.name
        self.alignment = self.descriptor.exposure_alignment
        self.flow_name = self.descriptor.flow if engine.flow == "auto" else engine.flow
        self._card = card
        self.compute_type = pick_precision(engine.precision, device)
        self._weights_digest = entry.sha256
        super().__init__(engine, device)

    @property
    def digest(self) -> str:
        """Identity for resuming."""
        return digest_of(self._weights_digest, self.estimator.digest, self.precision)

    def warnings(self, exposures: ExposurePattern) -> Iterator[Warned]:
        """See :class:`Method`: warns of exposure ratios and flow that the weights were not trained on."""
        yield from super().warnings(exposures)
        low, high = self._card.get("ratio_stops", PUBLISHED_RATIO_STOPS)
        if not low <= exposures.ratio_stops <= high:
            yield Warned(
                "exposure_ratio",
                f"The exposures differ by {exposures.ratio_stops:.2f} stops; "
                f"the weights were trained on {low:g} to {high:g} stops.",
            )
        if self.flow_name != self.descriptor.flow:
            yield Warned(
                "other_flow",
                f"The weights were trained with {self.descriptor.flow} flow, but {self.flow_name} flow is used.",
            )

    def workload(self, padded: tuple[int, int]) -> Workload:
        """See :class:`Method`."""
        return Workload(*padded, self.descriptor, self.compute_type, self.estimator.bytes_per_pixel, self.on_host)

    def _arithmetic(self) -> AbstractContextManager[object]:
        return self._autocast(self.compute_type)

    def _autocast(self, precision: torch.dtype) -> torch.autocast:
        return torch.autocast(self.device.type, precision, enabled=precision != torch.float32)
