"""ColorVideoVDP: our way of feeding it against its own, on light in cd/m2, and what happens without it."""

import importlib.util
import math
import sys

import cv2
import numpy as np
import pytest
import torch

from f2hdr_backend.evaluate.metrics import color_video_vdp
from f2hdr_backend.shot.errors import DocumentError

CPU = torch.device("cpu")
WIDTH, HEIGHT = 96, 64
needs_program = pytest.mark.skipif(
    importlib.util.find_spec("pycvvdp") is None, reason='cvvdp is not installed (pip install "f2hdr[cvvdp]")'
)


@pytest.fixture(scope="module")
def scene():
    """``(6, H, W, 3)`` a texture that moves, 0-1."""
    texture = cv2.GaussianBlur(np.random.default_rng(0).random((HEIGHT, WIDTH, 3)).astype(np.float32), (0, 0), 2)
    texture = (texture - texture.min()) / np.ptp(texture)
    return np.stack([np.roll(texture, 2 * index, 1) for index in range(6)])


def score(test, truth):
    return color_video_vdp.color_video_vdp(iter(zip(test, truth, strict=True)), len(truth), CPU)


@needs_program
def test_the_score_equals_that_of_the_program_on_absolute_luminance(scene):
    noisy = scene * np.random.default_rng(1).normal(1, 0.05, scene.shape).astype(np.float32)
    found = score(noisy, scene)
    import pycvvdp

    light = pycvvdp.vvdp_display_photometry.load("standard_hdr_linear", [])
    screen = pycvvdp.vvdp_display_geometry((WIDTH, HEIGHT), distance_m=0.55, diagonal_size_inches=28)
    program = pycvvdp.cvvdp(display_photometry=light, display_geometry=screen, quiet=True, device=CPU)
    expected, _ = program.predict(
        torch.from_numpy(1000 * noisy), torch.from_numpy(1000 * scene), dim_order="FHWC", frames_per_second=30
    )
    assert found.value == pytest.approx(float(expected), abs=1e-4)
    assert 0 < found.value < 9.9
    assert (found.metric, found.unit) == ("ColorVideoVDP", "JOD")


@needs_program
def test_flicker_lowers_the_score_more_than_constant_dimming(scene):
    pulse = np.array([1.0, 1.1] * 3, np.float32)[:, None, None, None]
    assert score(scene, scene).value == pytest.approx(10, abs=1e-4)
    assert score(scene * np.float32(0.95), scene).value == pytest.approx(10, abs=0.05)
    assert score(scene * pulse, scene).value < 9


@needs_program
def test_the_score_lists_all_its_parameters(scene):
    found = score(scene, scene)
    settings = dict(found.parameters)
    assert settings["display"] == "standard_hdr_linear"
    assert (settings["peak_cd/m2"], settings["radiance_1_cd/m2"]) == (1500, 1000)
    assert (settings["ambient_lux"], settings["contrast"], settings["frames_per_second"]) == (10, 1e6, 30)
    assert settings["screen"] == "28 in at 0.55 m"
    assert settings["version"].count(".") == 2
    across_m = 28 * 0.0254 / math.hypot(1, HEIGHT / WIDTH)
    per_degree = 1 / math.degrees(2 * math.atan(across_m / WIDTH / 2 / 0.55))
    assert dict(found.facts)["pixels_per_degree"] == pytest.approx(per_degree, rel=1e-6)
    assert dict(found.facts)["size"] == f"{WIDTH}x{HEIGHT}"


def test_without_pycvvdp_the_error_names_the_extra_to_install(monkeypatch):
    color_video_vdp._program.cache_clear()
    monkeypatch.setitem(sys.modules, "pycvvdp", None)
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(DocumentError, match=r"f2hdr\[cvvdp\]") as refused:
        color_video_vdp.parameters()
    assert refused.value.hint == 'Run: pip install "f2hdr[cvvdp]"'
    color_video_vdp._program.cache_clear()
    color_video_vdp._fit_torchvision.cache_clear()
