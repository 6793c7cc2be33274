"""Planes of a movie frame: known colors, and back through the reader's conversion."""

import numpy as np
import pytest

from f2hdr_backend.image.movie.planes import to_planes
from f2hdr_backend.image.ycbcr import MATRICES, scaled, scaled_chroma, to_rgb


def flat(color, size=(6, 8)):
    return np.broadcast_to(np.array(color, np.float32), (*size, 3)).copy()


@pytest.mark.parametrize(
    ("color", "codes"),
    [
        ((0, 0, 0), (64, 512, 512)),
        ((1, 1, 1), (940, 512, 512)),
        ((2, 2, 2), (940, 512, 512)),
        ((0, 0, 1), (127, 960, 471)),  # BT.709 blue, SMPTE RP 219: Y 127, Cb 960, Cr 471
        ((1, 0, 0), (250, 409, 960)),
    ],
)
def test_color_bars_have_the_codes_of_the_standard(color, codes):
    planes = to_planes(flat(color), 1, halved_rows=False)
    assert tuple(int(plane[0, 0]) for plane in planes) == codes


@pytest.mark.parametrize(("halved", "shape"), [(False, (5, 4)), (True, (3, 4))])
def test_chroma_has_half_the_columns_and_rows_rounded_up(halved, shape):
    luma, cb, cr = to_planes(flat((0.2, 0.5, 0.7), (5, 7)), 9, halved_rows=halved)
    assert luma.shape == (5, 7) and cb.shape == cr.shape == shape
    assert luma.dtype == cb.dtype == np.uint16


@pytest.mark.parametrize("matrix", [1, 6, 9])
def test_a_flat_color_is_unchanged_after_conversion_to_planes_and_back(matrix):
    color = (0.2, 0.5, 0.7)
    planes = to_planes(flat(color), matrix, halved_rows=True)
    luma, cb, cr = scaled(planes[0][:3, :4], 10, False), *(scaled_chroma(plane, 10, False) for plane in planes[1:])
    assert np.allclose(to_rgb(luma, cb, cr, MATRICES[matrix][1:]), color, atol=4e-3)


def test_chroma_is_filtered_1_2_1_around_the_left_column():
    rgb = flat((0, 0, 0), (2, 8))
    rgb[:, 4:] = (0, 0, 1)
    _, cb, _ = to_planes(rgb, 1, halved_rows=False)
    assert [int(code) for code in cb[0]] == [512, 512, 848, 960]
