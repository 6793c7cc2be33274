"""Known camera curves are recovered from plates with motion and noise; gamma 2.2 is recognized; bad plates fail."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from f2hdr_backend.response.fit import LARGEST_RESIDUAL, match, recover, spread
from f2hdr_backend.response.plate import LARGEST_SPREAD
from tests.engine.alternating import Scene


def srgb(light):
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def filmic(light):
    def shoulder(x):
        return x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)

    return (shoulder(1.6 * light) / shoulder(1.6)) ** (1 / 2.2)


def soft_shoulder(light):
    return ((1 - np.exp(-3 * light)) / (1 - np.exp(-3))) ** (1 / 2.2)


def polynomial(light):
    root = light ** (1 / 2.2)
    return 0.4 * root + 1.5 * root**2 - 0.9 * root**3


def log(light):
    return np.log2(1 + 200 * light) / np.log2(201)


def camera_log(light):
    """A log curve with a lifted black and a linear foot, brought to 0-1."""
    scaled = 8 * light
    above = 0.24719 * np.log10(5.555556 * scaled + 0.052272) + 0.385537
    codes = np.where(scaled > 0.010591, above, 5.367655 * scaled + 0.092809)
    return codes / (0.24719 * np.log10(5.555556 * 8 + 0.052272) + 0.385537)


CURVES = {
    "sRGB": srgb,
    "filmic": filmic,
    "soft shoulder": soft_shoulder,
    "polynomial": polynomial,
    "log": log,
    "camera log": camera_log,
}


def gamma22(light):
    return light ** (1 / 2.2)


def pairs_of(curve, stops, *, noise=0.002, flicker=0.0, bits=8):
    """Seven pairs of a panned scene with a moving object, as a camera of that curve codes them."""
    scene, rng = Scene(5, pan=(2.5, -1), object_speed=5), np.random.default_rng(1)
    frames = []
    for index in range(8):
        gain = 2.0 ** (stops * (index % 2) - stops / 2 + rng.normal(0, flicker))
        light = scene.radiance(index) * np.float32(gain)
        light = light + np.sqrt(noise**2 + noise * 0.3 * np.minimum(light, 2)) * rng.standard_normal(light.shape)
        codes = np.rint(np.clip(curve(np.clip(light, 0, 1)), 0, 1) * (2**bits - 1)) / (2**bits - 1)
        frames.append(cv2.blur(codes, (3, 3)).reshape(-1, 3))
    ordered = [(frames[i], frames[i + 1]) if i % 2 == 0 else (frames[i + 1], frames[i]) for i in range(7)]
    return [(dark, bright, float(stops)) for dark, bright in ordered]


@pytest.mark.parametrize("stops", [1, 2, 3, 4])
@pytest.mark.parametrize("name", CURVES)
def test_a_known_curve_is_recovered_where_both_exposures_have_codes(name, stops):
    matches = match(pairs_of(CURVES[name], stops))
    found = recover(matches)
    assert found.reason == ""
    light = np.linspace(0.001, 1, 2000)
    codes = CURVES[name](light)
    seen = (codes > np.quantile(matches.dark, 0.02)) & (codes < np.quantile(matches.bright, 0.98))
    for channel in range(3):
        ours = found.curve.light(codes[seen], np.full(seen.sum(), channel))
        scale = np.exp(np.mean(np.log(light[seen] / ours)))  # a response is known up to one factor
        assert np.sqrt(np.mean((scale * ours - light[seen]) ** 2)) < 0.02
    assert spread(matches, found.curve) < 0.06


@pytest.mark.parametrize("stops", [1, 2, 3, 4])
def test_gamma_22_is_recognized(stops):
    assert spread(match(pairs_of(gamma22, stops))) < LARGEST_SPREAD


@pytest.mark.parametrize("name", ["sRGB", "filmic", "soft shoulder", "log", "camera log"])
def test_curves_other_than_gamma_22_are_recognized(name):
    assert spread(match(pairs_of(CURVES[name], 2))) > LARGEST_SPREAD


def test_no_curve_is_given_where_the_exposures_contradict_each_other():
    found = recover(match(pairs_of(filmic, 2, flicker=0.4)))
    assert found.residual > LARGEST_RESIDUAL and found.reason


def test_no_curve_is_given_if_few_pixels_are_exposed_in_both():
    rng = np.random.default_rng(3)
    dark = rng.uniform(0.1, 0.15, (4000, 3))
    found = recover(match([(dark, dark * 1.4, 1.0)] * 3))
    assert "%" in found.reason
