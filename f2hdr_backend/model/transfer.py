"""Tensors on their way between the host and a device, without one waiting for the other."""

from __future__ import annotations

import torch
from torch import Tensor


def upload(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on ``device``. From the host to a GPU it goes from pinned memory, and nobody waits until it is there."""
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


class Download:
    """Tensors on their way to the host: all are asked for at once, and waited for once, in any thread."""

    def __init__(self, *tensors: Tensor) -> None:
        self._copies = [_asked_for(tensor) for tensor in tensors]
        self._arrived: torch.cuda.Event | None = None
        for device in {tensor.device for tensor in tensors if tensor.device.type == "cuda"}:
            self._arrived = torch.cuda.Event(blocking=True)
            self._arrived.record(torch.cuda.current_stream(device))

    def wait(self) -> list[Tensor]:
        """The tensors on the host; those that were there already are not copied."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return self._copies


def _asked_for(tensor: Tensor) -> Tensor:
    if tensor.device.type != "cuda":
        return tensor.cpu()
    return torch.empty_like(tensor, device="cpu", pin_memory=True).copy_(tensor, non_blocking=True)
