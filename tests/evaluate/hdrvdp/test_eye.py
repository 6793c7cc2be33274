from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from f2hdr_backend.evaluate.hdrvdp.eye import (
    filter_padded,
    frequency_grid,
    modulation_transfer,
    read_log_table,
    response_tables,
    see,
)  # fmt: skip


def test_response_tables_end_where_the_reference_ends():
    cone, rod = response_tables()
    assert (cone[0].item(), rod[0].item()) == (0.0, 0.0)
    assert cone[-1].item() == pytest.approx(284.8994849, abs=1e-7)
    assert rod[-1].item() == pytest.approx(98.3937414, abs=1e-7)
    assert bool((cone.diff() > 0).all())


def test_tables_are_interpolated_linearly_and_clamped():
    table = torch.tensor([0.0, 10.0, 40.0], dtype=torch.float64)
    where = torch.tensor([-9.0, -5.0, -2.5, 0.0, 4.0, 5.0, 9.0], dtype=torch.float64)
    assert read_log_table(table, where).tolist() == pytest.approx([0, 0, 5, 10, 34, 40, 40])


def test_the_optics_of_the_eye_keep_constant_light_and_attenuate_detail():
    frequencies = torch.tensor([0.0, 1.0, 5.0, 30.0], dtype=torch.float64)
    passed = modulation_transfer(frequencies).tolist()
    assert passed[0] == pytest.approx(1.0, abs=1e-15)
    assert passed == sorted(passed, reverse=True)


def test_filtering_equals_a_plain_transform_of_the_padded_frame():
    picture = torch.rand(7, 10, dtype=torch.float64)
    grid = frequency_grid(14, 20, 12.0, picture)
    padded = np.full((14, 20), 0.3)
    padded[:7, :10] = picture.numpy()
    expected = np.fft.irfft2(np.fft.rfft2(padded) * np.exp(-grid.numpy()), s=(14, 20))[:7, :10]
    np.testing.assert_allclose(filter_padded(picture, torch.exp(-grid), 0.3).numpy(), expected, atol=1e-13)
    assert grid[7, 10].item() == pytest.approx(math.hypot(6.0, 6.0))


def test_adaptation_has_the_reference_values(pair, golden_pair, golden_values):
    case = next(values for key, values in golden_values[pair]["hdrvdp"].items() if key.startswith("E"))
    _, reference = golden_pair(pair)
    light = np.maximum(reference * 1000, 0.005) @ np.array([0.2126, 0.7152, 0.0722])
    height, width = light.shape
    planes = torch.from_numpy(light)[None]
    transfer = modulation_transfer(frequency_grid(2 * height, 2 * width, case["pixels_per_degree"], planes))
    seen = see(planes, transfer, case["surround_l"])
    adaptation = seen.adaptation
    found = [adaptation.mean().item(), adaptation.min().item(), adaptation.max().item()]
    assert found == pytest.approx(case["stages"]["reference_L_adapt_mean_min_max"], rel=1e-9)
    assert seen.response.mean().item() == pytest.approx(0.0, abs=1e-10)
