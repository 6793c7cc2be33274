"""OpenCV's merge: its radiance is on the scale of the others, and a shifted neighbor is aligned."""

import cv2
import numpy as np

from f2hdr_backend.evaluate.suite.baselines import opencv_merge


def codes_of(light, exposures):
    return np.stack([np.clip(each * gain, 0, 1) ** (1 / 2.2) for each, gain in zip(light, exposures, strict=True)])


def scene():
    random = np.random.default_rng(2)
    return cv2.resize(random.uniform(0.02, 0.2, (24, 32, 3)).astype(np.float32), (256, 192)).clip(0.02)


def test_a_static_scene_is_merged_to_its_radiance():
    light = scene()
    merged = opencv_merge(codes_of([light] * 3, (1, 4, 1)).astype(np.float32), (1.0, 4.0, 1.0))
    assert merged.shape == light.shape and merged.dtype == np.float32
    assert np.abs(merged / light - 1).mean() < 0.06


def test_shifted_neighbors_are_moved_onto_the_reference():
    light = scene()
    shifted = [np.roll(light, 6, axis=1), light, np.roll(light, -6, axis=1)]
    merged = opencv_merge(codes_of(shifted, (4, 1, 4)).astype(np.float32), (4.0, 1.0, 4.0))
    inner = np.s_[20:-20, 20:-20]
    assert np.abs(merged[inner] / light[inner] - 1).mean() < 0.05
