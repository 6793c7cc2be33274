"""Stored frames of a camera decode to the light that it recorded, within the precision of the format."""

import numpy as np
import pytest

from f2hdr_backend.simulation.sensor import SensorModel
from f2hdr_backend.train.camera import CURVES, Camera, random_camera
from f2hdr_backend.train.sampling_ranges import CameraStyle

CLEAN = SensorModel(bits=16, curve="linear")
RAMP = np.linspace(0, 1.2, 64, dtype=np.float32)[:, None, None] * np.ones((64, 8, 3), np.float32)
NO_BLACK, NO_CLIP = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def record(camera, radiance=RAMP, exposure=1.0):
    return camera.record(radiance, exposure, np.random.default_rng(1))


@pytest.mark.parametrize("curve", CURVES)
def test_response_curves_are_invertible_and_keep_black_and_clip(curve):
    encode, decode = CURVES[curve]
    light = np.linspace(0, 1, 101)
    np.testing.assert_allclose(decode(encode(light)), light, atol=1e-7)
    np.testing.assert_allclose(encode(np.array((0.0, 1.0))), (0, 1), atol=1e-9)


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("bits", [10, 12, 16])
def test_codes_decode_to_the_clipped_radiance_for_every_curve(curve, bits):
    codes = record(Camera(CLEAN, curve, bits, NO_BLACK, NO_CLIP, None), exposure=4.0)
    np.testing.assert_allclose(codes**2.2, np.clip(4 * RAMP, 0, 1), atol=3.0 / 2**bits + 1e-4)


def test_eight_bits_are_256_codes():
    radiance = np.random.default_rng(2).random((64, 64, 3)).astype(np.float32)
    codes = record(Camera(CLEAN, "gamma22", 8, NO_BLACK, NO_CLIP, None), radiance)
    np.testing.assert_allclose(codes * 255, np.rint(codes * 255), atol=1e-3)


def test_black_level_and_clip_level_are_per_channel():
    camera = Camera(CLEAN, "gamma22", 16, (0.01, 0.0, 0.02), (1.0, 0.95, 0.9), None)
    light = record(camera) ** 2.2
    np.testing.assert_allclose(light[0, 0], (0.01, 0, 0.02), atol=1e-4)
    np.testing.assert_allclose(light[-1, 0], (1, 0.95, 0.9), atol=1e-3)


def test_demosaiced_noise_is_alike_in_neighboring_pixels_and_has_no_mean():
    gray = np.full((128, 128, 3), 0.5, np.float32)
    noisy = SensorModel(full_well_electrons=500.0, read_noise_electrons=5.0, bits=16, curve="linear")
    correlation = {}
    for grain_px in (0.0, 0.8):
        camera = Camera(noisy, "gamma22", 16, NO_BLACK, NO_CLIP, None, grain_px=grain_px)
        noise = record(camera, gray) ** 2.2 - 0.5
        assert abs(noise.mean()) < 0.002
        correlation[grain_px] = np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]
    assert abs(correlation[0.0]) < 0.05
    assert correlation[0.8] == pytest.approx(np.exp(-1 / (4 * 0.8**2)), abs=0.1)


def test_compression_changes_codes_little():
    y, x = np.mgrid[:64, :64]
    radiance = (0.3 + 0.2 * np.sin(x / 7) * np.cos(y / 9)).astype(np.float32)[..., None] * np.ones(3, np.float32)
    plain, packed = (record(Camera(CLEAN, "gamma22", 8, NO_BLACK, NO_CLIP, q), radiance) for q in (None, 90))
    assert not np.array_equal(plain, packed)
    assert np.abs(plain - packed).mean() < 0.01


def test_random_cameras_are_within_the_ranges():
    style = CameraStyle(full_well=(1000, 2000), bits=(8,), curves=("log",), uneven_clip=1.0, compressed=1.0)
    for seed in range(5):
        camera = random_camera(style, np.random.default_rng(seed))
        assert 1000 <= camera.sensor.full_well_electrons <= 2000
        assert camera.bits == 8 and camera.curve == "log" and 85 <= camera.quality <= 98
        assert all(0.92 <= level <= 1 for level in camera.clip)
    assert random_camera(CameraStyle(bits=(16,), compressed=1.0), np.random.default_rng(1)).quality is None
