"""Warping along a flow against numpy: whole pixels exactly, halves as means, nothing from outside."""

import numpy as np
import pytest
import torch

from f2hdr_backend.model.warp import backward_warp, pixel_grid, sample, sampling_position

PICTURE = torch.rand(1, 3, 12, 10, generator=torch.Generator().manual_seed(1))


def constant(x, y, height=12):
    flow = torch.zeros(1, 2, height, 10)
    flow[:, 0], flow[:, 1] = x, y
    return flow


def test_the_grid_has_columns_before_rows():
    grid = pixel_grid(constant(0, 0))
    assert grid[0, :, 3, 7].tolist() == [7, 3]


@pytest.mark.parametrize(("x", "y"), [(2, 0), (-3, 1), (0, -2)])
def test_whole_pixels_are_shifted_and_outside_is_zero(x, y):
    warped = backward_warp(PICTURE, constant(x, y)).numpy()[0]
    padded = np.pad(PICTURE.numpy()[0], ((0, 0), (5, 5), (5, 5)))
    assert np.allclose(warped, padded[:, 5 + y : 17 + y, 5 + x : 15 + x], atol=1e-4)


def test_a_shift_of_half_a_pixel_is_the_mean_of_two_pixels():
    warped = backward_warp(PICTURE, constant(0.5, 0))
    assert torch.allclose(warped[..., :-1], (PICTURE[..., :-1] + PICTURE[..., 1:]) / 2, atol=1e-4)


def test_a_band_of_rows_equals_that_part_of_the_whole_frame():
    flow = 3 * torch.rand(1, 2, 12, 10, generator=torch.Generator().manual_seed(2)) - 1.5
    position = sampling_position(flow, "exact")
    whole = sample(PICTURE, position)
    assert torch.allclose(sample(PICTURE, position[..., 4:7, :]), whole[..., 4:7, :], atol=1e-5)


def test_the_released_warp_stretches_by_one_pixel_and_shifts_by_a_half():
    position = sampling_position(constant(0, 0), "released")
    columns, rows = np.arange(10), np.arange(12)
    assert np.allclose(position[0, 0, 0], columns * 10 / 9 - 0.5, atol=1e-5)
    assert np.allclose(position[0, 1, :, 0], rows * 12 / 11 - 0.5, atol=1e-5)


def test_the_result_has_the_type_of_the_neighbor():
    assert backward_warp(PICTURE.bfloat16(), constant(1, 0)).dtype == torch.bfloat16


def test_cudnn_does_not_sample_and_a_position_that_is_not_a_number_changes_no_other_pixel(monkeypatch):
    """On a GPU, these functions would call cuDNN's sampler, which supports neither such positions nor channels-last."""

    def refuse(*args, **kwargs):
        raise AssertionError("cuDNN's sampler")

    for module, name in ((torch.nn.functional, "grid_sample"), (torch, "grid_sampler"), (torch, "cudnn_grid_sampler")):
        monkeypatch.setattr(module, name, refuse)
    flow = constant(2, 0)
    flow[0, :, 5, 5] = float("nan")
    found = backward_warp(PICTURE.to(memory_format=torch.channels_last), flow)
    found[..., 5, 5] = PICTURE[..., 5, 7]
    assert torch.allclose(found[..., :8], PICTURE[..., 2:], atol=1e-4)
