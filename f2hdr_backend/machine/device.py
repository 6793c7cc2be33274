"""Selection of the device and the precision, and its free memory."""

from __future__ import annotations

import psutil
import torch

from f2hdr_backend.machine.container import container_memory_left
from f2hdr_backend.shot.device_names import device_names
from f2hdr_backend.shot.errors import DeviceUnavailable

NAMES = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}
"""Names of the precisions."""


def pick_devices(name: str) -> list[torch.device]:
    """Return the devices in ``name``, separated by commas; ``auto`` is the first CUDA device, or else the CPU.

    Raises:
        DeviceUnavailable: a name that is not that of a device, or a device that is not available.
    """
    return [pick_device(each) for each in device_names(name)]


def lanes_on(device: torch.device, name: str) -> int:
    """Return how many devices in ``name`` are this one, and thus share its memory."""
    return max(1, [part.strip() for part in name.split(",")].count(str(device)))


def pick_device(name: str) -> torch.device:
    """Return the device of that name; ``auto`` is the first CUDA device, or else the CPU.

    Raises DeviceUnavailable for a device that this machine does not have.
    """
    if name == "auto":
        name = "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.ones(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise DeviceUnavailable(
            f"The device {name!r} is not available on this machine{_why(error, name)}.",
            hint="Run f2hdr info to see the devices, or give --device cpu.",
            device=name,
        ) from error
    return device


def _why(error: Exception, name: str) -> str:
    """Return why a GPU that torch sees does not compute, to follow the message; empty if it sees none."""
    if not torch.cuda.is_available():
        return ""
    reason = f": {next(iter(str(error).strip().splitlines()), type(error).__name__)}"
    if "no kernel image" not in reason:
        return reason
    capability = ".".join(map(str, torch.cuda.get_device_capability(name)))
    built = ", ".join(torch.cuda.get_arch_list())
    return f": torch {torch.__version__} is built for {built}, and the GPU has compute capability {capability}"


def pick_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the precision of that name; ``auto`` is half precision if the device supports it, or else float32."""
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
    """Return whether the CPU has bf16 instructions; emulation is slower than float32."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
