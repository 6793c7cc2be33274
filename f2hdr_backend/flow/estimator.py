"""What a flow estimator offers, and how one is found by name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Protocol

import torch
from torch import Tensor

from f2hdr_backend.flow import estimators
from f2hdr_backend.shot.errors import DocumentError

ENTRY_POINT_GROUP = "f2hdr.flow"
"""Other packages offer estimators under this entry point group."""


@dataclass(frozen=True)
class SizeRequirement:
    """Frame sizes a network takes; others are padded by replication and the result cropped."""

    multiple_of: int = 1
    minimum: int = 1

    def padded(self, side: int) -> int:
        """The smallest allowed length that is at least ``side`` pixels."""
        return -(-max(side, self.minimum) // self.multiple_of) * self.multiple_of


class Estimator(Protocol):
    """What ``--flow <module name>`` runs.

    Convention: flow is in pixels, channel 0 = x to the right, channel 1 = y down, reference to neighbor.
    """

    size: SizeRequirement
    bytes_per_pixel: int
    """Memory that ``estimate`` takes at its peak, for each pixel of a pair."""
    on_host: bool
    """Whether the CPU computes, whatever the device: beside a GPU it then works ahead in threads."""

    @property
    def caution(self) -> str:
        """What a user should know of how it runs on its device, such as a slow stand-in; empty if nothing."""
        ...

    @property
    def digest(self) -> str:
        """Identity for caches and records: code version and weights."""
        ...

    def encode(self, frames: Tensor) -> Any:
        """``(B, 3, H, W)`` code values 0-1 to whatever every window that sees these frames may reuse."""
        ...

    def batch(self, encoded: Sequence[Any]) -> Any:
        """What ``encode`` gave for several frames, as it would have given it for all of them in one batch."""
        ...

    def estimate(self, reference: Any, neighbor: Any) -> Tensor:
        """``(B, 2, H, W)`` float32 pixels, reference to neighbor."""
        ...


def estimator_names() -> list[str]:
    """Names that ``--flow`` takes, sorted."""
    own = [module.name for module in pkgutil.iter_modules(estimators.__path__)]
    return sorted({*own, *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))})


def load_estimator(name: str, device: torch.device) -> Estimator:
    """Open the estimator called ``name`` on ``device``.

    Raises:
        DocumentError: no estimator has that name.
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
