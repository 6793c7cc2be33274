"""The weights store: find by name, verify, load and save weights files.

A weights file is safetensors. Its header carries, under ``f2hdr``, JSON with ``kind`` (``f2hdr``, ``mergenet`` or
``sea_raft``), ``descriptor`` (how the network is built, null for SEA-RAFT) and ``card`` (source, license,
scores). Finding and verifying do not need torch.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f2hdr_backend.model.descriptor import AnyDescriptor
from f2hdr_backend.shot.errors import ShotError, WeightsMismatch, WeightsMissing
from f2hdr_backend.shot.read_text import json_value
from f2hdr_backend.shot.safe_open import open_file
from f2hdr_backend.weights import manifest
from f2hdr_backend.weights.manifest import EMBEDDED_FOLDER, WeightsEntry, entries, weights_folder

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "EMBEDDED_FOLDER",
    "SEA_RAFT",
    "Weights",
    "WeightsEntry",
    "check_name",
    "entries",
    "find",
    "load",
    "save",
    "verify",
    "weights_folder",
]

SEA_RAFT = "sea_raft"
"""The name of SEA-RAFT's weights."""

_HEADER_KEY = "f2hdr"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Weights:
    """The contents of one weights file."""

    name: str
    """Lower-case letters, digits, dot, dash and underscore; at most 64."""
    descriptor: AnyDescriptor | None
    """Architecture of the network; None for SEA-RAFT's."""
    card: Mapping[str, Any]
    """``source`` and ``license`` as text; perhaps ``scores`` (metric -> number) and further facts; JSON."""
    tensors: Mapping[str, Tensor]
    """Tensor name -> tensor, as the network's ``load_state_dict`` takes it; on the CPU."""

    def reading(self) -> AnyDescriptor:
        """The descriptor of an HDR network; ``WeightsMismatch`` if these are SEA-RAFT's weights."""
        if self.descriptor is None:
            raise WeightsMismatch(
                f"Weights {self.name!r} are those of the flow network SEA-RAFT, not of an HDR network.",
                hint="Choose weights of kind f2hdr or mergenet; `f2hdr weights list` shows them.",
                name=self.name,
            )
        return self.descriptor


def find(name: str) -> WeightsEntry:
    """The installed weights of that name.

    Raises:
        WeightsMissing: there are none; the message lists what is installed.
        WeightsMismatch: two files have the name, or a manifest cannot be read.
    """
    installed = entries()
    matches = [entry for entry in installed if entry.name == name]
    if len(matches) > 1:
        raise WeightsMismatch(
            f"Two weights files are named {name!r}: {matches[0].path} and {matches[1].path}.",
            hint="Import yours again under another name, then remove this file and its entry in manifest.json.",
            name=name,
        )
    if not matches:
        listed = ", ".join(entry.name for entry in installed) or "none"
        raise WeightsMissing(
            f"No weights named {name!r} are installed (installed: {listed}).",
            hint=_how_to_import(name),
            name=name,
        )
    return matches[0]


def verify(entry: WeightsEntry) -> None:
    """Hash the file again and compare the digest with the manifest.

    Raises:
        WeightsMissing: the file no longer exists.
        WeightsMismatch: a byte differs.
    """
    _verified(entry)


def load(entry: WeightsEntry) -> Weights:
    """Read a file's tensors onto the CPU after checking its digest. No code in the file can run.

    Raises:
        WeightsMissing: the file no longer exists.
        WeightsMismatch: a byte differs, or it is not an F2HDR weights file.
    """
    import safetensors
    import safetensors.torch

    content = _verified(entry)
    try:
        tensors = safetensors.torch.load(content)
        descriptor, card = manifest.from_record(_header(content))
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise WeightsMismatch(
            f"{entry.path} is not an F2HDR weights file ({error}).", hint=entry.remedy, path=str(entry.path)
        ) from error
    return Weights(entry.name, descriptor, card, tensors)


