from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch

from f2hdr_backend.evaluate.hdrvdp.contrast import (
    CSF_LUMINANCE,
    CSF_PARAMETERS,
    masked_differences,
    mutual_masker,
    noise,
    sensitivity,
)  # fmt: skip


@pytest.mark.parametrize("row", range(len(CSF_LUMINANCE)))
def test_sensitivity_at_the_nodes_of_its_table(row):
    p1, p2, p3, p4 = CSF_PARAMETERS[row]
    frequency = 3.0
    expected = p4 / math.sqrt((1 + (p1 * frequency) ** p2) / (1 - math.exp(-((frequency / 7) ** 2))) ** p3)
    light = torch.tensor([math.log10(CSF_LUMINANCE[row])], dtype=torch.float64)
    assert sensitivity(torch.tensor([frequency], dtype=torch.float64), light).item() == pytest.approx(expected)


def test_sensitivity_is_zero_for_no_frequency_and_constant_beyond_the_table():
    frequency = torch.tensor([0.0, 2.0, 2.0, 2.0], dtype=torch.float64)
    light = torch.tensor([0.0, 4.0, math.log10(150.0), -5.0], dtype=torch.float64)
    values = sensitivity(frequency, light).tolist()
    assert values[0] == 0.0
    assert values[1] == pytest.approx(values[2])
    assert values[3] < values[1]


def test_noise_is_the_inverse_of_sensitivity():
    light = torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    expected = 1 / sensitivity(torch.full_like(light, 4.0), light)
    np.testing.assert_allclose(noise(4.0, light).numpy(), expected.numpy(), rtol=1e-3)


def test_the_masker_is_the_box_mean_of_the_smaller_magnitude():
    test, reference = torch.randn(2, 3, 12, 9, dtype=torch.float64)
    smaller = np.minimum(np.abs(test.numpy()), np.abs(reference.numpy()))
    for found, plane in zip(mutual_masker(test, reference), smaller, strict=True):
        expected = cv2.boxFilter(plane, cv2.CV_64F, (3, 3), borderType=cv2.BORDER_CONSTANT)
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-14)


def test_a_masker_hides_a_difference_and_keeps_its_sign():
    quiet = [torch.zeros(1, 8, 8, dtype=torch.float64)] + [torch.zeros(4, 8, 8, dtype=torch.float64)] * 2
    busy = [band + 5.0 for band in quiet]
    difference = torch.full((4, 8, 8), -0.5, dtype=torch.float64)
    one = torch.ones(8, 8, dtype=torch.float64)
    for seen, hidden in zip(
        masked_differences(quiet, 1, difference, one), masked_differences(busy, 1, difference, one), strict=True
    ):
        assert bool((seen < hidden).all()) and bool((hidden < 0).all())
