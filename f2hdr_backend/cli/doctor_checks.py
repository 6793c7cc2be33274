"""The checks of ``f2hdr doctor``: one function for each part of an installation."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import f2hdr_backend
from f2hdr_backend.cli.folders import innermost_existing
from f2hdr_backend.cli.log import log_file
from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_backend.shot.sizes import format_size

LITTLE_DISK = 5 * 10**9
"""Bytes of free disk below which a render may not fit: about 100 frames of UHD."""


class State(StrEnum):
    """Status of an item."""

    GREEN = "green"
    """Works."""
    YELLOW = "yellow"
    """Works, but slower or with less than it could."""
    RED = "red"
    """Does not work."""


@dataclass(frozen=True)
class Item:
    """One line of the report."""

    name: str
    state: State
    text: str
    """The finding."""
    next: str = ""
    """The next step, for yellow and red."""

    def to_json(self) -> dict[str, Any]:
        """Return the item's fields."""
        return asdict(self)


def examine() -> Iterator[Item]:
    """Yield every check's item. A check that fails with one of F2HDR's errors is red with the error's hint."""
    for check in CHECKS:
        try:
            yield from check()
        except F2HDRError as error:
            yield Item(check.__name__.strip("_").replace("_", " "), State.RED, error.message, error.hint)
        except ImportError as error:
            name = check.__name__.strip("_").replace("_", " ")
            yield Item(name, State.RED, f"{error.name or error} is missing.", "Install F2HDR again.")


def _python() -> Iterator[Item]:
    bits = 8 * struct.calcsize("P")
    text = f"F2HDR {f2hdr_backend.__version__}, Python {platform.python_version()}, {bits} bit, {sys.executable}"
    yield Item("python", State.GREEN, text)


def _torch() -> Iterator[Item]:
    import torch

    from f2hdr_backend.machine.torch_build import gpu_state, torch_build

    yield Item("torch", State.GREEN, f"torch {torch.__version__}, built for {torch_build()}")
    text, idle = gpu_state()
    step = "Install torch for CUDA (README, Choose CPU or CUDA), or update the GPU's driver." if idle else ""
    yield Item("gpu", State.YELLOW if idle else State.GREEN, text, step)


def _kernels() -> Iterator[Item]:
    import torch

    from f2hdr_backend.kernels import maker

    found = maker(torch.device("cpu"))
    slow = found.startswith("torch")
    step = "Install a C++ compiler and F2HDR again; the torch version gives the same results, slower." if slow else ""
    yield Item("kernels", State.YELLOW if slow else State.GREEN, f"local correlation on the CPU: {found}", step)


def _weights() -> Iterator[Item]:
    from f2hdr_backend.weights import store

    installed = store.entries()
    for entry in installed:
        store.verify(entry)
    names = ", ".join(entry.name for entry in installed)
    if not installed:
        yield Item("weights", State.RED, "no weights are installed", "Install F2HDR again, or f2hdr weights import.")
    else:
        yield Item("weights", State.GREEN, f"{names}: files complete and unchanged")


def _color() -> Iterator[Item]:
    from f2hdr_backend.color.config import load_config

    config = load_config("")
    source = "from $OCIO" if os.environ.get("OCIO") else "ships with F2HDR"
    yield Item("color", State.GREEN, f"OCIO config {config.source} ({source}), {len(config.names())} color spaces")


def _cache() -> Iterator[Item]:
    from f2hdr_backend.flow.cache import open_cache

    cache = open_cache()
    if not cache.limit:
        yield Item("cache", State.YELLOW, "the flow cache is off", "Unset F2HDR_CACHE_SIZE to switch it on.")
        return
    used = cache.contents()
    text = f"{cache.folder}: {format_size(used.bytes)} of {format_size(cache.limit)}"
    writable = os.access(innermost_existing(cache.folder), os.W_OK)
    step = "" if writable else "Set F2HDR_CACHE to a folder that you can write; until then flow is not stored."
    yield Item("cache", State.GREEN if writable else State.YELLOW, text, step)


def _disk() -> Iterator[Item]:
    free = shutil.disk_usage(Path.cwd()).free
    little = free < LITTLE_DISK
    text = f"{format_size(free)} free in {Path.cwd()}"
    yield Item("disk", State.YELLOW if little else State.GREEN, text, "Free some disk space." if little else "")


def _server() -> Iterator[Item]:
    from f2hdr_backend.client.launch import connect
    from f2hdr_backend.shot.errors import ServerUnreachable

    try:
        running = connect(start=False)
    except ServerUnreachable:
        yield Item("server", State.GREEN, "not running; hosts start it when they need it")
    else:
        yield Item("server", State.GREEN, f"running at {running.address}, version {running.version}")


def _hosts() -> Iterator[Item]:
    from f2hdr_backend.install.files import InstallError, manifest, outdated
    from f2hdr_backend.install.program import PRODUCTS

    for product in PRODUCTS:
        host = importlib.import_module(f"f2hdr_backend.install.{product}")
        try:
            roots = [root for root in host.default_folders() if root.exists()]
        except InstallError:
            roots = []
        if not roots:
            yield Item(product, State.GREEN, "not found on this machine")
        for root in roots:
            version, command = manifest(root, product)["version"], f"f2hdr install {product}"
            if not version:
                yield Item(product, State.YELLOW, f"{root}: F2HDR is not installed", f"Run {command}.")
            elif version != f2hdr_backend.__version__ or outdated(root, product):
                step = f"Run {command} again."
                yield Item(product, State.YELLOW, f"{root}: files of version {version}, changed or out of date", step)
            else:
                yield Item(product, State.GREEN, f"{root}: installed, version {version}")


def _log() -> Iterator[Item]:
    writable = os.access(innermost_existing(log_file().parent), os.W_OK)
    step = "" if writable else "Set F2HDR_LOGS to a folder that you can write."
    yield Item("log", State.GREEN if writable else State.YELLOW, str(log_file()), step)


CHECKS: tuple[Callable[[], Iterator[Item]], ...] = (
    _python, _torch, _kernels, _weights, _color, _cache, _disk, _server, _hosts, _log,
)  # fmt: skip
