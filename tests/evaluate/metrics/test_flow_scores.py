from __future__ import annotations

import math

import numpy as np
import pytest

from f2hdr_backend.evaluate.metrics.flow_scores import end_point_error, warp, warp_scores
from f2hdr_backend.shot.errors import ImageError


def _flow(x: float, y: float, shape: tuple[int, int] = (32, 40)):
    return np.stack([np.full(shape, float(x)), np.full(shape, float(y))])


def _picture(seed: int = 0):
    return np.random.default_rng(seed).random((32, 40, 3))


def test_end_point_error_is_the_mean_length():
    assert end_point_error(_flow(3, 4), _flow(0, 0)).value == pytest.approx(5.0)
    half = _flow(0, 0)
    half[0, :16] = 2.0
    assert end_point_error(half, _flow(0, 0)).value == pytest.approx(1.0)
    assert str(end_point_error(half, half)) == "EPE 0.0000 px (region=frame)"


def test_a_flow_with_nan_is_refused():
    label = _flow(1, 0)
    label[:, 0] = math.nan
    with pytest.raises(ImageError, match="NaN"):
        end_point_error(_flow(1, 2), label)


def test_flows_of_another_size_are_refused():
    with pytest.raises(ImageError, match=r"\(2, H, W\)"):
        end_point_error(_flow(0, 0), _flow(0, 0, (32, 41)))


def test_the_true_flow_warps_the_neighbor_onto_the_reference():
    reference = _picture()
    neighbor = np.zeros_like(reference)
    neighbor[2:, 3:] = reference[:-2, :-3]
    np.testing.assert_allclose(warp(neighbor, _flow(3, 2))[:-2, :-3], reference[:-2, :-3], atol=1e-5)
    right, wrong = (warp_scores(neighbor, reference, _flow(*sign)) for sign in ((3, 2), (-3, -2)))
    assert right.psnr.value > wrong.psnr.value + 5


def test_a_shift_of_half_a_pixel_averages_two_pixels():
    neighbor = _picture()
    warped = warp(neighbor, _flow(0.5, 0))
    np.testing.assert_allclose(warped[:, :-1], (neighbor[:, :-1] + neighbor[:, 1:]) / 2, atol=1e-5)


def test_pixels_outside_the_frame_are_black():
    reference = _picture()
    everywhere = warp_scores(reference, reference, _flow(100, 0))
    assert everywhere.psnr.value == pytest.approx(-10 * math.log10((reference**2).mean()))
    assert ("outside", "zero") in everywhere.psnr.parameters


def test_the_released_warp_shifts_pixels_even_for_zero_flow():
    reference = _picture()
    exact = warp_scores(reference, reference, _flow(0, 0))
    released = warp_scores(reference, reference, _flow(0, 0), reading="released")
    assert exact.ssim.value == pytest.approx(1.0, abs=1e-6)
    assert released.ssim.value < 0.9
    assert ("warp", "released") in released.psnr.parameters


def test_pictures_and_flow_of_different_sizes_are_refused():
    with pytest.raises(ImageError, match="size"):
        warp_scores(_picture()[:-1], _picture(), _flow(0, 0))
