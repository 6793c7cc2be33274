"""Fused operations against the steps that they replace; without a GPU in Triton's interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F

from f2hdr_backend.kernels import fused
from f2hdr_backend.model.warp import backward_warp
from f2hdr_backend.model.warp import sample as sample_plainly
from tests.kernels.conftest import INTERPRETED, needs_triton

DEVICE = "cpu" if INTERPRETED else "cuda"
NEAR = {torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 2e-2}


@pytest.fixture
def kernels():
    from f2hdr_backend.kernels import triton_fused

    return triton_fused


def random(*shape, kind=torch.float32, seed=1, layout=torch.channels_last):
    made = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(DEVICE, kind)
    return made.to(memory_format=layout) if made.dim() == 4 else made


@needs_triton
@pytest.mark.parametrize("kind", NEAR)
@pytest.mark.parametrize("added", ["before", "after", "none"])
@pytest.mark.parametrize("activation", ["none", "silu", "one slope", "each slope"])
@pytest.mark.parametrize("shape", [(2, 5, 7, 9), (1, 48, 6, 11)])
def test_the_end_of_a_convolution_is_bias_activation_and_sum(kernels, shape, activation, added, kind):
    values, more = random(*shape, kind=kind), random(*shape, kind=kind, seed=2)
    bias, slopes = random(shape[1], kind=kind, seed=3), random(shape[1], kind=kind, seed=4)
    expected = values.float() + bias.float().view(1, -1, 1, 1)
    if added == "before":
        expected = expected + more.float()
    if activation == "silu":
        expected = F.silu(expected)
    elif activation != "none":
        expected = F.prelu(
            expected, slopes.float() if activation == "each slope" else torch.tensor([0.1], device=DEVICE)
        )
    if added == "after":
        expected = expected + more.float()
    name = "slopes" if "slope" in activation else activation
    given = {} if added == "none" else {added: more}
    found = kernels.finish_convolution(values, bias, name, slopes if activation == "each slope" else 0.1, **given)
    assert found.dtype == kind and found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found.float(), expected, atol=NEAR[kind], rtol=NEAR[kind])


@needs_triton
@pytest.mark.parametrize("reading", ["exact", "released"])
@pytest.mark.parametrize(
    ("shape", "layout", "kind"),
    [
        ((2, 3, 7, 9), torch.contiguous_format, torch.float32),
        ((1, 1, 5, 6), torch.contiguous_format, torch.float32),
        ((2, 48, 6, 11), torch.channels_last, torch.float16),
        ((1, 5, 8, 4), torch.channels_last, torch.float32),
    ],
)
def test_warping_along_the_flow_equals_the_plain_warp(kernels, shape, layout, kind, reading):
    picture = random(*shape, kind=kind, layout=layout)
    flow = random(shape[0], 2, *shape[2:], seed=2, layout=torch.contiguous_format) * 3
    expected = backward_warp(picture, flow, reading)
    height, width = shape[2:]
    stretch = (width / (width - 1), height / (height - 1)) if reading == "released" else (1.0, 1.0)
    shift = 0.5 if reading == "released" else 0.0
    found = kernels.sample(picture, flow, from_pixel=True, stretch=stretch, shift=shift)
    assert found.dtype == kind and found.stride() == picture.stride()
    torch.testing.assert_close(found, expected, atol=20 * NEAR[kind], rtol=NEAR[kind])


@needs_triton
def test_gated_neighbors_are_added_up(kernels):
    """Bands too: fewer positions than the picture has rows."""
    pictures = [random(1, 20, 9, 8, kind=torch.float16, seed=seed) for seed in (1, 2)]
    places = torch.rand(1, 2, 5, 8, generator=torch.Generator().manual_seed(3)).to(DEVICE) * 12 - 2
    gate = torch.rand(1, 1, 5, 8, generator=torch.Generator().manual_seed(4)).to(DEVICE)
    expected = sum(gate * sample_plainly(picture.float(), places) for picture in pictures)
    found = kernels.sample(pictures[0], places, gate=gate)
    found = kernels.sample(pictures[1], places, gate=gate, added=found)
    torch.testing.assert_close(found.float(), expected, atol=5e-3, rtol=5e-3)


@needs_triton
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e9, -1e9, 3e38, 2.0**31])
@pytest.mark.parametrize("axis", [0, 1])
def test_places_outside_are_zero(kernels, value, axis):
    places = torch.full((1, 2, 2, 3), 1.5, device=DEVICE)
    places[0, axis, 1, 2] = value
    found = kernels.sample(torch.ones(1, 2, 4, 4, device=DEVICE), places)
    assert (found[..., 1, 2] == 0).all() and (found.flatten(2)[..., :-1] == 1).all()


@needs_triton
def test_edges_fade_to_zero_as_in_the_plain_sampler(kernels):
    picture = random(1, 2, 4, 5, layout=torch.contiguous_format)
    walk = (torch.arange(24, device=DEVICE) / 3 - 2).expand(24, 24)
    places = torch.stack((walk, walk.T))[None].contiguous()
    torch.testing.assert_close(kernels.sample(picture, places), sample_plainly(picture, places), atol=1e-5, rtol=1e-5)


def test_on_the_cpu_the_plain_steps_are_used():
    assert fused.kernels_for(torch.zeros(1, 2, 3, 4)) is None
    assert fused.fusing(torch.device("cpu")).startswith("torch (")


def test_without_triton_torch_is_named_with_the_reason():
    program = """
import sys

sys.modules["triton"] = None
import torch

from f2hdr_backend.kernels import fused

print(fused.fusing(torch.device("cuda")))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "torch (Triton is not installed)"


@pytest.mark.skipif(torch.cuda.is_available(), reason="Here Triton may run.")
def test_where_triton_does_not_run_torch_is_named_with_the_reason():
    assert fused.fusing(torch.device("cuda")).startswith(("torch (Triton is not", "torch (Triton does not run here: "))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="There is no CUDA device.")
def test_on_a_gpu_the_kernels_are_used_only_without_gradients():
    picture = torch.zeros(1, 2, 3, 4, device="cuda")
    assert fused.kernels_for(picture) is None
    with torch.inference_mode():
        assert (fused.kernels_for(picture) is not None) == (fused.fusing(picture.device) == "Triton")
