"""A convolution with what follows it: the same networks with fused kernels, and bit for bit without."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from f2hdr_backend.model import blocks, warp
from f2hdr_backend.model.adapter import ResidualDilatedBlock
from f2hdr_backend.model.blocks import Layers, convolved, unchanged
from f2hdr_backend.model.descriptor import Descriptor, MergeNetDescriptor
from f2hdr_backend.model.f2hdr import F2HDR
from f2hdr_backend.model.folding import fold_batch_norms
from f2hdr_backend.model.merge import merge
from f2hdr_backend.model.mergenet import MergeNet
from tests.kernels.conftest import INTERPRETED, needs_triton

SMALL = Descriptor(adapter_channels=8, fusion_channels=16, refine_channels=8, refine_blocks=1)
SMALL_MERGENET = MergeNetDescriptor(channels=(8, 8, 16), blocks=(1, 1, 1))


def picture(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_a_block_without_kernels_is_its_layers_bit_for_bit():
    block, features = ResidualDilatedBlock(8, 2), picture(1, 8, 9, 7)
    first, slopes, second = block.body
    expected = block.act(features + second(slopes(first(features))))
    assert torch.equal(block(features), expected)
    layers = Layers(nn.Conv2d(8, 4, 3), nn.Identity(), nn.LeakyReLU(0.1), nn.Conv2d(4, 2, 1), nn.Sigmoid())
    assert torch.equal(layers(features), nn.Sequential(*layers)(features))


def test_the_sum_is_before_or_after_the_activation():
    layer, features, more = nn.Conv2d(3, 3, 1), picture(1, 3, 4, 5), picture(1, 3, 4, 5, seed=2)
    assert torch.equal(convolved(layer, features, F.silu, before=more), F.silu(more + layer(features)))
    assert torch.equal(convolved(layer, features, F.silu, after=more), more + F.silu(layer(features)))
    assert torch.equal(convolved(layer, features, unchanged), layer(features))


needs_interpreter = pytest.mark.skipif(not INTERPRETED, reason="Triton's interpreter is for machines without a GPU")


@pytest.fixture
def with_kernels(monkeypatch):
    """Returns a function after which networks use the fused kernels, in Triton's interpreter."""
    from f2hdr_backend.kernels import triton_fused

    used = []

    def kernels_for(features):
        used.append(features)
        return None if torch.is_grad_enabled() else triton_fused

    def turn_on():
        for module in (blocks, warp):
            monkeypatch.setattr(module, "kernels_for", kernels_for)
        return used

    return turn_on


def stirred(network):
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return network.eval()


@needs_triton
@needs_interpreter
@pytest.mark.parametrize("reading", ["exact", "released"])
def test_the_papers_network_is_the_same_with_fused_kernels(with_kernels, reading):
    network = stirred(F2HDR(Descriptor.from_json({**SMALL.to_json(), "warp": reading})))
    fold_batch_norms(network)
    frames, exposures = picture(1, 3, 3, 16, 32).abs() % 1, torch.tensor([[1.0, 8.0, 1.0]])
    flows = picture(1, 2, 2, 16, 32, seed=2)
    with torch.inference_mode():
        expected = network(frames, exposures, flows)
        used = with_kernels()
        found = network(frames, exposures, flows)
    assert len(used) > 30
    for name, pictures in vars(expected).items():
        torch.testing.assert_close(getattr(found, name), pictures, atol=1e-4, rtol=1e-4)


@needs_triton
@needs_interpreter
def test_the_correcting_network_is_the_same_with_fused_kernels(with_kernels):
    network = stirred(MergeNet(SMALL_MERGENET))
    frames, exposures = picture(1, 3, 3, 16, 24).abs() % 1, torch.tensor([[1.0, 8.0, 1.0]])
    flows = picture(1, 2, 2, 16, 24, seed=2)
    with torch.inference_mode():
        expected = network(merge(frames, exposures, flows, torch.zeros(1, 2, 1, 16, 24)), exposures)
        used = with_kernels()
        found = network(merge(frames, exposures, flows, torch.zeros(1, 2, 1, 16, 24)), exposures)
    assert len(used) > 15
    torch.testing.assert_close(found.radiance, expected.radiance, atol=1e-4, rtol=1e-4)


@needs_triton
@needs_interpreter
def test_training_has_gradients_where_there_are_kernels(with_kernels):
    with_kernels()
    block = ResidualDilatedBlock(4, 1)
    block(picture(1, 4, 6, 6)).sum().backward()
    assert all(parameter.grad is not None for parameter in block.parameters())
