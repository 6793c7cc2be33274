"""Convert published checkpoints (``.pth``) to weights files without running code from a pickle.

Two published files are known: F2HDR's ``checkpoint.pth`` and SEA-RAFT's
``Tartan-C-T-TSKH-spring540x960-M.pth``. The tensor names determine which
of them a file is; names and shapes are compared with the networks'. torch's restricted unpickler reads them: it
creates tensors and plain containers, and raises an error for anything else.
"""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.f2hdr import F2HDR
from f2hdr_backend.model.sea_raft import SeaRaft
from f2hdr_backend.shot.errors import WeightsMismatch, WeightsMissing, WeightsUntrusted
from f2hdr_backend.shot.safe_open import open_file
from f2hdr_backend.weights import store
from f2hdr_backend.weights.store import SEA_RAFT, Weights, WeightsEntry

_WRAPPED = "module."
"""Prefix of every name in a model saved from ``DataParallel``."""
_FLOW_PREFIX = "coarse_flow_net.net."
"""Prefix of SEA-RAFT's names in a checkpoint of the whole model."""
_F2HDR_LICENSE = "MIT as the authors' repository (wei1895/F2HDR) states; none is stated for its weights"
_SEA_RAFT_LICENSE = "BSD-3-Clause, as its repository (princeton-vl/SEA-RAFT) states"
_NAMES_SHOWN = 4


@dataclass(frozen=True)
class _Checkpoint:
    """The tensors of a checkpoint file by network; one of the two may be empty."""

    path: Path
    sha256: str
    f2hdr: Mapping[str, Tensor]
    sea_raft: Mapping[str, Tensor]


def import_checkpoint(
    path: Path, name: str, sea_raft: Path | None = None, folder: Path | None = None, *, force: bool = False
) -> list[WeightsEntry]:
    """Convert a published checkpoint to weights files. Nothing is written unless every file fits its network.

    Args:
        path: F2HDR's checkpoint (``{"state_dict": ...}`` or the bare dictionary, names with or without
            ``module.``, with or without SEA-RAFT's tensors), or SEA-RAFT's own.
        name: the name of the weights; SEA-RAFT's are always named ``sea_raft``.
        sea_raft: SEA-RAFT's checkpoint, to import it at the same time.
        folder: the folder to write to; by default the user's weights folder.
        force: whether installed weights of that name may be replaced.

    Returns:
        What was installed, SEA-RAFT's first.

    Raises:
        WeightsMissing: no such file.
        WeightsUntrusted: a file that names something else than tensors and plain containers.
        WeightsMismatch: no checkpoint, or tensors that do not fit, named.
        ShotError: a name that is unfit or taken.
        WeightsError: the folder cannot be written to.
    """
    for wanted in (name,) if sea_raft is None else (name, SEA_RAFT):
        store.check_name(wanted, folder, replace=force)
    checkpoints = [_read(file) for file in (path, sea_raft) if file is not None]
    found = _to_install(name, checkpoints)
    for weights in found:
        store.check_name(weights.name, folder, replace=force)
    return [store.save(weights, folder, replace=force) for weights in found]


def _to_install(name: str, checkpoints: list[_Checkpoint]) -> list[Weights]:
    flows = [_sea_raft_weights(checkpoint) for checkpoint in checkpoints if checkpoint.sea_raft]
    networks = [_f2hdr_weights(name, checkpoint) for checkpoint in checkpoints if checkpoint.f2hdr]
    files = ", ".join(str(checkpoint.path) for checkpoint in checkpoints)
    if len(flows) > 1 or len(networks) > 1:
        twice = "SEA-RAFT" if len(flows) > 1 else "F2HDR"
        raise WeightsMismatch(f"Both files contain {twice}'s tensors: {files}.", hint="Import one of them.")
    if not networks and name != SEA_RAFT:
        raise WeightsMismatch(
            f"{files} contains SEA-RAFT's tensors and none of F2HDR's.",
            hint=f"Give it as --sea-raft with F2HDR's checkpoint, or alone with --name {SEA_RAFT}.",
        )
    if networks and name == SEA_RAFT:
        raise WeightsMismatch(
            f"{files} contains F2HDR's tensors, but {SEA_RAFT!r} is the name of SEA-RAFT's weights.",
            hint="Choose another --name.",
        )
    return flows + networks


def _f2hdr_weights(name: str, checkpoint: _Checkpoint) -> Weights:
    reading = Descriptor.published()
    with torch.device("meta"):
        expected = F2HDR(reading).state_dict()
    tensors = _fitted(checkpoint.path, "F2HDR", checkpoint.f2hdr, expected)
    return Weights(name, reading, _card(checkpoint, _F2HDR_LICENSE), tensors)


def _sea_raft_weights(checkpoint: _Checkpoint) -> Weights:
    with torch.device("meta"):
        expected = SeaRaft().state_dict()
    tensors = _fitted(checkpoint.path, "SEA-RAFT", checkpoint.sea_raft, expected)
    return Weights(SEA_RAFT, None, _card(checkpoint, _SEA_RAFT_LICENSE), tensors)


def _card(checkpoint: _Checkpoint, license_: str) -> dict[str, str]:
    return {"source": checkpoint.path.name, "source_sha256": checkpoint.sha256, "license": license_}


