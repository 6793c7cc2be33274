"""OCIO's shader on OpenGL against OCIO's exact transform on the CPU; an emulated OpenGL counts here."""

import numpy as np
import pytest

from f2hdr_backend.color.config import load_config
from f2hdr_backend.pictures import gpu
from f2hdr_backend.pictures.display_transform import Display, DisplayPath, Look
from f2hdr_backend.shot.errors import DeviceError


def reason_without_opengl():
    """Why OpenGL cannot be used on this machine; empty where it can."""
    try:
        gpu.Gpu()
    except DeviceError as error:
        return f"needs OpenGL 3.3: {error.message}"
    return ""


WITHOUT = reason_without_opengl()
needs_opengl = pytest.mark.skipif(bool(WITHOUT), reason=WITHOUT)


@pytest.fixture(scope="module")
def opened():
    return gpu.Gpu()


@pytest.fixture
def display(opened):
    path = DisplayPath(opened, "GPU")
    yield Display(load_config("f2hdr"), "linear", path)
    assert path.gpu is opened, path.words


def colors(seed=2, height=31, width=45):
    """Saturated and neutral colors over 14 stops; odd sizes, so that rows have no natural alignment."""
    rng = np.random.default_rng(seed)
    gray = 2.0 ** rng.uniform(-9, 5, (height, width, 1))
    return (gray * (1 + rng.normal(0, 0.35, (height, width, 3)).clip(-0.9, 0.9))).astype(np.float32)


def exact(pixels, view):
    return np.clip(load_config("f2hdr").display("linear", "sRGB", view).apply(pixels), 0, 1) * 255


@needs_opengl
@pytest.mark.parametrize("view", ["ACES 1.0 - SDR Video", "Un-tone-mapped"])
def test_a_view_on_the_gpu_equals_the_exact_transform(display, view):
    pixels = colors()
    before = pixels.copy()
    drawn = display.draw(pixels, Look("sRGB", view))
    error = np.abs(drawn[..., :3] - exact(pixels, view))
    assert error.mean() < 0.5 and error.max() < 1
    assert (drawn[..., 3] == 255).all() and np.array_equal(pixels, before)


@needs_opengl
@pytest.mark.parametrize(
    "look", [{"exposure": 1.5}, {"gamma": 2.2}, {"channel": "g"}, {"channel": "y", "exposure": -2.0, "gamma": 0.8}]
)
def test_exposure_gamma_and_channels_equal_those_of_the_cpu(display, look):
    pixels, wanted = colors(3), Look("sRGB", "Un-tone-mapped", **look)
    on_cpu = Display(load_config("f2hdr"), "linear").draw(pixels, wanted)
    assert np.abs(display.draw(pixels, wanted).astype(int) - on_cpu).max() <= 2


@needs_opengl
def test_a_part_of_a_picture_is_drawn_as_in_the_whole(display):
    pixels, look = colors(4), Look("sRGB", "Un-tone-mapped")
    assert np.array_equal(display.draw(pixels[5:20, 7:30], look), display.draw(pixels, look)[5:20, 7:30])


@needs_opengl
def test_after_a_failure_of_the_gpu_the_cpu_is_used_and_the_reason_stored(opened, monkeypatch):
    path = DisplayPath(opened, "GPU")
    display = Display(load_config("f2hdr"), "linear", path)
    monkeypatch.setattr(opened, "_drawn", lambda *_: 1 / 0)
    look = Look("sRGB", "Un-tone-mapped")
    assert np.array_equal(display.draw(colors(), look), Display(load_config("f2hdr"), "linear").draw(colors(), look))
    assert path.gpu is None and "zero" in path.words


@needs_opengl
def test_the_environment_selects_the_device_and_emulated_opengl_only_on_request(opened, monkeypatch):
    monkeypatch.setenv(gpu.VARIABLE, "cpu")
    assert gpu.choose()[0] is None
    monkeypatch.setenv(gpu.VARIABLE, "gpu")
    assert gpu.choose()[0] is not None
    monkeypatch.delenv(gpu.VARIABLE)
    monkeypatch.setattr(gpu.Gpu, "is_emulated", True)
    found, words = gpu.choose()
    assert found is None and opened.name in words


def test_without_moderngl_the_cpu_is_used_and_the_reason_is_given(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "moderngl", None)
    monkeypatch.delenv(gpu.VARIABLE, raising=False)
    found, words = gpu.choose()
    assert found is None and "moderngl" in words
