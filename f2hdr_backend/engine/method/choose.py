"""Open the method that the engine settings select: the merge, or the network of the chosen weights."""

from __future__ import annotations

import torch

from f2hdr_backend.engine.method.base import Method
from f2hdr_backend.engine.method.merge import MergeMethod
from f2hdr_backend.engine.method.mergenet import MergeNetMethod
from f2hdr_backend.engine.method.network import NetworkMethod
from f2hdr_backend.engine.method.quality import resolved
from f2hdr_backend.machine.device import pick_device
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.weights import store


def open_method(engine: Engine, device: torch.device | None = None, entry: store.WeightsEntry | None = None) -> Method:
    """Open the method that ``engine`` selects.

    Args:
        engine: method, weights and device.
        device: the device to use instead of the one in ``engine``.
        entry: weights to load instead of those in ``engine``.

    Raises:
        DeviceUnavailable, WeightsError, DocumentError: the device, the weights or the flow estimator is not available.
    """
    engine = engine if entry else resolved(engine)
    device = device or pick_device(engine.device)
    if engine.method == "merge":
        return MergeMethod(engine, device)
    entry = entry or store.find(engine.weights)
    return (MergeNetMethod if entry.kind == "mergenet" else NetworkMethod)(engine, device, entry)
