"""An object that moves too fast for the flow leaves no ghost and stays whole, with the merge and with a network."""

import cv2
import numpy as np
import pytest

from f2hdr_backend.engine.method.apply_trust import use_reference
from f2hdr_backend.engine.method.choose import open_method
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.trust.aligned import AlignedNeighbor
from f2hdr_backend.trust.deghost import keep_surface

SIZE = (640, 192)
STEP_PX = 150
SHORT, LONG = (4.0, 1.0, 4.0), (1.0, 4.0, 1.0)
BLOCK_PX = 16


def scene(time):
    """Radiance at a frame: a dim wall, and a darker arm with a bat that moves STEP_PX a frame in front of it."""
    random = np.random.default_rng(11)
    wall = cv2.resize(random.uniform(0.01, 0.03, (48, 160, 3)).astype(np.float32), SIZE, interpolation=cv2.INTER_CUBIC)
    cover = np.zeros(SIZE[::-1], np.float32)
    x = 320 + STEP_PX * time
    cv2.circle(cover, (x, 70), 30, 1, -1, cv2.LINE_AA)
    cv2.rectangle(cover, (x - 12, 70), (x + 12, 192), 1, -1)
    fabric = cv2.resize(random.uniform(0.002, 0.005, (48, 160, 3)).astype(np.float32), SIZE)
    moved = np.roll(fabric, STEP_PX * time, axis=1) * np.float32([1.5, 0.6, 0.5])
    return wall + cover[..., None] * (moved - wall)


def window(exposures):
    """Codes of an alternating camera, and the truth of the middle frame clipped at the short exposure."""
    random = np.random.default_rng(12)
    light = [scene(time) for time in (-1, 0, 1)]
    signal = [each * gain for each, gain in zip(light, exposures, strict=True)]
    noisy = [each + random.normal(0, 1, each.shape) * np.sqrt(each / 8000 + 1e-6) for each in signal]
    codes = np.stack([np.clip(each, 0, 1) ** (1 / 2.2) for each in noisy]).astype(np.float32)
    return codes, np.clip(light[1], 0, 1)


def worst_block(result, truth):
    """The largest relative error of the means of blocks."""
    small = (SIZE[0] // BLOCK_PX, SIZE[1] // BLOCK_PX)
    means = [cv2.resize(np.float32(each), small, interpolation=cv2.INTER_AREA) for each in (result, truth)]
    return float((np.abs(means[0] - means[1]).max(-1) / means[1].max(-1)).max())


@pytest.mark.parametrize("exposures", [SHORT, LONG], ids=["short", "long"])
@pytest.mark.parametrize("engine", [Engine(method="merge"), Engine(precision="fp32")], ids=["merge", "network"])
def test_an_object_that_moves_150_px_a_frame_is_the_reference_radiance(engine, exposures):
    codes, truth = window(exposures)
    frame = open_method(engine)(codes, exposures, occlusions=False)
    result = use_reference(frame, list(codes), exposures, "soft").radiance
    assert worst_block(result, truth) < 0.15


def keep(radiance, own, neighbors, exposure=1.0):
    frames = [AlignedNeighbor(np.float32(light), gain, 1.0) for light, gain in neighbors]
    codes = np.clip(own * exposure, 0, 1) ** np.float32(1 / 2.2)
    return keep_surface(np.float32(radiance), np.float32(codes), np.float32(own), exposure, frames)


PLANE = np.ones((48, 64, 3), np.float32)


def test_a_ghost_is_replaced_by_the_reference_and_the_neighbor_that_shows_its_surface():
    own, other = PLANE * 0.05, PLANE * 0.1
    result = own.copy()
    result[16:32, 16:40] = 0.08
    np.testing.assert_allclose(keep(result, own, [(other, 4.0), (own * 1.02, 4.0)]), own, rtol=0.025)
    np.testing.assert_allclose(keep(result, own, [(other, 4.0), (other, 4.0)]), own, rtol=1e-3)


def test_a_noisy_reference_does_not_replace_a_clean_result():
    random = np.random.default_rng(1)
    own = np.maximum(PLANE * 0.002 + random.normal(0, 0.002, PLANE.shape), 0)
    result = PLANE * np.float32(0.002)
    np.testing.assert_array_equal(keep(result, own, [(result, 16.0)] * 2), result)


def test_a_small_misalignment_of_texture_is_not_a_different_surface():
    random = np.random.default_rng(2)
    own = cv2.resize(random.uniform(0.05, 0.3, (24, 32, 3)).astype(np.float32), (64, 48), interpolation=cv2.INTER_CUBIC)
    result = own + 0.2 * (np.roll(own, 1, axis=1) - own)
    assert np.abs(keep(result, own, [(result, 4.0)] * 2) - result).max() < 0.02


def test_a_clipped_reference_is_not_compared():
    own = PLANE * 0.25
    result = own * np.float32(3)
    np.testing.assert_array_equal(keep(result, own, [(result, 1.0)] * 2, exposure=4.0), result)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 7), (33, 18)])
def test_pictures_of_any_size_are_accepted(size):
    own = np.full((*size, 3), 0.05, np.float32)
    kept = keep(own * np.float32(3), own, [(own * 3, 4.0)] * 2)
    np.testing.assert_allclose(kept, own, rtol=1e-3)
