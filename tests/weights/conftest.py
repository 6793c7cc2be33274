"""Files of exactly the published layout, and a weights folder of one's own."""

import pytest
import torch

from tests.golden import published


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty user's weights folder; it does not exist yet."""
    chosen = tmp_path / "weights"
    monkeypatch.setenv("F2HDR_WEIGHTS", str(chosen))
    return chosen


@pytest.fixture(scope="session")
def published_state():
    return published.f2hdr_state()


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory, published_state):
    """``checkpoint.pth`` as the authors' code writes it."""
    path = tmp_path_factory.mktemp("published") / "checkpoint.pth"
    torch.save({"state_dict": published_state}, path)
    return path


@pytest.fixture(scope="session")
def flow_state():
    return published.sea_raft_state()


@pytest.fixture(scope="session")
def flow_checkpoint(tmp_path_factory, flow_state):
    """SEA-RAFT's file: the bare state dict."""
    path = tmp_path_factory.mktemp("published") / "Tartan-C-T-TSKH-spring540x960-M.pth"
    torch.save(flow_state, path)
    return path