def save(weights: Weights, folder: Path | None = None, *, replace: bool = False) -> WeightsEntry:
    """Write a weights file, then its manifest entry, each renamed into place when complete.

    Args:
        weights: what to write. Tensors are copied, so views and shared storage are allowed.
        folder: the folder to write to; by default the user's.
        replace: whether weights of the same name in that folder may be replaced.

    Raises:
        ShotError: the name is not allowed or already used.
        WeightsMismatch: the card has no ``source`` or ``license``, or a manifest cannot be read.
        WeightsError: the folder is not writable.
    """
    import safetensors.torch

    folder = folder or weights_folder()
    check_name(weights.name, folder, replace=replace)
    if lacking := [key for key in ("source", "license") if not isinstance(weights.card.get(key), str)]:
        raise WeightsMismatch(f"The card of weights {weights.name!r} has no {lacking[0]}.", hint="Add its text.")
    header = json.dumps(manifest.to_record(weights.descriptor, weights.card), sort_keys=True)
    tensors = {name: _own_copy(tensor) for name, tensor in weights.tensors.items()}
    content = safetensors.torch.save(tensors, metadata={_HEADER_KEY: header})
    digest = hashlib.sha256(content).hexdigest()
    entry = WeightsEntry(weights.name, _path(folder, weights.name), digest, weights.descriptor, weights.card)
    manifest.write(entry.path, content)
    manifest.add(entry)
    return entry


def check_name(name: str, folder: Path | None = None, *, replace: bool = False) -> None:
    """Raise what :func:`save` would raise for a name, before any work is done.

    Args:
        name: the name for the weights.
        folder: the folder to write to; by default the user's.
        replace: whether weights of that name in that folder may be replaced.

    Raises:
        ShotError: the name is not a plain file name on every system, or is used in that folder or by weights
            that ship with the package.
    """
    folder = folder or weights_folder()
    if not _NAME.fullmatch(name):
        raise ShotError(
            f"{name!r} is not a valid name for weights.",
            hint="Use lower-case letters, digits, '.', '-' and '_', beginning with a letter or digit.",
            name=name,
        )
    if folder != EMBEDDED_FOLDER and name in _names(EMBEDDED_FOLDER):
        raise ShotError(f"{name!r} ships with F2HDR.", hint="Choose another --name.", name=name)
    if not replace and (name in _names(folder) or _path(folder, name).exists()):
        instead = "Leave out --sea-raft" if name == SEA_RAFT else "Choose another --name"
        raise ShotError(
            f"Weights named {name!r} are already in {folder}.",
            hint=f"{instead}, or replace them with --force.",
            name=name,
        )


def _own_copy(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", copy=True).contiguous()


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in manifest.entries_in(folder)]


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.safetensors"


def _how_to_import(name: str) -> str:
    if name == SEA_RAFT:
        return f"Run: f2hdr weights import Tartan-C-T-TSKH-spring540x960-M.pth --name {SEA_RAFT}"
    return f"Choose one of those, or run: f2hdr weights import checkpoint.pth --name {name}"


def _verified(entry: WeightsEntry) -> bytes:
    try:
        with open_file(entry.path, own=True) as file:
            content = file.read()
    except OSError as error:
        raise WeightsMissing(
            f"The weights file {entry.path} cannot be read: {error.strerror}.",
            hint=entry.remedy,
            path=str(entry.path),
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != entry.sha256:
        raise WeightsMismatch(
            f"{entry.path} has changed since it was installed: its SHA-256 begins {found[:12]}, not "
            f"{entry.sha256[:12]}.",
            hint=entry.remedy,
            path=str(entry.path),
            expected=entry.sha256,
            found=found,
        )
    return content


def _header(content: bytes) -> dict[str, Any]:
    """Our own JSON in a safetensors header: 8 bytes of length, little-endian, then the header's JSON."""
    length = int.from_bytes(content[:8], "little")
    record: dict[str, Any] = json_value(json_value(content[8 : 8 + length])["__metadata__"][_HEADER_KEY])
    return record
