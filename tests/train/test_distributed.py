"""Processes of one training, as their environment describes them; test_loop.py trains with two."""

import pytest
import torch

from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.train.distributed import Team

CPU = torch.device("cpu")


def test_without_torchrun_there_is_one_process(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    team = Team.join(CPU)
    assert (team.rank, team.size, team.leads) == (0, 1, True)
    model = torch.nn.Linear(2, 1)
    model(torch.ones(1, 2)).sum().backward()
    before = model.weight.grad.clone()
    team.average_gradients(model)
    assert torch.equal(model.weight.grad, before)


def test_windows_are_shared_evenly_or_refused():
    assert Team(1, 2).share(4) == 2 and not Team(1, 2).leads
    with pytest.raises(DocumentError) as caught:
        Team(0, 3).share(4)
    assert "4" in caught.value.message and "3" in caught.value.message and "--windows" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "local", "gpus", "device"),
    [
        ("auto", "1", True, "cuda:1"),
        ("auto", "1", False, "auto"),
        ("auto", None, True, "auto"),
        ("cpu", "1", True, "cpu"),
    ],
)
def test_each_process_has_the_gpu_of_its_local_rank(monkeypatch, name, local, gpus, device):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if local is not None:
        monkeypatch.setenv("LOCAL_RANK", local)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus)
    assert Team.device(name) == device
