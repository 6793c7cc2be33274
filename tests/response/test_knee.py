"""The level up to which both exposures agree becomes the clip level; a plate that only clips keeps its own."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from f2hdr_backend.engine.settle import prepare
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.response.knee import find_knee
from f2hdr_backend.shot.document import Color, Shot
from f2hdr_backend.shot.events import ColorSettled
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.simulation.sensor import NOISE_LEVELS

PIXELS = (120, 180)


def scene(seed):
    light = np.exp(np.random.default_rng(seed).normal(-3, 1.6, (*PIXELS, 1))) * np.array([1, 0.9, 0.7])
    return light.astype(np.float32)


def bent(light, knee):
    """Straight up to ``knee``, then bending smoothly, clipped at 1."""
    above = np.maximum(light - knee, 0)
    bend = knee + (1 - knee) * (1 - np.exp(-above / max(1 - knee, 1e-6)))
    return np.minimum(np.where(light < knee, light, bend), 1).astype(np.float32)


def exposed(seed, gain, knee, noise, number):
    sensor = NOISE_LEVELS[noise]
    rng = np.random.default_rng((seed, number))
    light = scene(seed) * np.float32(0.3 * gain)
    deviation = np.sqrt(light / sensor.full_well_electrons + (sensor.read_noise_electrons / 30000) ** 2)
    noisy = np.maximum(light + (deviation * rng.standard_normal(light.shape) if noise != "none" else 0), 0)
    return np.rint(bent(noisy, knee) * 4095) / 4095


def pairs(knee, stops, noise):
    return [
        (exposed(n, 1, knee, noise, 0).reshape(-1, 3), exposed(n, 2**stops, knee, noise, 1).reshape(-1, 3), stops)
        for n in range(3)
    ]


@pytest.mark.parametrize("noise", ["none", "medium"])
@pytest.mark.parametrize("stops", [1, 2, 4])
def test_the_knee_is_where_the_exposures_differ_by_two_percent(stops, noise):
    found = find_knee(pairs(0.7, stops, noise), (1.0,))
    assert found is not None
    # (1 - 0.7) * (1 - exp(-x)) is 2 % below 0.7 + 0.3 x at a measured level of 0.79.
    assert all(level == pytest.approx(0.79, abs=0.035) for level in found.level)
    assert found.off > 0.2


@pytest.mark.parametrize("noise", ["none", "medium", "high"])
@pytest.mark.parametrize("stops", [1, 3])
def test_a_plate_that_only_clips_has_no_knee(stops, noise):
    assert find_knee(pairs(1.0, stops, noise), (1.0,)) is None


@pytest.mark.parametrize("gain", [0.9, 0.935, 0.97])
@pytest.mark.parametrize("graded", ["all", "one"])
def test_a_clip_that_a_grade_lowered_is_no_knee(gain, graded):
    """A grade darkens bright frames, and so their clip: nothing bends below it."""
    made = pairs(1.0, 3, "none")
    lowered = [(dark, bright * gain, stops) for dark, bright, stops in made]
    assert find_knee(lowered if graded == "all" else [*made[:2], lowered[2]], (1.0,)) is None


def write_plate(folder, knee, clip=1.0):
    for number in range(1, 7):
        light = exposed(number // 2, 4.0 if number % 2 == 0 else 1.0, knee, "none", number)
        write_exr(folder / f"p.{number}.exr", {"RGB": (light * clip).astype(np.float32)}, {}, pixel_type="float")
    return Shot(plate=str(folder / "p.#.exr"), exposures=ExposurePattern((0.0, 2.0), 1))


def test_the_knee_is_the_clip_level_of_a_linear_plate_and_is_reported(tmp_path):
    shot, events = prepare(write_plate(tmp_path, 0.7, clip=2.0))
    assert shot.color.clip_level is not None
    assert all(level == pytest.approx(1.58, abs=0.07) for level in shot.color.clip_level)
    reported = next(event for event in events if isinstance(event, ColorSettled))
    assert reported.clip_level == shot.color.clip_level and "%" in reported.clip_source
    again, _ = prepare(shot)
    assert again.color == shot.color


@pytest.mark.parametrize("blur", [3, 6, 12])
def test_a_large_plate_that_only_clips_has_no_knee_although_means_mix_clipped_pixels(tmp_path, blur):
    random = np.random.default_rng(1)
    shapes = cv2.GaussianBlur(random.normal(size=(600, 400)), (0, 0), blur)
    light = np.exp(1.2 * shapes / shapes.std() + 0.4 * random.normal(size=shapes.shape)) * 0.05
    for number in (1, 2, 3, 4):
        recorded = np.minimum(light[..., None] * (8 if number % 2 == 0 else 1) * np.array([1, 0.9, 0.7]), 1)
        write_exr(tmp_path / f"p.{number}.exr", {"RGB": recorded.astype(np.float32)}, {}, pixel_type="float")
    shot, _ = prepare(Shot(plate=str(tmp_path / "p.#.exr"), exposures=ExposurePattern((0.0, 3.0), 1)))
    assert shot.color.clip_level == (1.0,)


def test_a_given_clip_level_and_that_of_a_plate_without_a_knee_are_kept(tmp_path):
    shot, _ = prepare(write_plate(tmp_path, 1.0))
    assert shot.color.clip_level == (1.0,)
    bending = write_plate(tmp_path, 0.7)
    shot, _ = prepare(Shot(plate=bending.plate, exposures=bending.exposures, color=Color(clip_level=(1.0,))))
    assert shot.color.clip_level == (1.0,)


def test_a_knee_in_one_channel_is_not_used_and_of_two_the_lower_one_counts_for_all():
    """With a clip level of its own in one channel, clipped white would get a color."""
    low, high, none = (pairs(knee, 3, "none") for knee in (0.6, 0.75, 1.0))

    def channels(*from_each):
        return [
            (
                *(np.stack([part[frame][:, n] for n, part in enumerate(parts)], axis=1) for frame in (0, 1)),
                parts[0][2],
            )
            for parts in zip(*from_each, strict=True)
        ]

    assert find_knee(channels(none, low, none), (1.0,)) is None
    found = find_knee(channels(none, low, high), (1.0,))
    assert found is not None and found.level == find_knee(channels(low, low, none), (1.0,)).level
