"""``f2hdr info``: versions, devices and folders of this installation."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer

import f2hdr_backend
from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.command import Section

_CPU_FEATURES = {
    "avx2": "_is_avx2_supported",
    "avx512": "_is_avx512_supported",
    "avx512_bf16": "_is_avx512_bf16_supported",
    "amx": "_is_amx_tile_supported",
}
QUALITY_SIZE = (1920, 1080)
"""Frames that the times of the qualities are shown for."""
_LIBRARIES = ("torch", "numpy", "OpenEXR", "OpenImageIO", "opencolorio", "opencv-python-headless", "av")


def register(app: typer.Typer) -> None:
    """Add the verb ``info`` to the command line."""
    app.command("info", rich_help_panel=Section.MANAGE)(info)


def info(as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Show versions, devices and folders of this installation; see also f2hdr doctor."""
    facts = _facts()
    if as_json:
        print(json.dumps({"event": "info", **facts}))
        return
    for name, value in facts.items():
        terminal.show(f"{name.replace('_', ' '):<16}{_words(value)}")


def _facts() -> dict[str, Any]:
    from f2hdr_backend.cli.log import log_file
    from f2hdr_backend.flow.cache import cache_folder
    from f2hdr_backend.machine.torch_build import gpu_state, torch_build
    from f2hdr_backend.weights.manifest import weights_folder

    devices = _devices()
    return {
        "version": f2hdr_backend.__version__,
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "libraries": {name: _installed(name) for name in _LIBRARIES},
        "torch_build": torch_build(),
        "gpu": gpu_state()[0],
        "devices": devices,
        "cpu_features": _cpu_features(),
        "correlation": _correlation(devices),
        "fused_kernels": _fused(devices),
        "cpu_cores": os.cpu_count(),
        "quality": _quality(),
        "weights_folder": str(weights_folder()),
        "cache_folder": str(cache_folder()),
        "log_file": str(log_file()),
    }


def _quality() -> dict[str, str]:
    """Return for each quality the method or weights and the estimated time of a frame; ``auto`` is the default's."""
    from f2hdr_backend.engine.method.quality import STEPS, choice, resolved
    from f2hdr_backend.shot.document import Engine

    default = choice(resolved(Engine()), QUALITY_SIZE).quality
    found = {"auto": f"= {default}"}
    for name, step in STEPS.items():
        seconds = choice(resolved(Engine(quality=name)), QUALITY_SIZE).seconds
        width, height = QUALITY_SIZE
        cost = "" if seconds is None else f" (about {terminal.duration(seconds)} a frame of {width} x {height})"
        found[name] = f"= {step.weights or step.method}{cost}"
    return found


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _devices() -> list[str]:
    import torch

    names = ["cpu"]
    if torch.backends.mps.is_available():
        names.append("mps")
    for index in range(torch.cuda.device_count()):
        names.append(f"cuda:{index} ({torch.cuda.get_device_name(index)})")
    return names


def _correlation(devices: Iterable[str]) -> dict[str, str]:
    """Return what computes local correlation on each of ``devices``: a kernel, or torch and the reason."""
    import torch

    from f2hdr_backend.kernels import maker

    return {name: maker(torch.device(name)) for name in (device.split()[0] for device in devices)}


def _fused(devices: Iterable[str]) -> dict[str, str]:
    """Return what computes the fused operations on each of ``devices``: Triton, or torch and the reason."""
    import torch

    from f2hdr_backend.kernels.fused import fusing

    return {name: fusing(torch.device(name)) for name in (device.split()[0] for device in devices)}


def _cpu_features() -> list[str]:
    """Return the processor features that torch found; the matrix units decide how fast bf16 is."""
    import torch

    probes = {name: getattr(torch.cpu, probe, None) for name, probe in _CPU_FEATURES.items()}
    return [name for name, probe in probes.items() if probe is not None and probe()]


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {item or 'not installed'}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(value)
