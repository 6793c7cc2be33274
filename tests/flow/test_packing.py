"""Rounding and packing of flows, against plain arithmetic."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from f2hdr_backend.flow.packing import RoundedFlow, pack, unpack


def flow_of(peak, height=48, width=64, seed=0):
    """Smooth motion with an edge and noise of about 1/50 px; its largest component is ``peak`` pixels."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / height
    flow = np.stack([np.sin(3 * x + y), np.cos(2 * y) * (x > 0.6)]) + rng.normal(
        0, 0.02 / max(peak, 1), (2, height, width)
    )
    return torch.from_numpy((flow / np.abs(flow).max() * peak).astype(np.float32))


@pytest.mark.parametrize(
    ("peak", "step"), [(0.0, 1 / 256), (5, 1 / 256), (127.9, 1 / 256), (130, 1 / 128), (400, 1 / 64), (40000, 2)]
)
def test_flow_is_rounded_to_the_nearest_step_for_its_largest_motion(peak, step):
    flow = flow_of(max(peak, 1e-9)) if peak else torch.zeros(2, 48, 64)
    pixels = RoundedFlow.of(flow).pixels()
    assert pixels.dtype == torch.float32 and pixels.shape == flow.shape
    assert (pixels - flow).abs().max() <= step / 2 * (1 + 1e-6)
    assert torch.equal(pixels, (pixels / step).round() * step)


@pytest.mark.parametrize("peak", [0.3, 60, 127.99, 128, 3000])
def test_rounding_a_rounded_flow_changes_nothing(peak):
    once = RoundedFlow.of(flow_of(peak)).pixels()
    assert torch.equal(RoundedFlow.of(once).pixels(), once)


def test_from_four_pixels_on_rounding_is_as_exact_as_half_precision():
    flow = flow_of(60)
    halves = (flow.half().float() - flow).abs()
    fixed = (RoundedFlow.of(flow).pixels() - flow).abs()
    for low, high in ((4, 8), (8, 16), (16, 32), (32, 60)):
        band = (flow.abs() >= low) & (flow.abs() < high)
        assert fixed[band].max() <= halves[band].max() * 1.05


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_nonfinite_flow_has_a_unit_of_nan(value):
    flow = flow_of(3)
    flow[1, 5, 7] = value
    assert RoundedFlow.of(flow).unit.isnan()


@pytest.mark.parametrize("peak", [127.998, 127.999, 65504.0, 1e20, 3.4e38])
def test_the_largest_motion_of_a_step_fits_and_the_next_takes_a_coarser_one(peak):
    flow = torch.full((2, 1, 1), peak)
    rounded = RoundedFlow.of(flow)
    steps = peak / float(rounded.unit)
    assert 32767 / 2 < steps <= 32767 or float(rounded.unit) == 1 / 256
    torch.testing.assert_close(rounded.pixels(), flow, atol=float(rounded.unit) / 2, rtol=0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(-8, 8))
def test_packing_of_rounded_flow_is_lossless_also_for_noise(height, width, seed, bits):
    noise = np.random.default_rng(seed).integers(-32768, 32767, (2, height, width), np.int16, endpoint=True)
    unit = torch.tensor(2.0**-bits)
    back = unpack(pack(RoundedFlow(torch.from_numpy(noise), unit)), (height, width))
    assert np.array_equal(back.steps.numpy(), noise) and back.unit == unit


def test_smooth_motion_takes_a_third_of_the_size_in_half_precision():
    flow = torch.nn.functional.interpolate(flow_of(20)[None], (384, 512), mode="bicubic")[0]
    assert len(pack(RoundedFlow.of(flow))) < flow.half().nbytes / 3


@pytest.mark.parametrize(
    "spoil",
    [lambda whole: b"", lambda whole: whole[:9], lambda whole: whole[:-1], lambda whole: whole[:9] + b"x" * 64],
)
def test_invalid_bytes_raise_a_value_error(spoil):
    with pytest.raises(ValueError):
        unpack(spoil(pack(RoundedFlow.of(flow_of(3)))), (48, 64))


def test_a_flow_of_another_size_raises_a_value_error():
    with pytest.raises(ValueError, match="64 x 40"):
        unpack(pack(RoundedFlow.of(flow_of(3))), (40, 64))
