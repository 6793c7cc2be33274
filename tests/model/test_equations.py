"""Each equation of the paper against its closed form."""

import math

import pytest
import torch

from f2hdr_backend.model.adapter import FLOW_LIMIT, FlowAdapter
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.f2hdr import F2HDR
from f2hdr_backend.model.fusion import FusionNet
from f2hdr_backend.model.motion import PhysicalMotionMask, _counted, _counted_by_histc, min_max, otsu
from f2hdr_backend.model.radiance import re_expose, to_radiance, tonemap
from f2hdr_backend.model.warp import backward_warp, pixel_grid


def test_radiance_is_code_to_the_gamma_over_exposure():
    codes = torch.tensor([0.0, 0.5, 1.0, 2.0]).view(1, 1, 1, 4).expand(1, 3, 1, 4)
    radiance = to_radiance(codes, torch.tensor([4.0]))
    expected = torch.tensor([0.0, 0.5**2.2 / 4, 0.25, 0.25])
    torch.testing.assert_close(radiance[0, 0, 0], expected)


def test_re_exposing_keeps_radiance_and_clips():
    codes = torch.linspace(0, 1, 11).view(1, 1, 1, 11).expand(1, 3, 1, 11)
    short, long = torch.tensor([1.0]), torch.tensor([8.0])
    darker = re_expose(codes, long, short)
    torch.testing.assert_close(to_radiance(darker, short), to_radiance(codes, long))
    brighter = re_expose(codes, short, long)
    light = to_radiance(codes, short)
    torch.testing.assert_close(to_radiance(brighter, long), light.clamp_max(1 / 8))


def test_the_tone_map_keeps_0_and_1():
    values = tonemap(torch.tensor([0.0, 1.0, 0.1]))
    torch.testing.assert_close(values, torch.tensor([0.0, 1.0, math.log(501) / math.log(5001)]))


def test_exact_warp_is_the_identity_for_zero_flow_and_shifts_whole_pixels():
    picture = torch.rand(1, 2, 7, 9)
    still = torch.zeros(1, 2, 7, 9)
    torch.testing.assert_close(backward_warp(picture, still), picture)
    flow = still.clone()
    flow[:, 0], flow[:, 1] = 2, -1
    warped = backward_warp(picture, flow)
    torch.testing.assert_close(warped[:, :, 1:, :-2], picture[:, :, :-1, 2:])
    assert (warped[:, :, 0] == 0).all() and (warped[..., -2:].abs() < 1e-5).all()


def test_released_warp_samples_where_its_formula_says():
    width = 9
    ramp = torch.arange(width, dtype=torch.float32).view(1, 1, 1, width).expand(1, 1, 5, width)
    warped = backward_warp(ramp, torch.zeros(1, 2, 5, width), "released")
    x = torch.arange(width, dtype=torch.float32)
    position = ((2 * x / (width - 1) - 1 + 1) * width - 1) / 2
    inside = (position >= 0) & (position <= width - 1)
    torch.testing.assert_close(warped[0, 0, 2][inside], position[inside])


def test_adapter_starts_as_the_coarse_flow_and_limits_it():
    flows = torch.randn(1, 2, 2, 16, 24) * 60
    refined = FlowAdapter()(torch.rand(1, 3, 3, 16, 24), flows)
    torch.testing.assert_close(refined, flows.clamp(-FLOW_LIMIT, FLOW_LIMIT))


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (((0.1, 0), (0, 0.1)), (0.2, 0, 0)),  # zoom: divergence
        (((0, -0.1), (0.1, 0)), (0, 0.2, 0)),  # turn: curl
        (((0, 0.1), (0.1, 0)), (0, 0, 0.1)),  # shear: half of u_y + v_x
    ],
)
def test_motion_components_of_linear_flows_equal_the_closed_form(matrix, expected):
    grid = pixel_grid(torch.zeros(1, 2, 12, 14))
    flow = torch.einsum("ij,bjhw->bihw", torch.tensor(matrix), grid)
    components = PhysicalMotionMask().components(flow)[0, :, 2:-2, 2:-2]
    speed = flow.square().sum(1).add(1e-6).sqrt()[0, 2:-2, 2:-2]
    torch.testing.assert_close(components[0], speed)
    for component, value in zip(components[1:], expected, strict=True):
        torch.testing.assert_close(component, torch.full_like(component, value), atol=1e-5, rtol=0)


