"""What was dropped, and the plate that it means."""

import pytest

from f2hdr_backend.panel.plates import plate_of
from f2hdr_backend.shot.errors import ShotError


@pytest.fixture
def shots(tmp_path):
    for name in (
        "a.0001.exr",
        "a.0002.exr",
        "a.0003.exr",
        "b_10.tif",
        "b_11.tif",
        "notes.txt",
        ".hidden.0001.exr",
        "m.mov",
    ):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    ("dropped", "plate"),
    [
        (["a.0002.exr"], "a.####.exr"),
        (["b_11.tif"], "b_##.tif"),
        (["b_10.tif", "b_11.tif"], "b_##.tif"),
        (["."], "a.####.exr"),
        (["m.mov"], "m.mov"),
        (["a.####.exr"], "a.####.exr"),
        (["a.%04d.exr"], "a.%04d.exr"),
    ],
)
def test_dropped_files_and_folders_give_their_plate(shots, dropped, plate):
    assert plate_of([str(shots / name) for name in dropped]) == str(shots / plate)


def test_a_folder_with_one_movie_gives_the_movie(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"")
    (tmp_path / "poster.jpg").write_bytes(b"")
    assert plate_of([str(tmp_path)]) == str(tmp_path / "clip.mp4")


@pytest.mark.parametrize("name", ["notes.txt", "gone.0001.exr", "gone"])
def test_a_file_that_is_not_a_plate_is_named(shots, name):
    with pytest.raises(ShotError, match=name):
        plate_of([str(shots / name)])


def test_an_empty_folder_is_reported_by_its_path(tmp_path):
    with pytest.raises(ShotError) as caught:
        plate_of([str(tmp_path)])
    assert str(tmp_path) in caught.value.message and caught.value.hint
