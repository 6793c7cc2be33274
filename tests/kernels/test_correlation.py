"""Every maker against the stored all-pairs volume."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from f2hdr_backend.kernels import feature_pyramid, local_correlation, torch_lookup
from f2hdr_backend.kernels import maker as maker_of
from tests.kernels.conftest import needs_kernel

CASES = {
    "one level": ((1, 8, 3, 5), ((5, 7),), 4),
    "pyramid": ((2, 16, 2, 5), ((12, 17), (6, 8), (3, 4), (1, 2)), 4),
    "one pixel wide": ((1, 5, 4, 3), ((6, 1), (3, 1)), 2),
    "one pixel high": ((1, 3, 3, 4), ((1, 9), (1, 4)), 3),
    "radius 0": ((2, 4, 3, 3), ((3, 3),), 0),
    "channels of no vector width": ((1, 37, 4, 4), ((5, 5),), 3),
}


@pytest.mark.parametrize("case", CASES)
def test_the_lookup_equals_the_stored_volume(maker, make_problem, stored_volume, case):
    problem = make_problem(*CASES[case])
    found = problem.on(maker)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), stored_volume(problem), atol=1e-5, rtol=1e-5)


def test_tiles_of_the_torch_lookup_equal_the_whole(stored_volume, make_problem):
    problem = make_problem((2, 4, 21, 35), ((23, 30), (11, 15)), 2)
    found = torch_lookup.look_up(problem.reference, problem.pyramid, problem.coords, problem.radius)
    torch.testing.assert_close(found.double(), stored_volume(problem), atol=1e-5, rtol=1e-5)


side = st.integers(1, 9)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batch=st.integers(1, 2),
    channels=st.integers(1, 24),
    size=st.tuples(side, side),
    levels=st.lists(st.tuples(side, side), min_size=1, max_size=2),
    radius=st.integers(0, 4),
    seed=st.integers(0, 1000),
)
def test_pictures_of_any_size_are_accepted(
    maker, make_problem, stored_volume, batch, channels, size, levels, radius, seed
):
    if maker.interpreted:
        size = (size[0] % 2 + 1, size[1] % 3 + 1)  # the interpreter needs a second for some dozens of pixels
    problem = make_problem((batch, channels, *size), tuple(levels), radius, seed)
    torch.testing.assert_close(problem.on(maker).double(), stored_volume(problem), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("case", ["pyramid", "one pixel wide"])
def test_gradients_equal_those_through_the_stored_volume(maker, make_problem, stored_volume, case):
    problem = make_problem(*CASES[case])
    received = torch.randn_like(stored_volume(problem).float())
    wanted = _gradients(problem, lambda given: stored_volume(given), received.double())
    found = _gradients(problem, lambda given: given.on(maker), received)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def _gradients(problem, look_up, received):
    inputs = [tensor.clone().requires_grad_() for tensor in (problem.reference, *problem.pyramid)]
    found = look_up(replace(problem, reference=inputs[0], pyramid=tuple(inputs[1:])))
    return torch.autograd.grad(found, inputs, received)


def test_gradients_are_computed_only_for_inputs_that_require_them(maker, make_problem):
    problem = make_problem(*CASES["pyramid"])
    features = problem.pyramid[1].requires_grad_()
    problem.on(maker).sum().backward()
    assert features.grad is not None and features.grad.abs().sum() > 0
    assert problem.reference.grad is None and problem.pyramid[0].grad is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e9, -1e9, 3e38, 2.0**31, -(2.0**63)])
@pytest.mark.parametrize("axis", [0, 1])
def test_nonfinite_and_far_positions_sample_zeros(maker, make_problem, stored_volume, value, axis):
    problem = make_problem((1, 8, 2, 3), ((7, 7),), 2)
    problem.coords[:] = 2.75
    known = stored_volume(problem)
    problem.coords[0, axis, 1, 2] = value
    problem.reference.requires_grad_()
    found = problem.on(maker)
    assert (found[..., 1, 2] == 0).all()
    assert (found[..., 0, :] != 0).all()
    torch.testing.assert_close(found[..., 0, :].double(), known[..., 0, :], atol=1e-5, rtol=1e-5)
    (gradient,) = torch.autograd.grad(found.sum(), problem.reference)
    assert gradient.isfinite().all() and (gradient[..., 1, 2] == 0).all()


def test_every_edge_of_the_picture_fades_to_zero(maker, stored_volume, make_problem):
    """A walk from far left to far right, and top to bottom, in steps of 2/3 pixel."""
    problem = make_problem((1, 4, 2, 24), ((5, 6),), 3)
    walk = torch.arange(24) / 1.5 - 5
    problem.coords[0, 0, 0], problem.coords[0, 1, 0] = walk, 2.0
    problem.coords[0, 0, 1], problem.coords[0, 1, 1] = 2.0, walk
    torch.testing.assert_close(problem.on(maker).double(), stored_volume(problem), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_features_are_summed_in_float32(maker, make_problem, stored_volume, dtype):
    problem = make_problem((1, 64, 3, 4), ((7, 6), (3, 3)), 3)
    problem = replace(
        problem, reference=problem.reference.to(dtype), pyramid=tuple(level.to(dtype) for level in problem.pyramid)
    )
    found = problem.on(maker)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), stored_volume(problem), atol=1e-4, rtol=1e-4)
    inputs = [problem.reference.requires_grad_(), *(level.requires_grad_() for level in problem.pyramid)]
    gradients = torch.autograd.grad(problem.on(maker).sum(), inputs)
    assert [gradient.dtype for gradient in gradients] == [dtype] * 3


def test_autocast_does_not_lower_the_sums(maker, make_problem, stored_volume):
    problem = make_problem(*CASES["one level"])
    with torch.autocast(maker.device, torch.bfloat16):
        found = problem.on(maker)
    torch.testing.assert_close(found.double(), stored_volume(problem), atol=1e-5, rtol=1e-5)


def test_the_result_does_not_depend_on_the_memory_layout(maker, make_problem):
    problem = make_problem(*CASES["pyramid"])
    as_channels_last = replace(problem, reference=problem.reference.to(memory_format=torch.channels_last))
    strided = replace(problem, coords=problem.coords.permute(0, 1, 3, 2).contiguous().permute(0, 1, 3, 2))
    wanted = problem.on(maker)
    torch.testing.assert_close(as_channels_last.on(maker), wanted, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(strided.on(maker), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("threads", [2, 5])
@needs_kernel
def test_the_result_does_not_depend_on_the_number_of_threads(compiled, make_problem, threads):
    problem = make_problem((2, 16, 20, 35), ((20, 35), (10, 17)), 3)
    received = torch.randn_like(problem.on(compiled))
    before = torch.get_num_threads()
    results = []
    try:
        for count in (1, threads):
            torch.set_num_threads(count)
            gradients = _gradients(problem, lambda given: given.on(compiled), received)
            results.append([problem.on(compiled), *gradients])
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


def test_the_volume_is_never_stored(maker, make_problem):
    """128 x 192 positions would make a volume of 2.4 GB; forward and backward together stay far below."""
    if maker.interpreted:
        pytest.skip("The interpreter would take minutes.")
    resource = pytest.importorskip("resource", reason="This system does not tell a process its peak memory.")
    problem = make_problem((1, 8, 128, 192), ((128, 192),), 4)
    rows, columns = torch.meshgrid(torch.arange(128.0), torch.arange(192.0), indexing="ij")
    problem.coords[0, 0], problem.coords[0, 1] = columns + 3.3, rows - 2.6
    problem.reference.requires_grad_()
    kilobytes = 1024 if sys.platform == "darwin" else 1
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    problem.on(maker).sum().backward()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / kilobytes
    assert grown < 600_000


def test_sampling_equals_the_published_one(make_problem):
    """Corner-aligned grid_sample on a volume pyramid, the window's first axis moving x: as the network was trained."""
    reference, neighbor = torch.randn(2, 1, 16, 16, 24)
    coords = make_problem((1, 16, 16, 24), ((16, 24),), 4).coords
    pyramid = feature_pyramid(neighbor, 3)
    steps = torch.linspace(-4, 4, 9)
    window = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), -1)
    wanted = []
    for level, features in enumerate(pyramid):
        volume = (reference.flatten(2).transpose(1, 2) @ features.flatten(2)).view(-1, 1, *features.shape[-2:]) / 4
        points = coords.permute(0, 2, 3, 1).reshape(-1, 1, 1, 2) / 2**level + window
        limits = torch.tensor([features.shape[-1] - 1, features.shape[-2] - 1])
        wanted.append(F.grid_sample(volume, 2 * points / limits - 1, align_corners=True).view(1, 16, 24, 81))
    found = local_correlation(reference, pyramid, coords, 4)
    torch.testing.assert_close(found, torch.cat(wanted, -1).permute(0, 3, 1, 2), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("size", [(8, 8), (9, 13), (2, 3)])
def test_the_pyramid_is_halved_bilinearly(size):
    features = torch.randn(2, 3, *size)
    halved = F.interpolate(features, scale_factor=0.5, mode="bilinear", align_corners=False)
    levels = feature_pyramid(features, 2)
    torch.testing.assert_close(levels[0], features, atol=0, rtol=0)
    torch.testing.assert_close(levels[1], halved, atol=1e-6, rtol=1e-6)


def test_the_pyramid_of_a_one_pixel_line_has_no_empty_level():
    levels = feature_pyramid(torch.ones(1, 2, 1, 5), 4)
    assert [tuple(level.shape[-2:]) for level in levels] == [(1, 5), (1, 2), (1, 1), (1, 1)]
    assert all((level == 1).all() for level in levels)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference": torch.zeros(8, 3, 5)}, r"reference.*\(8, 3, 5\)"),
        ({"coords": torch.zeros(1, 2, 5, 3)}, r"coords.*\(1, 2, 5, 3\)"),
        ({"coords": torch.zeros(2, 2, 3, 5)}, r"coords.*\(2, 2, 3, 5\)"),
        ({"pyramid": ()}, "pyramid"),
        ({"pyramid": (torch.zeros(1, 9, 5, 7),)}, "pyramid level 0"),
        ({"pyramid": (torch.zeros(1, 8, 5, 7), torch.zeros(1, 8, 0, 3))}, "pyramid level 1"),
        ({"radius": -1}, "radius.*-1"),
        ({"coords": torch.zeros(1, 2, 3, 5, device="meta")}, "device"),
    ],
)
def test_invalid_arguments_are_named(make_problem, change, message):
    problem = replace(make_problem(*CASES["one level"]), **change)
    with pytest.raises(ValueError, match=message):
        local_correlation(problem.reference, problem.pyramid, problem.coords, problem.radius)


def test_the_name_of_the_kernel_is_readable():
    name = maker_of(torch.device("cpu"))
    assert name.startswith(("C++ (", "torch (the C++ kernel was not built"))
    assert maker_of(torch.device("meta")).startswith("torch")


@pytest.mark.parametrize(
    ("missing", "device", "named"),
    [
        ("f2hdr_backend.kernels._core", "cpu", "torch (the C++ kernel was not built)"),
        ("triton", "cuda", "torch (Triton is not installed)"),
    ],
)
def test_torch_is_used_if_the_compiled_kernel_is_missing(missing, device, named):
    program = f"""
import sys

sys.modules[{missing!r}] = None
import torch

from f2hdr_backend.kernels import feature_pyramid, local_correlation, maker

features = torch.ones(1, 4, 3, 5)
found = local_correlation(features, feature_pyramid(features, 2), torch.ones(1, 2, 3, 5), 1)
print(tuple(found.shape), maker(torch.device({device!r})))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"(1, 18, 3, 5) {named}"


@pytest.mark.skipif(torch.cuda.is_available(), reason="Here Triton may run.")
def test_torch_is_used_if_triton_does_not_run():
    assert maker_of(torch.device("cuda")).startswith(("torch (Triton is not", "torch (Triton does not run here: "))
