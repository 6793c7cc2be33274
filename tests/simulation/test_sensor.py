"""A sensor obeys photon statistics, clips at its own exposure and stores nothing between its steps."""

import numpy as np
import pytest

from f2hdr_backend.shot.errors import ShotError
from f2hdr_backend.simulation.sensor import NOISE_LEVELS, SensorModel, capture


def linear_samples(level: float, gain: float, sensor: SensorModel) -> np.ndarray:
    """Capture a flat patch and undo gamma; 16 bits keep quantization out of the statistics."""
    radiance = np.full((256, 256, 3), level, np.float32)
    return capture(radiance, gain, sensor, np.random.default_rng(7)).astype(np.float64) ** 2.2


def test_a_noiseless_sensor_clips_encodes_and_quantizes():
    radiance = np.array([[[0.0, 0.01, 0.1], [0.125, 0.2, 50.0]]], np.float32)
    picture = capture(radiance, 8.0, SensorModel.named("none"), np.random.default_rng(0))
    expected = np.round(np.clip(radiance.astype(np.float64) * 8, 0, 1) ** (1 / 2.2) * 1023) / 1023
    assert picture.dtype == np.float32
    np.testing.assert_allclose(picture, expected, atol=1e-6)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_values_are_multiples_of_the_quantization_step(bits):
    radiance = np.random.default_rng(1).random((40, 50, 3), np.float32)
    picture = capture(radiance, 1.5, SensorModel(8000, 5, bits), np.random.default_rng(2))
    codes = picture.astype(np.float64) * (2**bits - 1)
    assert np.abs(codes - np.round(codes)).max() < 0.01
    assert picture.min() >= 0 and picture.max() <= 1


@pytest.mark.parametrize(("level", "gain"), [(0.5, 1.0), (0.02, 1.0), (0.02, 8.0)])
def test_noise_is_the_sum_of_shot_noise_and_read_noise(level, gain):
    """Against NumPy's own Poisson numbers, at the same count of electrons."""
    full_well, read = 5000.0, 6.0
    seen = linear_samples(level, gain, SensorModel(full_well, read, bits=16))
    rng = np.random.default_rng(3)
    electrons = rng.poisson(level * gain * full_well, 200_000) + rng.normal(0, read, 200_000)
    assert seen.mean() == pytest.approx(electrons.mean() / full_well, rel=0.003)
    assert seen.std() == pytest.approx(electrons.std() / full_well, rel=0.02)


def test_the_long_exposure_of_a_dark_patch_is_cleaner():
    sensor = SensorModel.named("medium")
    short, long = (linear_samples(0.01, gain, sensor) for gain in (1.0, 8.0))
    assert long.std() / long.mean() < short.std() / short.mean() / 2


def test_higher_noise_levels_are_noisier():
    deviations = [linear_samples(0.05, 1.0, NOISE_LEVELS[level]).std() for level in ("none", "low", "medium", "high")]
    assert deviations == sorted(deviations)
    assert deviations[0] < 1e-3 < deviations[-1]


def test_row_noise_moves_whole_rows():
    sensor = SensorModel(1000, 0, bits=16, row_noise_electrons=20)
    rows = linear_samples(0.5, 1.0, sensor)[..., 0].mean(axis=1)
    assert rows.std() == pytest.approx(20 / 1000, rel=0.2)


def test_highlights_far_above_the_clip_are_exactly_one():
    radiance = np.full((8, 8, 3), 1e6, np.float32)
    radiance[0, 0] = np.inf
    assert (capture(radiance, 1.0, SensorModel.named("high"), np.random.default_rng(0)) == 1).all()


def test_the_same_seed_gives_the_same_picture_and_the_radiance_is_unchanged():
    radiance = np.full((16, 16, 3), 0.3, np.float32)
    first, second = (capture(radiance, 2.0, SensorModel.named("low"), np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (radiance == np.float32(0.3)).all()


def test_impossible_sensors_and_unknown_levels_are_refused():
    with pytest.raises(ShotError, match="none, low, medium, high"):
        SensorModel.named("loud")
    for name, value in (("full_well_electrons", 0), ("read_noise_electrons", -1), ("bits", 0)):
        with pytest.raises(ShotError, match=f"{name}={value}[,)]"):
            SensorModel(**{name: value})
