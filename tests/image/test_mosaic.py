"""A Bayer mosaic saved as a gray picture is recognized; gray pictures are not taken for one."""

from __future__ import annotations

import numpy as np
import pytest

from f2hdr_backend.image.mosaic import is_mosaic
from f2hdr_backend.image.read import read_image
from f2hdr_backend.image.write import write_image
from f2hdr_backend.simulation.sensor import NOISE_LEVELS, capture
from tests.engine.alternating import Scene

PATTERNS = {"RGGB": (0, 1, 1, 2), "BGGR": (2, 1, 1, 0), "GRBG": (1, 0, 2, 1), "GBRG": (1, 2, 0, 1)}


def mosaic(light, pattern):
    found = np.empty(light.shape[:2], np.float32)
    for place, channel in enumerate(PATTERNS[pattern]):
        row, column = divmod(place, 2)
        found[row::2, column::2] = light[row::2, column::2, channel]
    return found


def seen(seed, gain, noise):
    """A scene as a camera without white balance sees it."""
    light = Scene(seed).radiance(1) * np.array([0.55, 1, 0.7], np.float32)
    return capture(light, gain, NOISE_LEVELS[noise], np.random.default_rng(seed))


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("noise", ["none", "high"])
@pytest.mark.parametrize("gain", [0.5, 4.0])
def test_a_mosaic_is_recognized(gain, noise, pattern):
    assert is_mosaic(mosaic(seen(1, gain, noise), pattern))


@pytest.mark.parametrize("noise", ["none", "high"])
@pytest.mark.parametrize("seed", range(4))
def test_a_gray_picture_is_not_a_mosaic(seed, noise):
    assert not is_mosaic(np.ascontiguousarray(seen(seed, 1.0, noise)[..., 1]))


def test_flat_black_and_tiny_pictures_are_not_mosaics():
    for shape in ((4, 4), (64, 64), (200, 300)):
        assert not is_mosaic(np.zeros(shape, np.float32)) and not is_mosaic(np.full(shape, 0.5, np.float32))


def test_a_12_bit_mosaic_in_a_png_is_read_with_a_note(tmp_path):
    codes = mosaic(seen(2, 1.0, "low"), "RGGB")
    write_image(tmp_path / "m.png", np.rint(codes * 4095) / np.float32(65535) * 16, 16)
    assert any("Bayer" in note for note in read_image(str(tmp_path / "m.png")).notes)
    write_image(tmp_path / "g.png", np.ascontiguousarray(seen(2, 1.0, "low")[..., 1]), 16)
    assert read_image(str(tmp_path / "g.png")).notes == ()
