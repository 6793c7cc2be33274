"""SEA-RAFT for benchmarks on machines where its published weights are not installed."""

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
    """As long as this lasts, weights are installed under the name ``sea_raft``; yields whether they are untrained.

    Without the published ones, :func:`untrained_tensors` stand in: the work is the same, the flow means nothing. They
    are installed as a user's would be, in a folder that goes away at the end; other weights are out of sight meanwhile.
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
    """SEA-RAFT's tensors as a seeded initialization leaves them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return SeaRaft().state_dict()


@contextmanager
def _weights_in(folder: str) -> Iterator[None]:
    """Let the user's weights folder be this one."""
    before = os.environ.get(_FOLDER_VARIABLE)
    os.environ[_FOLDER_VARIABLE] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ[_FOLDER_VARIABLE]
        else:
            os.environ[_FOLDER_VARIABLE] = before
