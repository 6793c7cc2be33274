"""Several processes that train one model, as ``torchrun`` starts them; a single process is a team of one."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
import torch.distributed
from torch import nn

from f2hdr_backend.shot.errors import DocumentError


@dataclass(frozen=True)
class Team:
    """The rank of this process among those that share every step's windows."""

    rank: int = 0
    size: int = 1

    @classmethod
    def join(cls, device: torch.device) -> Team:
        """Join the processes that ``torchrun`` started; without it, a team of one.

        ``device`` decides the backend: NCCL between GPUs, gloo between CPUs.
        """
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        if not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return cls(torch.distributed.get_rank(), size)

    @staticmethod
    def device(name: str) -> str:
        """The device of this process: with ``auto`` on GPUs, the one of its local rank."""
        local = os.environ.get("LOCAL_RANK")
        return f"cuda:{local}" if name == "auto" and local and torch.cuda.is_available() else name

    @property
    def leads(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def share(self, windows: int) -> int:
        """Windows of a step for each process.

        Raises:
            DocumentError: they cannot be shared evenly.
        """
        if windows % self.size:
            raise DocumentError(
                f"{windows} windows a step cannot be shared evenly by {self.size} processes.",
                hint="Give --windows a multiple of the number of processes.",
            )
        return windows // self.size

    def average_gradients(self, model: nn.Module) -> None:
        """Replace each gradient by its mean over the team, in place."""
        if self.size == 1:
            return
        for parameter in model.parameters():
            if parameter.grad is not None:
                torch.distributed.all_reduce(parameter.grad)
                parameter.grad /= self.size
