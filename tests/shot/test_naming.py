"""A plate by whatever users call it: a pattern, a folder, one file, a glob, several files."""

from __future__ import annotations

import pytest

from f2hdr_backend.shot.errors import ShotError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.naming import default_output, is_timeline, plate_named, source_named

FRAMES = [f"sh010.{number}.tif" for number in range(1001, 1005)]


def test_a_file_a_folder_a_glob_or_a_pattern_gives_the_same_pattern(folder):
    plate = folder(*FRAMES, "notes.txt", "sh010.json", ".hidden.1.tif")
    pattern = f"{plate}/sh010.####.tif"
    for named in ([str(plate)], [pattern], [f"{plate}/sh010.1003.tif"], [f"{plate}/sh010.*.tif"], [f"{plate}/*.tif"]):
        assert plate_named(named).plate.replace("\\", "/") == pattern
        assert plate_named(named).frames is None
    assert plate_named([str(plate / name) for name in FRAMES]).frames is None
    assert plate_named([str(plate / name) for name in FRAMES[1:3]]).frames == FrameRange((1002, 1003))


def test_relative_names_stay_relative(folder, monkeypatch):
    monkeypatch.chdir(folder(*FRAMES))
    assert plate_named(["sh010.1001.tif"]).plate == "sh010.####.tif"
    assert plate_named(FRAMES).plate == "sh010.####.tif"
    assert plate_named(["."]).plate.replace("\\", "/") == "./sh010.####.tif"


def test_of_several_numbers_in_a_name_the_one_that_changes_is_the_frame(folder):
    plate = folder(*[f"cam2_{number:06d}_v003.png" for number in (7, 8, 9)])
    assert plate_named([str(plate)]).plate.endswith("cam2_######_v003.png")


def test_numbers_without_padding_and_negative_numbers_are_recognized(folder):
    plate = folder(*[f"a{number}.exr" for number in (8, 9, 10, 11)], "b.-002.exr", "b.-001.exr")
    assert plate_named([str(plate / "a9.exr")]).plate.endswith("a#.exr")
    assert plate_named([str(plate / "b.-001.exr")]).plate.endswith("b.###.exr")


def test_a_path_that_is_not_a_numbered_image_is_unchanged(folder):
    plate = folder("take.mov", "shot.json", "still.exr", "pano_2048.exr")
    for name in ("take.mov", "shot.json", "still.exr", "pano_2048.exr", "gone.0001.exr"):
        assert plate_named([str(plate / name)]).plate == str(plate / name)


def test_a_folder_with_one_movie_gives_the_movie(folder):
    plate = folder("A001.mov", "A001.xml")
    assert plate_named([str(plate)]).plate == str(plate / "A001.mov")


def test_several_sequences_are_refused_and_listed(folder):
    plate = folder(*FRAMES, "sh020.0001.tif", "sh020.0002.tif")
    with pytest.raises(ShotError) as caught:
        plate_named([str(plate)])
    assert "sh010.####.tif" in caught.value.hint and "sh020.####.tif" in caught.value.hint
    with pytest.raises(ShotError):
        plate_named([str(plate / FRAMES[0]), str(plate / "sh020.0001.tif"), str(plate / "sh020.0002.tif")])


def test_time_stamps_that_change_beside_the_number_are_refused_with_two_of_the_names(folder):
    names = [f"img_{number:04d}_{1_700_000_000_123 + 41 * number}.png" for number in range(1, 5)]
    with pytest.raises(ShotError) as caught:
        plate_named([str(folder(*names))])
    assert sum(name in caught.value.message for name in names) == 2


def test_a_folder_without_pictures_is_refused_and_named(folder):
    empty = str(folder("readme.txt"))
    with pytest.raises(ShotError) as caught:
        plate_named([empty])
    assert empty in caught.value.message


@pytest.mark.parametrize(
    ("plate", "output"),
    [
        ("in/sh010.####.tif", "in/sh010_hdr/sh010.####.exr"),
        ("in/sh010_#####.tif", "in/sh010_hdr/sh010.#####.exr"),
        ("shot7/####.dpx", "shot7/shot7_hdr/shot7.####.exr"),
        ("take 1.mov", "take 1_hdr/take 1.####.exr"),
    ],
)
def test_the_default_output_is_a_folder_next_to_the_plate(plate, output):
    assert default_output(plate).replace("\\", "/") == output


def test_a_source_is_named_as_a_plate_but_one_picture_is_meant_alone(folder):
    plate = folder(*FRAMES)
    assert source_named([str(plate)]).plate.replace("\\", "/") == f"{plate}/sh010.####.tif"
    assert source_named([str(plate / name) for name in FRAMES[:2]]).frames == FrameRange((1001, 1002))
    assert source_named([str(plate / FRAMES[0])]).plate == str(plate / FRAMES[0])


def test_timelines_are_recognized_by_suffix():
    assert is_timeline("a/Cut.OTIO") and is_timeline("a.edl") and not is_timeline("a.mov")
