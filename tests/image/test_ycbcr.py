"""Y'CbCr to RGB against the standards' own numbers."""

import numpy as np
import pytest

from f2hdr_backend.image.ycbcr import MATRICES, scaled, scaled_chroma, to_rgb, twice_between, twice_left


@pytest.mark.parametrize("matrix", MATRICES)
def test_rgb_is_unchanged_after_conversion_and_back(matrix):
    _, red, blue = MATRICES[matrix]
    rgb = np.random.default_rng(1).random((6, 4, 3)).astype(np.float32)
    luma = red * rgb[..., 0] + (1 - red - blue) * rgb[..., 1] + blue * rgb[..., 2]
    cb, cr = (rgb[..., 2] - luma) / (2 * (1 - blue)), (rgb[..., 0] - luma) / (2 * (1 - red))
    assert np.allclose(to_rgb(luma, cb, cr, (red, blue)), rgb, atol=1e-5)


@pytest.mark.parametrize(
    ("bits", "full", "black", "white", "chroma"),
    [
        (8, False, 16, 235, (16, 240)),
        (8, True, 0, 255, None),
        (10, False, 64, 940, (64, 960)),
        (10, True, 0, 1023, None),
    ],
)
def test_ranges_are_those_of_bt_709(bits, full, black, white, chroma):
    assert np.allclose(scaled(np.array([black, white]), bits, full), [0, 1])
    assert scaled_chroma(np.array([1 << bits - 1]), bits, full)[0] == 0
    if chroma:
        assert np.allclose(scaled_chroma(np.array(chroma), bits, full), [-0.5, 0.5])


def test_upsampled_chroma_of_a_ramp_is_a_ramp():
    ramp = np.arange(6, dtype=np.float32)
    columns = twice_left(np.tile(ramp, (2, 1)))
    assert np.allclose(columns[0, :-1], np.arange(11) / 2)  # sited at the left one of two
    rows = twice_between(np.tile(ramp[:, None], (1, 2)))
    assert np.allclose(rows[1:-1, 0], np.arange(0.25, 5, 0.5))  # midway between two
