"""Which build of torch is installed, and whether it uses the GPU of this machine."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch


def torch_build() -> str:
    """Return ``CPU``, ``CUDA 13.0``, ``ROCm 7.0`` or ``CPU and Metal``: what the installed torch was built for."""
    if torch.version.cuda:
        return f"CUDA {torch.version.cuda}"
    if torch.version.hip:
        return f"ROCm {torch.version.hip}"
    return "CPU and Metal" if sys.platform == "darwin" else "CPU"


def gpu_state() -> tuple[str, bool]:
    """Return a sentence about this machine's GPU, and whether a GPU is idle that torch could use."""
    if torch.cuda.is_available():
        return f"used: {torch.cuda.get_device_name(0)}", False
    if not _has_nvidia_gpu():
        return "none found", False
    if torch.version.cuda is None:
        return "an NVIDIA GPU is idle: this torch is built for the CPU", True
    return f"an NVIDIA GPU is idle: torch for CUDA {torch.version.cuda} cannot use it with this driver", True


def _has_nvidia_gpu() -> bool:
    """Look for the driver's traces, which exist without any Python package."""
    return any(Path(name).exists() for name in ("/dev/nvidia0", "/dev/dxg", "/proc/driver/nvidia/version")) or (
        shutil.which("nvidia-smi") is not None
    )
