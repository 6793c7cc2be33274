"""The interface of flow estimators, and how to load one by name."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Protocol

import torch
from torch import Tensor

from f2hdr_backend.flow import estimators
from f2hdr_backend.shot.errors import DocumentError

ENTRY_POINT_GROUP = "f2hdr.flow"
"""Entry point group in which other packages register estimators."""


@dataclass(frozen=True)
class SizeRequirement:
    """Frame sizes that a network accepts; other frames are padded by replication and the result is cropped."""

    multiple_of: int = 1
    minimum: int = 1

    def padded(self, side: int) -> int:
        """Return the smallest allowed length that is at least ``side`` pixels."""
        return -(-max(side, self.minimum) // self.multiple_of) * self.multiple_of


class Estimator(Protocol):
    """The interface of an estimator, which ``--flow <module name>`` selects.

    Convention: flow is in pixels, channel 0 = x to the right, channel 1 = y down, reference to neighbor.
    """

    size: SizeRequirement
    bytes_per_pixel: int
    """Peak memory of ``estimate`` in bytes per pixel of a pair."""
    on_host: bool
    """Whether it always runs on the CPU; with a GPU it then works ahead in threads."""

    @property
    def caution(self) -> str:
        """A warning for the user, such as a slow fallback on its device; empty if there is none."""
        ...

    @property
    def digest(self) -> str:
        """Hash for caches and records: code version and weights."""
        ...

    def encode(self, frames: Tensor) -> Any:
        """Return the features of ``(B, 3, H, W)`` code values 0-1, which all windows of these frames reuse."""
        ...

    def batch(self, encoded: Sequence[Any]) -> Any:
        """Concatenate results of ``encode`` to that of one batch."""
        ...

    def estimate(self, reference: Any, neighbor: Any) -> Tensor:
        """Return the flow from reference to neighbor, ``(B, 2, H, W)`` float32 in pixels."""
        ...


def estimator_names() -> list[str]:
    """Return the names for ``--flow``, sorted."""
    own = estimators.names()
    return sorted({*own, *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))})


def load_estimator(name: str, device: torch.device) -> Estimator:
    """Load the estimator called ``name`` on ``device``.

    Raises:
        DocumentError: the name is unknown.
        WeightsMissing: the estimator needs weights that are not installed.
    """
    if name not in estimator_names():
        raise DocumentError(f"There is no flow estimator {name!r}.", hint=f"Use one of {', '.join(estimator_names())}.")
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name == name:
            estimator: Estimator = point.load()(device)
            return estimator
    module = importlib.import_module(f"{estimators.__name__}.{name}")
    own: Estimator = module.Estimator(device)
    return own
