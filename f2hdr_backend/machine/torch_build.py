"""The build of the installed torch, and whether it uses this machine's GPU."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch

from f2hdr_backend.machine.device import pick_device
from f2hdr_backend.shot.errors import DeviceUnavailable


def torch_build() -> str:
    """Return the target of the installed torch: ``CPU``, ``CUDA 13.0``, ``ROCm 7.0`` or ``CPU and Metal``."""
    if torch.version.cuda:
        return f"CUDA {torch.version.cuda}"
    if torch.version.hip:
        return f"ROCm {torch.version.hip}"
    return "CPU and Metal" if sys.platform == "darwin" else "CPU"


def gpu_state() -> tuple[str, bool]:
    """Return a sentence about this machine's GPU, and whether there is a GPU that torch does not use."""
    if torch.cuda.is_available():
        try:
            pick_device("cuda:0")
        except DeviceUnavailable as error:
            return f"not used: {error.message}", True
        return f"used: {torch.cuda.get_device_name(0)}", False
    if not _has_nvidia_gpu():
        return "none found", False
    if torch.version.cuda is None:
        return "an NVIDIA GPU is not used: this torch is built for the CPU", True
    return f"an NVIDIA GPU is not used: the driver does not support torch for CUDA {torch.version.cuda}", True


def _has_nvidia_gpu() -> bool:
    """Return whether there is an NVIDIA driver, from files that do not need a Python package."""
    return any(Path(name).exists() for name in ("/dev/nvidia0", "/dev/dxg", "/proc/driver/nvidia/version")) or (
        shutil.which("nvidia-smi") is not None
    )
