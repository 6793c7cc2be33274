"""Weights stored in half precision have the same results as autocast, bit for bit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from f2hdr_backend.model.f2hdr import F2HDR
from f2hdr_backend.model.folding import fold_batch_norms
from f2hdr_backend.model.precision import InPrecision, autocast_precision
from f2hdr_backend.model.sea_raft import SeaRaft

CPU = torch.device("cpu")


def network_of(kind):
    torch.manual_seed(5)
    network = kind()
    for weights in network.parameters():
        if (weights == weights.flatten()[0]).all():
            nn.init.normal_(weights, std=0.05)  # layers that start at zero would hide the computation
    network = network.eval().requires_grad_(False)
    fold_batch_norms(network)
    return network.to(memory_format=torch.channels_last)


def through_f2hdr(network):
    frames = torch.rand(1, 3, 3, 32, 48, generator=torch.Generator().manual_seed(1))
    flows = torch.randn(1, 2, 2, 32, 48, generator=torch.Generator().manual_seed(2))
    result = network(frames, torch.tensor([[8.0, 1.0, 8.0]]), flows)
    return [result.hdr, result.coarse, result.flows, result.masks]


def through_sea_raft(network):
    frames = torch.rand(2, 3, 128, 136, generator=torch.Generator().manual_seed(3))
    one, other = (network.encode(frame.unsqueeze(0)) for frame in frames)
    return [one.features, network.estimate(one, other)]


@pytest.mark.parametrize(
    ("kind", "run", "precision"),
    [
        (F2HDR, through_f2hdr, torch.bfloat16),
        (F2HDR, through_f2hdr, torch.float16),
        (SeaRaft, through_sea_raft, torch.bfloat16),
    ],
)
def test_results_equal_those_of_autocast(kind, run, precision):
    plain, kept = network_of(kind), InPrecision(network_of(kind))
    with torch.inference_mode(), torch.autocast("cpu", precision):
        expected, found = run(plain), run(kept(autocast_precision(CPU)))
    assert all(torch.equal(one, other) for one, other in zip(expected, found, strict=True))
    assert any(picture.std() > 0 for picture in expected)


def test_the_float32_weights_are_kept_with_the_half_copy():
    network = network_of(F2HDR)
    kept = InPrecision(network)
    half = kept(torch.bfloat16)
    assert kept(torch.float32) is network and kept(torch.bfloat16) is half
    assert {weights.dtype for weights in network.parameters()} == {torch.float32}
    assert half.flow_adapter.tail.weight.dtype == torch.bfloat16
    assert half.motion_mask.sobel_x.dtype == torch.float32


def test_the_compute_type_is_that_of_the_context():
    assert autocast_precision(CPU) == torch.float32
    with torch.autocast("cpu", torch.float16):
        assert autocast_precision(CPU) == torch.float16
