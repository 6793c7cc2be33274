"""Sheets of pictures."""

from types import SimpleNamespace

import numpy as np

from f2hdr_backend.train.contact_sheet import GAP_PX, HIDDEN, sheet, shown, window_row

SIZE = (6, 8)


def test_pictures_are_placed_next_to_each_other_with_gaps():
    rows = [[np.full((*SIZE, 3), value, np.float32) for value in row] for row in ((0.1, 0.2), (0.3, 0.4))]
    page = sheet(rows)
    high, wide = SIZE[0] + GAP_PX, SIZE[1] + GAP_PX
    assert page.shape == (2 * high, 2 * wide, 3)
    assert page[high, wide].tolist() == np.full(3, 0.4, np.float32).tolist()
    assert page[SIZE[0], 0].max() == 0


def test_dark_radiance_is_raised_and_clipped_radiance_is_white():
    assert np.allclose(shown(np.array([-1, 0, 0.01, 1, 9], np.float32)), [0, 0, 0.01 ** (1 / 4.4), 1, 1], atol=1e-6)


def test_occluded_pixels_are_gray_and_others_of_a_still_scene_are_equal():
    light = np.random.default_rng(1).random((*SIZE, 3)).astype(np.float32)
    visible = np.ones((2, *SIZE), bool)
    visible[1, 2, 3] = False
    window = SimpleNamespace(
        ldr=np.stack([light] * 3), radiance=np.stack([light] * 3), flows=np.zeros((2, *SIZE, 2), np.float32),
        visible=visible,
    )  # fmt: skip
    row = window_row(window)
    assert len(row) == 6
    assert np.allclose(row[3], row[4], atol=1e-6)
    assert row[5][2, 3].tolist() == [HIDDEN] * 3
    assert np.allclose(np.delete(row[5].reshape(-1, 3), 2 * SIZE[1] + 3, 0), np.delete(row[3].reshape(-1, 3), 19, 0))
