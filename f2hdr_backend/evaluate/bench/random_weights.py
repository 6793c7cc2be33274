"""Random SEA-RAFT weights for benchmarks on machines without the published ones."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from f2hdr_backend.model.sea_raft import SeaRaft
from f2hdr_backend.shot.errors import WeightsMissing
from f2hdr_backend.weights import store

SEED = 1
_FOLDER_VARIABLE = "F2HDR_WEIGHTS"


@contextmanager
def sea_raft_installed() -> Iterator[bool]:
    """Install weights named ``sea_raft`` during the context if there are none; yield whether they are untrained.

    The time does not depend on the weights, but the flow of :func:`untrained_tensors` is meaningless. They are
    installed in a temporary folder that replaces the user's weights folder during the context.
    """
    if _installed():
        yield False
        return
    with TemporaryDirectory(prefix="f2hdr-bench-") as folder, _weights_in(folder):
        card = {"source": f"random, seed {SEED}", "license": "none needed"}
        store.save(store.Weights(store.SEA_RAFT, None, card, untrained_tensors()), Path(folder))
        yield True


def _installed() -> bool:
    try:
        store.find(store.SEA_RAFT)
    except WeightsMissing:
        return False
    return True


def untrained_tensors() -> Mapping[str, Tensor]:
    """Return SEA-RAFT's tensors after a seeded initialization."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return SeaRaft().state_dict()


@contextmanager
def _weights_in(folder: str) -> Iterator[None]:
    """Set the user's weights folder to ``folder`` during the context."""
    before = os.environ.get(_FOLDER_VARIABLE)
    os.environ[_FOLDER_VARIABLE] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ[_FOLDER_VARIABLE]
        else:
            os.environ[_FOLDER_VARIABLE] = before
