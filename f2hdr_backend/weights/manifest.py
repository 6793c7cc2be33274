"""The installed weights and their list: one ``manifest.json`` in each folder of weights files.

The manifest repeats each file's own header (``kind``, ``descriptor``, ``card``) and adds its SHA-256, so that listing
opens no weights file and a changed byte is detected. This module does not need torch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import platformdirs

from f2hdr_backend.model.descriptor import AnyDescriptor, Descriptor, MergeNetDescriptor
from f2hdr_backend.shot.atomic import replacing
from f2hdr_backend.shot.errors import WeightsError, WeightsMismatch
from f2hdr_backend.shot.read_text import json_value
from f2hdr_backend.shot.safe_open import make_folders, open_file

Kind = Literal["f2hdr", "mergenet", "sea_raft"]
"""Content of a file: the paper's network, the network that starts at the merge, or a flow network."""

EMBEDDED_FOLDER = Path(__file__).parent / "embedded"
"""Weights that ship with the package."""

_MANIFEST = "manifest.json"
_VERSION = 1


@dataclass(frozen=True)
class WeightsEntry:
    """One installed weights file, as its manifest describes it."""

    name: str
    """The name that ``--weights`` accepts."""
    path: Path
    """The safetensors file."""
    sha256: str
    """Digest of the whole file, 64 hexadecimal digits."""
    descriptor: AnyDescriptor | None
    """Architecture of the network of these weights; None for SEA-RAFT's."""
    card: Mapping[str, Any]
    """``source`` and ``license`` as text; optionally ``scores`` (metric -> number) and further facts."""

    @property
    def kind(self) -> Kind:
        """See :data:`Kind`."""
        return kind_of(self.descriptor)

    @property
    def embedded(self) -> bool:
        """Whether the file ships with the package."""
        return self.path.parent == EMBEDDED_FOLDER

    @property
    def remedy(self) -> str:
        """Instruction to obtain this file again, as one sentence for a hint."""
        return "Reinstall F2HDR." if self.embedded else f"Import {self.name!r} again with --force."

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every fact, for ``f2hdr weights list --json``."""
        facts = {"name": self.name, "path": str(self.path), "sha256": self.sha256, "embedded": self.embedded}
        return facts | to_record(self.descriptor, self.card)


def weights_folder() -> Path:
    """The folder of imported weights: ``F2HDR_WEIGHTS``, or ``weights`` in the user's data folder of F2HDR."""
    chosen = os.environ.get("F2HDR_WEIGHTS", "")
    return Path(chosen).expanduser() if chosen else platformdirs.user_data_path("f2hdr", False) / "weights"


def entries() -> list[WeightsEntry]:
    """All installed weights: the embedded first, then the user's, each by name.

    Raises:
        WeightsMismatch: a manifest cannot be read.
    """
    return [*entries_in(EMBEDDED_FOLDER), *entries_in(weights_folder())]


def entries_in(folder: Path) -> list[WeightsEntry]:
    """The weights that one folder's manifest lists, by name; a folder without a manifest has none.

    Raises:
        WeightsMismatch: a manifest cannot be read.
    """
    found = []
    for name, listed in sorted(_read(folder).items()):
        try:
            path, digest = folder / Path(listed["file"]).name, str(listed["sha256"])
            found.append(WeightsEntry(name, path, digest, *from_record(listed)))
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable(folder, f"its entry {name!r} is wrong ({error})") from error
    return found


def add(entry: WeightsEntry) -> None:
    """List a weights file in the manifest of its folder, in place of an earlier one of that name.

    Raises:
        WeightsMismatch: a manifest cannot be read.
        WeightsError: the folder cannot be written to.
    """
    folder = entry.path.parent
    listed = {"file": entry.path.name, "sha256": entry.sha256, **to_record(entry.descriptor, entry.card)}
    weights = dict(sorted({**_read(folder), entry.name: listed}.items()))
    text = json.dumps({"version": _VERSION, "weights": weights}, indent=2) + "\n"
    write(folder / _MANIFEST, text.encode())


def kind_of(descriptor: AnyDescriptor | None) -> Kind:
    """The kind of weights with this descriptor."""
    if descriptor is None:
        return "sea_raft"
    return "mergenet" if isinstance(descriptor, MergeNetDescriptor) else "f2hdr"


def to_record(descriptor: AnyDescriptor | None, card: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object that a weights file's header and the manifest share."""
    described = descriptor.to_json() if descriptor else None
    return {"kind": kind_of(descriptor), "descriptor": described, "card": dict(card)}


def from_record(record: Mapping[str, Any]) -> tuple[AnyDescriptor | None, Mapping[str, Any]]:
    """Undo :func:`to_record`; raises ``KeyError``, ``TypeError`` or ``ValueError`` for any other object."""
    kind, card = record["kind"], dict(record["card"])
    if kind == "f2hdr":
        return Descriptor.from_json(record["descriptor"]), card
    if kind == "mergenet":
        return MergeNetDescriptor.from_json(record["descriptor"]), card
    if kind == "sea_raft":
        return None, card
    raise ValueError(f"unknown kind {kind!r}")


def write(path: Path, content: bytes) -> None:
    """Write a file atomically; its folder is created if it is missing.

    Raises:
        WeightsError: it cannot be written; no partial file remains.
    """
    try:
        make_folders(path.parent)
        with replacing(path) as file:
            file.write(content)
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be written: {error.strerror}.",
            hint="Free some space, or set F2HDR_WEIGHTS to a folder that you may write to.",
            path=str(path),
        ) from error


def _read(folder: Path) -> dict[str, Any]:
    try:
        with open_file(folder / _MANIFEST, own=True) as file:
            content = json_value(file.read())
        if content["version"] != _VERSION:
            raise ValueError(f"version {content['version']!r} is unknown to this F2HDR")
        return dict(content["weights"])
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(folder, str(error)) from error


def _unreadable(folder: Path, reason: str) -> WeightsMismatch:
    path = folder / _MANIFEST
    return WeightsMismatch(
        f"{path} cannot be read: {reason}.",
        hint="Move it away, then import the weights again with --force.",
        path=str(path),
    )
