"""A plate with a tone curve is recognized, and decoded by its recovered curve if the exposures are known."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc

import cv2
import numpy as np
import pytest

from f2hdr_backend.color.curve import read_curve
from f2hdr_backend.color.plate import open_color
from f2hdr_backend.engine.settle import complete_exposures, detect_light, prepare
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.image.write import write_exr, write_image
from f2hdr_backend.response.plate import SAMPLED_ROWS, sampled
from f2hdr_backend.shot.document import Color, Shot
from f2hdr_backend.shot.errors import ColorError
from tests.engine.alternating import Scene
from tests.response.test_fit import filmic, gamma22

STOPS = 2.0
COMMAND = "from f2hdr_backend.cli.main import main; main()"


def run(*words):
    command = [sys.executable, "-c", COMMAND, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def plate(folder, curve, suffix="png"):
    """Eight frames, short first, 2 stops, 8 bits; returns the pattern and the light of each frame (1 = clip)."""
    scene, lights = Scene(5, pan=(2.5, -1)), {}
    for number in range(1, 9):
        gain = 2.0 ** (STOPS * (number % 2 == 0) - 1)
        lights[number] = np.clip(cv2.GaussianBlur(scene.radiance(number), (0, 0), 1.5) * np.float32(gain), 0, 1)
        codes = np.rint(np.clip(curve(lights[number]), 0, 1) * 255) / 255
        write_image(folder / f"p.{number:04d}.{suffix}", codes.astype(np.float32), 8)
    return str(folder / f"p.####.{suffix}"), lights


def given(pattern, **color):
    return complete_exposures(Shot(plate=pattern, color=Color(**color)), (0.0, STOPS), "short")[0]


def codes_of(events):
    return [getattr(event, "code", "") for event in events]


def test_a_tone_curve_is_recovered_and_the_plate_is_converted_to_linear(tmp_path):
    pattern, lights = plate(tmp_path, filmic)
    shot, events = prepare(given(pattern))
    assert shot.color.input_space == "response" and "response_recovered" in codes_of(events)
    opened = open_plate(pattern)
    light = open_color(shot.color, opened).in_light(opened).read(2).pixels
    inside = (lights[2] > 0.02) & (lights[2] < 0.8)
    ratio = light[inside] / lights[2][inside]
    assert np.abs(ratio / np.median(ratio) - 1).mean() < 0.04
    again, events = prepare(shot)
    assert again.color == shot.color and "response_recovered" not in codes_of(events)


def test_a_gamma_22_plate_has_no_response_curve(tmp_path):
    pattern, _ = plate(tmp_path, gamma22)
    shot, events = prepare(given(pattern))
    assert shot.color.input_space == "gamma22" and not {"tone_curve", "response_recovered"} & set(codes_of(events))


@pytest.mark.parametrize("curve", [filmic, gamma22])
def test_a_sample_is_the_same_pixel_in_both_exposures_whatever_the_curve_and_the_clip(curve):
    light = np.exp(np.random.default_rng(2).normal(-2, 1.5, (2 * SAMPLED_ROWS, 40, 3))).astype(np.float32)
    dark, bright = (curve(np.minimum(light * gain, 1)).astype(np.float32) for gain in (1 / 8, 1))
    dark_samples, bright_samples = sampled(dark), sampled(bright)
    assert len(dark_samples) == SAMPLED_ROWS * 20
    codes = np.unique(np.stack([dark, bright], axis=-1).reshape(-1, 2), axis=0)
    np.testing.assert_allclose(bright_samples, np.interp(dark_samples, codes[:, 0], codes[:, 1]), atol=1e-3)


def test_a_linear_plate_has_no_response_curve(tmp_path):
    _, lights = plate(tmp_path, gamma22)
    for number, light in lights.items():
        write_exr(tmp_path / f"l.{number:04d}.exr", {"RGB": light}, {})
    shot, _ = prepare(given(str(tmp_path / "l.####.exr")))
    assert shot.color.input_space == "linear"


@pytest.mark.parametrize("choice", [{"response": "off"}, {"input_space": "gamma22"}])
def test_the_input_space_and_response_given_by_the_user_are_used(tmp_path, choice):
    pattern, _ = plate(tmp_path, filmic)
    shot, events = prepare(given(pattern, **choice))
    assert shot.color.input_space == "gamma22" and not {"tone_curve", "response_recovered"} & set(codes_of(events))


def test_exposures_measured_on_a_plate_with_a_tone_curve_are_marked_as_doubtful(tmp_path):
    pattern, _ = plate(tmp_path, filmic)
    found = detect_light(Color(), open_plate(pattern))
    assert found.confidence < 0.6
    assert any("tone curve" in note and "--exposures" in note for note in found.notes)
    _, events = prepare(Shot(plate=pattern))
    assert any("tone curve" in getattr(event, "message", "") for event in events)


@pytest.mark.parametrize("name", ["camera.json", "camera.cube"])
def test_a_response_file_is_written_and_used(tmp_path, name):
    pattern, _ = plate(tmp_path, filmic)
    file, picture = tmp_path / name, tmp_path / "curve.png"
    ran = run("response", pattern, "-o", file, "--exposures", f"0,{STOPS:g}", "--plot", picture)
    assert ran.returncode == 0, ran.stderr
    assert cv2.imread(str(picture)).shape == (600, 600, 3)
    codes = np.linspace(0.2, 0.9, 50)
    light = np.linspace(0, 1, 4000)
    truth = np.interp(codes, filmic(light), light)
    ours = read_curve(str(file)).light(codes, np.ones(50, int))
    assert np.abs(ours / truth / np.median(ours / truth) - 1).mean() < 0.04
    shot, _ = prepare(Shot(plate=pattern, color=Color(response=str(file))))
    assert shot.color.input_space == "response"
    assert shot.exposures is not None and shot.exposures.ratio_stops == pytest.approx(STOPS, abs=0.1)
    assert str(file) not in json.dumps(shot.to_json())


def test_a_response_needs_known_exposures(tmp_path):
    pattern, _ = plate(tmp_path, filmic)
    ran = run("response", pattern, "-o", tmp_path / "c.json")
    assert ran.returncode == 2 and "--exposures" in ran.stderr


@pytest.mark.parametrize("text", ["", "{}", '{"light": [[0, 0, 0], [1, 1, 1]]}', "LUT_1D_SIZE 2\n0 0 0\n"])
def test_a_broken_response_file_is_named(tmp_path, text):
    for suffix in ("json", "cube"):
        (tmp_path / f"c.{suffix}").write_text(text)
        with pytest.raises(ColorError, match=f"c.{suffix}"):
            read_curve(str(tmp_path / f"c.{suffix}"))


@pytest.mark.parametrize("shape", [(3, 5), (270, 33), (540, 31), (811, 7), (1081, 100), (2162, 2)])
def test_samples_are_medians_of_3_by_3_pixels_of_the_frame(shape):
    pixels = np.random.default_rng(5).random((*shape, 3)).astype(np.float32)
    every = max(1, shape[0] // SAMPLED_ROWS)
    padded = np.pad(pixels, ((1, 1), (1, 1), (0, 0)), mode="edge")
    around = [padded[y : y + shape[0], x : x + shape[1]] for y in range(3) for x in range(3)]
    expected = (np.median(around, axis=0) if every > 1 else pixels)[::every, ::every].reshape(-1, 3)
    np.testing.assert_array_equal(sampled(pixels), expected)


def test_samples_of_a_large_frame_need_no_second_frame_in_memory():
    pixels = np.zeros((4320, 1000, 3), np.float32)
    tracemalloc.start()
    try:
        sampled(pixels)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < pixels.nbytes / 2
