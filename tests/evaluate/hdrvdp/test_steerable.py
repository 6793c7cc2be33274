from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from f2hdr_backend.evaluate.hdrvdp.steerable import build, filters, level_count


def _correlate(picture, kernel):
    return cv2.filter2D(picture, cv2.CV_64F, kernel.numpy(), borderType=cv2.BORDER_REFLECT_101)


def test_taps_sum_as_published():
    taps = filters()
    assert taps.high.sum().item() == pytest.approx(1.361e-7, abs=1e-10)
    assert taps.first_low.sum().item() == pytest.approx(1.0, abs=1e-7)
    assert taps.low.sum().item() == pytest.approx(2.0, abs=1e-6)
    for band in taps.bands:
        assert band.sum().item() == pytest.approx(0.0, abs=1e-15)
        np.testing.assert_allclose(band.numpy(), -band.flip(0, 1).numpy())


@pytest.mark.parametrize("size", [(64, 50), (243, 187), (17, 35)])
def test_every_band_is_a_correlation_with_reflected_borders(size):
    picture = np.random.default_rng(0).normal(size=size)
    taps = filters()
    bands = build(torch.from_numpy(picture)[None])
    assert len(bands) == level_count(*size) + 2
    np.testing.assert_allclose(bands[0][0, 0].numpy(), _correlate(picture, taps.high), atol=1e-11)
    low = _correlate(picture, taps.first_low)
    for band in bands[1:-1]:
        for orientation, kernel in enumerate(taps.bands):
            np.testing.assert_allclose(band[0, orientation].numpy(), _correlate(low, kernel), atol=1e-11)
        low = _correlate(low, taps.low)[::2, ::2]
    np.testing.assert_allclose(bands[-1][0, 0].numpy(), low, atol=1e-11)


def test_pictures_of_a_batch_are_decomposed_independently():
    pair = torch.rand(2, 40, 40, dtype=torch.float64)
    together, alone = build(pair), build(pair[1:])
    for both, one in zip(together, alone, strict=True):
        np.testing.assert_allclose(both[1:].numpy(), one.numpy(), atol=1e-13)


@pytest.mark.parametrize(
    ("height", "width", "levels"),
    [(16, 400, 0), (17, 17, 1), (34, 40, 2), (192, 256, 4), (243, 187, 4), (1080, 1920, 6)],
)
def test_the_number_of_levels_follows_the_size(height, width, levels):
    assert level_count(height, width) == levels


def test_the_first_orientation_responds_to_vertical_structure():
    stripes = torch.zeros(64, 64, dtype=torch.float64)
    stripes[:, ::4] = 1.0
    energies = build(stripes[None])[1][0].square().mean(dim=(1, 2))
    assert int(energies.argmax()) == 0
    assert energies[2].item() == pytest.approx(0.0, abs=1e-20)
