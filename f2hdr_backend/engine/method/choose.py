"""Open the method that an engine asks for: the merge, or the network of the chosen weights."""

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
    """Load what ``engine`` asks for.

    Args:
        engine: names the method, and the weights of a network.
        device: where it runs; by default the device that ``engine`` names.
        entry: weights to load instead of those that ``engine`` names.

    Raises:
        DeviceUnavailable, WeightsError, DocumentError: the device, the weights or the flow estimator is not available.
    """
    engine = engine if entry else resolved(engine)
    device = device or pick_device(engine.device)
    if engine.method == "merge":
        return MergeMethod(engine, device)
    entry = entry or store.find(engine.weights)
    return (MergeNetMethod if entry.kind == "mergenet" else NetworkMethod)(engine, device, entry)
