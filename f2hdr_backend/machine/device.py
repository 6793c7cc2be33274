"""Which device computes, in which arithmetic, and how much memory it has left."""

from __future__ import annotations

import psutil
import torch

from f2hdr_backend.machine.container import container_memory_left
from f2hdr_backend.shot.errors import DeviceUnavailable

NAMES = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}
"""Arithmetic as users name it."""


def pick_devices(name: str) -> list[torch.device]:
    """The devices that ``name`` lists with commas; ``auto`` is the first CUDA device, else the CPU.

    Raises:
        DeviceUnavailable: one of them is not there.
    """
    return [pick_device(part.strip()) for part in name.split(",")]


def lanes_on(device: torch.device, name: str) -> int:
    """How many of the devices that ``name`` lists are this one, and share its memory."""
    return max(1, [part.strip() for part in name.split(",")].count(str(device)))


def pick_device(name: str) -> torch.device:
    """Return the device of that name, set up for computing; ``auto`` is the first CUDA device, else the CPU.

    Raises DeviceUnavailable for a device that this machine does not have.
    """
    if name == "auto":
        name = "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.ones(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise DeviceUnavailable(
            f"The device {name!r} cannot be used here.", hint="Run f2hdr info to see the devices.", device=name
        ) from error
    if device.type == "cuda":
        compute_full_float32()
    return device


def compute_full_float32() -> None:
    """Turn TF32 off for the whole process: with it, float32 products on a GPU have the mantissa of half precision."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False


def pick_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the arithmetic of that name; ``auto`` is half precision where the device has it, else float32."""
    if name == "auto":
        if device.type == "cuda":
            return torch.float16
        return torch.bfloat16 if _has_bfloat16() else torch.float32
    return {word: kind for kind, word in NAMES.items()}[name]


def free_memory(device: torch.device) -> int:
    """Return the bytes that can be allocated on ``device`` now, within a container's limit."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free) + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    available = int(psutil.virtual_memory().available)
    left = container_memory_left()
    return available if left is None else min(available, left)


def used_memory(device: torch.device) -> int:
    """Return the bytes that this process has allocated on ``device``."""
    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    return int(psutil.Process().memory_info().rss)


def _has_bfloat16() -> bool:
    """Whether the CPU multiplies bf16 itself; others emulate it, slower than float32."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
