"""Asynchronous copies of tensors between the host and a device."""

from __future__ import annotations

import torch
from torch import Tensor


def upload(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on ``device``. A copy from the host to a GPU uses pinned memory and is asynchronous."""
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return pinned_for(tensor, device).to(device, non_blocking=True)


def pinned_for(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a host tensor in memory that ``device`` reads directly; unchanged if it is there, or without a GPU."""
    return tensor.pin_memory() if device.type == "cuda" and not tensor.is_pinned() else tensor


class Download:
    """An asynchronous copy of several tensors to the host, waited for once, in any thread."""

    def __init__(self, *tensors: Tensor) -> None:
        self._copies = [_asked_for(tensor) for tensor in tensors]
        self._arrived: torch.cuda.Event | None = None
        for device in {tensor.device for tensor in tensors if tensor.device.type == "cuda"}:
            self._arrived = torch.cuda.Event(blocking=True)
            self._arrived.record(torch.cuda.current_stream(device))

    def wait(self) -> list[Tensor]:
        """Wait for the tensors; those that were on the host already are not copied."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return self._copies


def _asked_for(tensor: Tensor) -> Tensor:
    if tensor.device.type != "cuda":
        return tensor.cpu()
    return torch.empty_like(tensor, device="cpu", pin_memory=True).copy_(tensor, non_blocking=True)
