"""Where the reference's own radiance is used, against the published rule and against visible edges."""

import numpy as np
import pytest

from f2hdr_backend.engine.method.apply_trust import use_reference
from f2hdr_backend.engine.method.frame import HdrFrame
from f2hdr_backend.trust.blend import trust

SHORT, LONG = (8.0, 1.0, 8.0), (1.0, 8.0, 1.0)


def gray(values):
    return np.repeat(np.asarray(values, np.float32)[None, :, None], 3, -1)


def test_hard_trusts_luma_within_the_published_thresholds():
    codes = gray([0.1, 0.19, 0.21, 0.79, 0.81])
    assert trust(codes, SHORT, "hard")[0, :, 0].tolist() == [0, 0, 1, 1, 1]
    assert trust(codes, LONG, "hard")[0, :, 0].tolist() == [1, 1, 1, 1, 0]


def test_off_gives_zero_trust():
    assert not trust(gray(np.linspace(0, 1, 50)), LONG, "off").any()


@pytest.mark.parametrize("exposures", [SHORT, LONG])
def test_soft_trust_is_continuous_and_1_for_well_exposed_pixels(exposures):
    codes = gray(np.linspace(0, 1, 1001))
    weight = trust(codes, exposures, "soft")[0, :, 0]
    assert np.abs(np.diff(weight)).max() < 0.02
    assert (weight[550:850] == 1).all()


def test_a_short_reference_is_trusted_only_where_the_long_neighbors_clip():
    clip_of_long = (1 / 8) ** (1 / 2.2)
    codes = gray([clip_of_long - 0.01, clip_of_long + 0.11])
    assert trust(codes, SHORT, "soft")[0, :, 0].tolist() == [0, 1]


def test_dark_pixels_of_a_long_reference_have_zero_trust():
    codes = gray([0.05, 0.25, 0.5])
    assert trust(codes, LONG, "soft")[0, :, 0].tolist() == [0, 0, 1]


def test_one_clipped_channel_of_a_long_reference_gives_zero_trust():
    codes = np.array([[[1.0, 0.3, 0.3]]], np.float32)
    assert trust(codes, LONG, "soft").item() == 0


def test_trusted_pixels_are_the_radiance_of_the_reference():
    codes = gray([0.6])
    empty = np.zeros((2, 1, 1), np.float32)
    frame = HdrFrame(np.zeros((1, 1, 3), np.float32), codes, np.zeros((2, 1, 1, 2), np.float32), empty, empty)
    mixed = use_reference(frame, np.stack((codes, codes, codes)), LONG, "soft")
    np.testing.assert_allclose(mixed.radiance, 0.6**2.2 / 8, rtol=1e-5)