def test_otsu_separates_two_populations_per_frame():
    low, high = torch.full((1, 1, 10, 10), 0.1), torch.full((1, 1, 10, 10), 0.8)
    values = torch.cat((torch.cat((low, high), -1), torch.cat((low, low + 0.4), -1)))
    thresholds = otsu(values)
    assert 0.1 <= thresholds[0] < 0.8 and 0.1 <= thresholds[1] < 0.5


def test_normalization_by_minimum_and_maximum_is_per_frame():
    values = torch.stack((torch.linspace(2, 4, 16), torch.linspace(-1, 0, 16))).view(2, 1, 4, 4)
    scaled = min_max(values)
    torch.testing.assert_close(scaled.flatten(1).amax(1), torch.ones(2), atol=1e-5, rtol=0)
    assert (scaled.flatten(1).amin(1) == 0).all()


def test_fusion_is_a_weighted_mean_of_its_candidates():
    candidates = torch.rand(1, 5, 3, 16, 16)
    coarse = FusionNet().eval()(candidates, torch.rand(1, 5, 3, 16, 16))
    assert (coarse <= candidates.amax(1) + 1e-5).all() and (coarse >= candidates.amin(1) - 1e-5).all()
    same = candidates[:, :1].expand(1, 5, 3, 16, 16)
    torch.testing.assert_close(FusionNet().eval()(same, same), same[:, 0], atol=1e-5, rtol=1e-5)


READINGS = [
    Descriptor.published(),
    Descriptor(),
    Descriptor(exposure_alignment="eq2", adapter_input="raw", gate_scale="max"),
    Descriptor(adapter=False),
    Descriptor(refine=False),
    Descriptor(adapter=False, refine=False),
    Descriptor(mask="none"),
    Descriptor(mask="cnn"),
]


@pytest.mark.parametrize("descriptor", READINGS)
def test_every_interpretation_of_the_paper_reconstructs_and_has_gradients(descriptor):
    model = F2HDR(descriptor)
    frames, flows = torch.rand(2, 3, 3, 32, 48), torch.randn(2, 2, 2, 32, 48)
    exposures = torch.tensor([[8.0, 1.0, 8.0], [1.0, 4.0, 1.0]])
    result = model(frames, exposures, flows)
    assert result.hdr.shape == result.coarse.shape == (2, 3, 32, 48)
    assert result.flows.shape == flows.shape and result.masks.shape == (2, 2, 1, 32, 48)
    assert 0 <= result.hdr.min() and result.hdr.max() <= 1
    result.hdr.mean().backward()
    used = [name for name, parameter in model.named_parameters() if parameter.grad is not None]
    assert any(name.startswith("fusion_net") for name in used)
    assert any(name.startswith("refine_net") for name in used) == descriptor.refine


def test_a_descriptor_converts_to_json_and_back_and_refuses_unknown_fields():
    for descriptor in READINGS:
        assert Descriptor.from_json(descriptor.to_json()) == descriptor
    with pytest.raises(ValueError, match="'wrap'"):
        Descriptor.from_json({"wrap": "exact"})
    with pytest.raises(ValueError, match="warp.*'loose'"):
        Descriptor.from_json({"warp": "loose"})


@pytest.mark.parametrize("power", [1, 4])
def test_both_histogram_implementations_agree(power):
    values = torch.rand(2, 5000, generator=torch.Generator().manual_seed(3)) ** power
    values[:, 0], values[:, 1] = 0.0, 1.0
    counts = _counted(values)
    assert torch.equal(_counted_by_histc(values).long(), counts)
    assert counts.sum(1).tolist() == [5000, 5000]


def test_the_threshold_separates_two_clusters():
    heaps = torch.cat((torch.full((1, 1, 8, 16), 0.2), torch.full((1, 1, 8, 16), 0.7)), 2)
    assert 0.19 < float(otsu(heaps)) < 0.7