def _read(path: Path) -> _Checkpoint:
    """A checkpoint's tensors by network, SEA-RAFT's under their own names."""
    digest = _digest(path)
    loaded = _unpickled(path)
    state = loaded.get("state_dict", loaded) if isinstance(loaded, Mapping) else None
    if not isinstance(state, Mapping) or not state or not all(isinstance(name, str) for name in state):
        raise _no_checkpoint(path, "it contains no dictionary of named tensors")
    if all(name.startswith(_WRAPPED) for name in state):
        state = {name.removeprefix(_WRAPPED): tensor for name, tensor in state.items()}
    flow = {name.removeprefix(_FLOW_PREFIX): t for name, t in state.items() if name.startswith(_FLOW_PREFIX)}
    rest = {name: tensor for name, tensor in state.items() if not name.startswith(_FLOW_PREFIX)}
    if not flow and _is_sea_raft(rest):
        return _Checkpoint(path, digest, {}, rest)
    return _Checkpoint(path, digest, rest, flow)


def _is_sea_raft(names: Iterable[str]) -> bool:
    """Whether more of the names begin as SEA-RAFT's do than as F2HDR's do."""
    with torch.device("meta"):
        flow, network = ({name.split(".")[0] for name in net.state_dict()} for net in (SeaRaft(), F2HDR()))
    parts = [name.split(".")[0] for name in names]
    return sum(part in flow for part in parts) > sum(part in network for part in parts)


def _digest(path: Path) -> str:
    try:
        with open_file(path) as file:
            return hashlib.file_digest(cast(BufferedReader, file), "sha256").hexdigest()
    except OSError as error:
        raise WeightsMissing(
            f"The checkpoint {path} cannot be read: {error.strerror}.",
            hint="Give the .pth file.",
            path=str(path),
        ) from error


class _Ignored:
    """Replaces the numpy number (a best score) that the authors' trainer stores with the tensors."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


_NUMPY_NUMBER = ("numpy.dtype", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
"""Names in a pickled numpy number. ``_Ignored`` replaces each, so no numpy code runs."""


def _unpickled(path: Path) -> Any:
    try:
        with torch.serialization.safe_globals([(_Ignored, name) for name in _NUMPY_NUMBER]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if foreign := re.search(r"GLOBAL (\S+)", str(error)):
            raise _untrusted(path, foreign[1]) from error
        raise _no_checkpoint(path, "torch's restricted reader does not accept its contents") from error
    except Exception as error:  # damaged bytes raise any error in torch's reader: KeyError, struct.error ...
        raise _no_checkpoint(path, "it is damaged or of another kind") from error


def _untrusted(path: Path, name: str) -> WeightsUntrusted:
    return WeightsUntrusted(
        f"{path} refers to {name!r}, which is not a tensor. The file was refused; none of its code ran.",
        hint="Download the checkpoint again from its authors.",
        path=str(path),
        foreign=name,
    )


def _no_checkpoint(path: Path, reason: str) -> WeightsMismatch:
    return WeightsMismatch(
        f"F2HDR cannot import {path} as a checkpoint: {reason}.",
        hint="Download it again and check that the file is the .pth and not a web page.",
        path=str(path),
    )


def _fitted(path: Path, network: str, found: Mapping[str, object], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors in the network's order and number types. Raises ``WeightsMismatch`` with the names that do not fit."""
    misfits = {
        "missing": [name for name in expected if name not in found],
        "unexpected": [name for name in found if name not in expected],
        "wrongly_shaped": [
            f"{name} {_shape(found[name])} instead of {_shape(expected[name])}"
            for name in expected
            if name in found and _shape(found[name]) != _shape(expected[name])
        ],
    }
    if any(misfits.values()):
        reasons = [
            f"{len(names)} {kind.replace('_', ' ')} ({_first(names)})" for kind, names in misfits.items() if names
        ]
        raise WeightsMismatch(
            f"{path} does not fit {network}: {'; '.join(reasons)}.",
            hint="Use the file that the authors published for this network.",
            path=str(path),
            **misfits,
        )
    fitted = {name: _as(found[name], like) for name, like in expected.items()}
    if unfit := [name for name, tensor in fitted.items() if tensor is None]:
        raise WeightsMismatch(
            f"{path} contains {len(unfit)} tensors for {network} that are not finite numbers of the right kind "
            f"({_first(unfit)}).",
            hint="Download it again from its authors.",
            path=str(path),
            unfit=unfit,
        )
    return {name: tensor for name, tensor in fitted.items() if tensor is not None}


def _first(names: list[str]) -> str:
    return ", ".join(names[:_NAMES_SHOWN]) + (", ..." if len(names) > _NAMES_SHOWN else "")


def _shape(value: object) -> str:
    return "x".join(map(str, value.shape)) or "scalar" if isinstance(value, Tensor) else "no tensor"


def _as(value: object, like: Tensor) -> Tensor | None:
    """The tensor in ``like``'s number type; None if it is not dense, of another kind, or not finite."""
    if not isinstance(value, Tensor) or value.layout != torch.strided or value.device.type != "cpu":
        return None
    if value.is_quantized or value.is_floating_point() != like.is_floating_point() or value.is_complex():
        return None
    tensor = value.detach().to(like.dtype)
    return tensor if bool(torch.isfinite(tensor).all()) else None
