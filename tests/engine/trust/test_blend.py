"""Where the reference's own light is used, held against the published rule and against visible edges."""

import numpy as np
import pytest

from f2hdr_backend.engine.method.base import HdrFrame
from f2hdr_backend.engine.trust.aligned import align_neighbors, light_of
from f2hdr_backend.engine.trust.blend import respect_clip, trust, use_reference

SHORT, LONG = (8.0, 1.0, 8.0), (1.0, 8.0, 1.0)


def gray(values):
    return np.repeat(np.asarray(values, np.float32)[None, :, None], 3, -1)


def test_hard_is_the_published_threshold_on_luma():
    codes = gray([0.1, 0.19, 0.21, 0.79, 0.81])
    assert trust(codes, SHORT, "hard")[0, :, 0].tolist() == [0, 0, 1, 1, 1]
    assert trust(codes, LONG, "hard")[0, :, 0].tolist() == [1, 1, 1, 1, 0]


def test_off_trusts_nothing():
    assert not trust(gray(np.linspace(0, 1, 50)), LONG, "off").any()


@pytest.mark.parametrize("exposures", [SHORT, LONG])
def test_soft_has_no_hard_edge_and_full_trust_inside(exposures):
    codes = gray(np.linspace(0, 1, 1001))
    weight = trust(codes, exposures, "soft")[0, :, 0]
    assert np.abs(np.diff(weight)).max() < 0.02
    assert (weight[550:850] == 1).all()


def test_a_short_reference_is_trusted_only_where_the_long_neighbors_clip():
    clip_of_long = (1 / 8) ** (1 / 2.2)
    codes = gray([clip_of_long - 0.01, clip_of_long + 0.11])
    assert trust(codes, SHORT, "soft")[0, :, 0].tolist() == [0, 1]


def test_shadows_of_a_long_reference_are_left_to_the_method():
    codes = gray([0.05, 0.25, 0.5])
    assert trust(codes, LONG, "soft")[0, :, 0].tolist() == [0, 0, 1]


def test_one_clipped_channel_of_a_long_reference_is_enough_to_doubt_it():
    codes = np.array([[[1.0, 0.3, 0.3]]], np.float32)
    assert trust(codes, LONG, "soft").item() == 0


def test_trusted_light_is_the_references_own():
    codes = gray([0.6])
    empty = np.zeros((2, 1, 1), np.float32)
    frame = HdrFrame(np.zeros((1, 1, 3), np.float32), codes, np.zeros((2, 1, 1, 2), np.float32), empty, empty)
    mixed = use_reference(frame, np.stack((codes, codes, codes)), LONG, "soft")
    np.testing.assert_allclose(mixed.radiance, 0.6**2.2 / 8, rtol=1e-5)


def clipped_window(result, neighbors):
    """A 12 x 12 window whose long reference is clipped, with what the network gave and what the neighbors show."""
    plane = np.ones((12, 12, 3), np.float32)
    codes = np.stack([neighbors[0] * plane, plane, neighbors[1] * plane])
    still, zero = np.zeros((2, 12, 12, 2), np.float32), np.zeros((2, 12, 12), np.float32)
    return HdrFrame(result * plane, plane, still, zero, zero), codes


def clip_respected(frame, codes):
    own = light_of(codes[1], LONG[1])
    return respect_clip(frame.radiance, codes[1], own, align_neighbors(own, codes, LONG, frame.flows))


@pytest.mark.parametrize("wrong", [0.02, 1 / 8])
def test_a_ghost_or_a_flat_patch_in_a_clipped_highlight_gives_way_to_the_neighbor_that_reaches_it(wrong):
    bright, dark = 0.7, 0.1
    frame, codes = clipped_window(wrong, (bright, dark))
    mended = clip_respected(frame, codes)
    np.testing.assert_allclose(mended, bright**2.2, rtol=0.02)


def test_where_no_neighbor_reaches_the_clip_the_clip_stands():
    frame, codes = clipped_window(0.02, (0.1, 0.1))
    np.testing.assert_allclose(clip_respected(frame, codes), 1 / 8, rtol=1e-4)


def test_a_result_well_above_the_clip_is_left_alone():
    frame, codes = clipped_window(0.5, (0.9, 0.1))
    np.testing.assert_array_equal(clip_respected(frame, codes), frame.radiance)


def test_nothing_changes_where_the_reference_is_not_clipped():
    frame, codes = clipped_window(0.02, (0.7, 0.7))
    codes[1] = 0.9
    np.testing.assert_array_equal(clip_respected(frame, codes), frame.radiance)
