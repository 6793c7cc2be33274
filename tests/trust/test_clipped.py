"""Where the reference is clipped, no result is darker; highlights come from neighbors that reach the clip."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f2hdr_backend.engine.method.apply_trust import use_reference
from f2hdr_backend.engine.method.frame import HdrFrame
from f2hdr_backend.image.arrays import radiance_of
from f2hdr_backend.trust.aligned import AlignedNeighbor, align_neighbors
from f2hdr_backend.trust.clipped import respect_clip

LONG, SHORT = (1.0, 8.0, 1.0), (8.0, 1.0, 8.0)
PLANE = np.ones((12, 12, 3), np.float32)
NOTHING = np.empty(0, np.float32)


def clipped_window(result, neighbors):
    """A 12 x 12 window with a clipped long reference; the method's result and the neighbors' codes are flat."""
    return result * PLANE, np.stack([neighbors[0] * PLANE, PLANE, neighbors[1] * PLANE])


def clip_respected(radiance, codes):
    own = radiance_of(codes[1], LONG[1])
    still = np.zeros((2, 12, 12, 2), np.float32)
    return respect_clip(radiance, codes[1], own, align_neighbors(own, codes, LONG, still))


@pytest.mark.parametrize("wrong", [0.02, 1 / 8])
def test_a_ghost_in_a_clipped_highlight_is_replaced_by_an_unclipped_neighbor(wrong):
    bright, dark = 0.7, 0.1
    corrected = clip_respected(*clipped_window(np.float32(wrong), (bright, dark)))
    np.testing.assert_allclose(corrected, bright**2.2, rtol=0.02)


def test_without_an_unclipped_neighbor_the_clip_level_remains():
    np.testing.assert_allclose(clip_respected(*clipped_window(np.float32(0.02), (0.1, 0.1))), 1 / 8, rtol=1e-4)


def test_a_result_well_above_the_clip_is_unchanged():
    radiance, codes = clipped_window(np.float32(0.5), (0.9, 0.1))
    np.testing.assert_array_equal(clip_respected(radiance, codes), radiance)


def test_nothing_changes_where_the_reference_is_not_clipped():
    radiance, codes = clipped_window(np.float32(0.02), (0.7, 0.7))
    codes[1] = 0.9
    np.testing.assert_array_equal(clip_respected(radiance, codes), radiance)


def test_a_clipped_dot_in_the_dark_is_not_filled_from_its_dark_surroundings():
    codes = np.full((32, 32, 3), 0.1, np.float32)
    codes[16, 16] = 1
    dark = np.full((32, 32, 3), 0.006, np.float32)
    result = respect_clip(dark, codes, codes**2.2, [AlignedNeighbor(dark, 4.0, 1.0)] * 2)
    np.testing.assert_allclose(result[16, 16], 1, rtol=0.02)
    unclipped = np.ones((32, 32), bool)
    unclipped[16, 16] = False
    np.testing.assert_array_equal(result[unclipped], dark[unclipped])


def test_a_clipped_dot_is_filled_from_nearby_clipped_pixels_with_an_unclipped_neighbor():
    codes = np.full((16, 16, 3), 0.1, np.float32)
    codes[8, 4:12] = 1
    light = np.full((16, 16, 3), 0.001, np.float32)
    light[8, 4:8] = 0.5
    result = respect_clip(light, codes, radiance_of(codes, 8.0), [AlignedNeighbor(light, 1.0, 1.0)] * 2)
    assert (result[8, 8:11] > 0.4).all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), exposures=st.sampled_from([LONG, SHORT]), share=st.floats(0.01, 0.9))
def test_property_no_clipped_channel_is_below_nine_tenths_of_its_clip(seed, exposures, share):
    """For any method, neighbors and flows: dots, channels and areas that clip alone or together."""
    random = np.random.default_rng(seed)
    size = (int(random.integers(1, 40)), int(random.integers(1, 40)))
    codes = random.uniform(0, 0.98, (3, *size, 3)).astype(np.float32) ** 3
    where = random.random((*size, int(random.choice((1, 3))))) < share
    codes[1] = np.where(where, random.choice((np.float32(0.985), np.float32(1))), codes[1])
    radiance = random.uniform(0, 1, (*size, 3)).astype(np.float32) ** 4
    flows = random.normal(0, 5, (2, *size, 2)).astype(np.float32)
    result = use_reference(HdrFrame(radiance, flows=flows), list(codes), exposures, "soft").radiance
    clipped = codes[1] >= 0.985
    own = codes[1] ** 2.2 / exposures[1]
    assert np.isfinite(result).all()
    assert (result[clipped] >= 0.9 * own[clipped] * (1 - 1e-5)).all()
