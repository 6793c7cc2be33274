"""Neighbors warped to the reference, and matched to its level where exposures were misreported."""

import numpy as np
import pytest

from f2hdr_backend.image.arrays import radiance_of
from f2hdr_backend.trust.aligned import UNSURE, align_neighbors

SIZE = (96, 128)
STILL = np.zeros((2, *SIZE, 2), np.float32)
SHORT, LONG = (4.0, 1.0, 4.0), (1.0, 4.0, 1.0)


def scene():
    """Light that both exposures of two stops see well, with texture."""
    return np.random.default_rng(3).uniform(0.03, 0.2, (*SIZE, 3)).astype(np.float32)


def recorded(light, exposures, levels=(1.0, 1.0, 1.0), noise=0.0):
    """Codes of a camera whose frames receive ``levels`` times the light of their exposures."""
    random = np.random.default_rng(4)
    seen = [light * gain * level for gain, level in zip(exposures, levels, strict=True)]
    return [
        np.clip(frame + random.normal(0, noise, light.shape), 0, 1).astype(np.float32) ** np.float32(1 / 2.2)
        for frame in seen
    ]


def aligned(codes, exposures, flows=STILL):
    return align_neighbors(radiance_of(codes[1], exposures[1]), codes, exposures, flows)


@pytest.mark.parametrize("exposures", [SHORT, LONG])
def test_frames_with_the_given_exposure_are_unchanged(exposures):
    light = scene()
    for neighbor in aligned(recorded(light, exposures, noise=0.01), exposures):
        assert neighbor.matched == 1
        assert abs(np.median(neighbor.light / light) - 1) < 0.01


@pytest.mark.parametrize("exposures", [SHORT, LONG])
@pytest.mark.parametrize(("before", "after"), [(1.1, 1.1), (0.8, 1.0), (1.0, 1.15)])
def test_a_misreported_exposure_is_corrected_within_its_uncertainty(exposures, before, after):
    light = scene()
    neighbors = aligned(recorded(light, exposures, (before, 1, after), noise=0.004), exposures)
    for neighbor, level in zip(neighbors, (before, after), strict=True):
        left = abs(np.log(neighbor.matched * level))
        assert left < UNSURE + 0.005 and (level == 1 or left > UNSURE - 0.005)
        np.testing.assert_allclose(np.median(neighbor.light / light), neighbor.matched * level, rtol=0.01)


def test_moving_clipped_and_dark_pixels_are_not_used_for_the_level():
    """Two thirds of the picture would pull the level up or down if they were compared."""
    light = scene()
    third = SIZE[1] // 3
    other = light.copy()
    light[:, :third], other[:, :third] = 0.0005, 0.0006
    light[:, third : 2 * third], other[:, third : 2 * third] = 0.1, 0.2
    codes = recorded(light, SHORT)
    codes[0] = codes[2] = recorded(other, SHORT)[0]
    assert [neighbor.matched for neighbor in aligned(codes, SHORT)] == [1, 1]


def test_the_level_of_a_very_small_picture_is_not_measured():
    codes = [code[:8, :8] for code in recorded(scene(), SHORT, (1.2, 1, 1.2))]
    assert [neighbor.matched for neighbor in aligned(codes, SHORT, STILL[:, :8, :8])] == [1, 1]


def test_a_shifted_frame_is_aligned_and_pixels_outside_have_zero_weight():
    light = scene()
    codes = recorded(np.roll(light, 5, axis=1), LONG)
    codes[1] = recorded(light, LONG)[1]
    flows = STILL + np.float32([5, 0])
    for neighbor in aligned(codes, LONG, flows):
        np.testing.assert_allclose(neighbor.light[:, :-5], light[:, :-5], rtol=1e-3)
        assert not neighbor.light[:, -5:].any()
