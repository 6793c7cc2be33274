"""A network's weights in the type that its layers compute in; autocast would convert them at every call."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import torch
from torch import nn

from f2hdr_backend.shot.cancellation import check_stop

HALF_LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.PReLU)
"""Layers that autocast computes in half precision, on CPUs and on GPUs."""

Network = TypeVar("Network", bound=nn.Module)


class InPrecision(Generic[Network]):
    """A network in float32, and a copy of it for each half precision that is requested."""

    def __init__(self, network: Network) -> None:
        for layer in network.modules():
            layer.register_forward_pre_hook(_check_stop)
        self._networks = {torch.float32: network}

    def __call__(self, precision: torch.dtype) -> Network:
        """The network for an autocast to ``precision``; it gives the same numbers as the float32 one there."""
        if precision not in self._networks:
            half = copy.deepcopy(self._networks[torch.float32])
            for layer in half.modules():
                if isinstance(layer, HALF_LAYERS):
                    layer.to(precision)
            self._networks[precision] = half
        return self._networks[precision]


class _Exact:
    """Number of blocks that need exact float32, and the settings before the first of them."""

    changing = threading.Lock()
    users = 0
    before = (False, False)


@contextmanager
def exact_float32(device: torch.device) -> Iterator[None]:
    """Compute convolutions and matrix products of float32 tensors in float32 within the block.

    By default CUDA convolutions round their inputs to TF32, which has the mantissa of half precision. The setting is
    global: the first user changes it, and the last one restores it.
    """
    if device.type != "cuda":
        yield
        return
    convolutions, products = torch.backends.cudnn, torch.backends.cuda.matmul
    with _Exact.changing:
        if not _Exact.users:
            _Exact.before = convolutions.allow_tf32, products.allow_tf32
            convolutions.allow_tf32 = products.allow_tf32 = False
        _Exact.users += 1
    try:
        yield
    finally:
        with _Exact.changing:
            _Exact.users -= 1
            if not _Exact.users:
                convolutions.allow_tf32, products.allow_tf32 = _Exact.before


def _check_stop(layer: nn.Module, inputs: tuple[object, ...]) -> None:
    """Stop a canceled computation before its next layer."""
    check_stop()


def autocast_precision(device: torch.device) -> torch.dtype:
    """The type that layers compute in on ``device`` here: the autocast's, or float32 outside of one."""
    return torch.get_autocast_dtype(device.type) if torch.is_autocast_enabled(device.type) else torch.float32
