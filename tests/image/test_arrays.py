"""Eq. 1 in both directions, luma, and sampling along a flow, against closed forms."""

import numpy as np
import pytest

from f2hdr_backend.image.arrays import along_flow, codes_of, luma_of, radiance_of


def test_equation_1_and_its_inverse_agree() -> None:
    codes = np.linspace(0, 1, 30, dtype=np.float32).reshape(2, 5, 3)
    radiance = radiance_of(codes, 8.0)
    assert radiance.dtype == np.float32
    np.testing.assert_allclose(radiance, codes.astype(np.float64) ** 2.2 / 8, rtol=1e-5)
    np.testing.assert_allclose(codes_of(radiance, 8.0), codes, atol=1e-6)
    assert codes_of(np.full((1, 1, 3), 2, np.float32), 8.0).max() == 1


def test_luma_has_the_weights_of_the_published_program() -> None:
    assert luma_of(np.eye(3, dtype=np.float32)[None])[0] == pytest.approx([0.299, 0.587, 0.114])


def test_a_picture_is_sampled_at_the_target_of_the_flow() -> None:
    ramp = np.broadcast_to(np.arange(8, dtype=np.float32)[None, :, None], (4, 8, 3)).copy()
    flow = np.zeros((4, 8, 2), np.float32)
    flow[..., 0] = 1.5
    inside = along_flow(ramp, flow)
    np.testing.assert_allclose(inside[:, :6], ramp[:, :6] + 1.5)
    assert inside[0, 7, 0] == 0 and along_flow(ramp, flow, repeat_edge=True)[0, 7, 0] == 7
