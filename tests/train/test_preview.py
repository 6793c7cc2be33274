"""The sheet of training windows."""

import numpy as np
import pytest

from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.train.contact_sheet import GAP_PX
from f2hdr_backend.train.preview import preview
from tests.evaluate.suite.images import movie_folder
from tests.train.worlds import world_folder

SIZE = (48, 32)


@pytest.fixture
def images(tmp_path):
    return world_folder(tmp_path)


def rows(sheet, count):
    return np.split(sheet, count)


def test_a_window_is_a_row_of_six_pictures_and_depends_on_the_seed_only(images):
    sheet, rate = preview(images, None, 2, SIZE, seed=1)
    assert sheet.shape == (2 * (SIZE[1] + GAP_PX), 6 * (SIZE[0] + GAP_PX), 3)
    assert 0 <= sheet.min() and sheet.max() <= 1 and rate > 0
    first, second = rows(sheet, 2)
    assert not np.array_equal(first, second)
    again, _ = preview(images, None, 1, SIZE, seed=1)
    assert np.array_equal(again, first)
    other, _ = preview(images, None, 1, SIZE, seed=2)
    assert not np.array_equal(other, first)


def test_with_clips_every_second_window_is_of_a_clip(images, tmp_path):
    drawn, _ = preview(images, None, 2, SIZE, seed=1)
    mixed, _ = preview(images, movie_folder(tmp_path / "clips"), 2, SIZE, seed=1)
    assert np.array_equal(rows(mixed, 2)[0], rows(drawn, 2)[0])
    assert not np.array_equal(rows(mixed, 2)[1], rows(drawn, 2)[1])


def test_a_folder_without_images_is_named(tmp_path):
    with pytest.raises(DocumentError) as caught:
        preview(tmp_path, None, 1, SIZE, seed=1)
    assert str(tmp_path) in caught.value.message
