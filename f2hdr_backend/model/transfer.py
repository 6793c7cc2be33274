"""Asynchronous copies of tensors between the host and a device.

A GPU copies in two streams of their own, one for each direction, while it computes in the current one: the frame that
is computed next is uploaded, and the one before it downloaded, at the same time.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor


def upload(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on ``device``. A copy from the host to a GPU uses pinned memory, and only later operations of the
    current stream wait for it.
    """
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    computing, copying = torch.cuda.current_stream(device), _streams(device)[0]
    with torch.cuda.stream(copying):
        there = pinned_for(tensor, device).to(device, non_blocking=True)
    computing.wait_stream(copying)
    there.record_stream(computing)  # its memory is not used again before the computing stream is done with it
    return there


def pinned_for(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a host tensor in memory that ``device`` reads directly; unchanged if it is there, or without a GPU."""
    return tensor.pin_memory() if device.type == "cuda" and not tensor.is_pinned() else tensor


class Download:
    """An asynchronous copy of several tensors to the host, waited for once, in any thread."""

    def __init__(self, *tensors: Tensor) -> None:
        """Queue the copies after all operations that are queued in the current stream of a GPU."""
        self._copies = [tensor if tensor.device.type == "cuda" else tensor.cpu() for tensor in tensors]
        self._arrived: torch.cuda.Event | None = None
        for device in {tensor.device for tensor in tensors if tensor.device.type == "cuda"}:
            copying = _streams(device)[1]
            copying.wait_stream(torch.cuda.current_stream(device))
            with torch.cuda.stream(copying):
                self._copies = [_copied(tensor, copying) for tensor in self._copies]
            self._arrived = torch.cuda.Event(blocking=True)
            self._arrived.record(copying)

    def wait(self) -> list[Tensor]:
        """Wait for the tensors; those that were on the host already are not copied."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return self._copies


def _copied(tensor: Tensor, copying: torch.cuda.Stream) -> Tensor:
    if tensor.device.type != "cuda":
        return tensor
    here = torch.empty_like(tensor, device="cpu", pin_memory=True).copy_(tensor, non_blocking=True)
    tensor.record_stream(copying)
    return here


@cache
def _streams(device: torch.device) -> tuple[torch.cuda.Stream, torch.cuda.Stream]:
    """The streams of a GPU for uploads and for downloads."""
    return torch.cuda.Stream(device), torch.cuda.Stream(device)
