"""Plates that are missing or named in another way, without opening a file."""

from __future__ import annotations

import pytest

from f2hdr_backend.shot.errors import MissingFrames, ShotError, UnreadableFrame
from f2hdr_backend.shot.frames import Sequence
from f2hdr_backend.shot.plate_files import is_movie, listed_frames, require_plate


@pytest.mark.parametrize(
    ("files", "plate"),
    [
        (["p.0001.exr", "p.0002.exr"], "p.####.exr"),
        (["p 1.tif"], "p #.tif"),
        (["été.mov"], "été.mov"),
        (["p.0001.mp4"], "p.####.mp4"),
    ],
)
def test_existing_plates_raise_nothing(folder, files, plate):
    require_plate(str(folder(*files) / plate))


def test_a_pattern_without_files_names_the_padding_of_others(folder):
    with pytest.raises(MissingFrames) as raised:
        require_plate(str(folder("p.0001.tif") / "p.##.tif"))
    assert "p.##.tif" in raised.value.message and "p.####.tif" in raised.value.hint


@pytest.mark.parametrize(
    ("files", "named", "meant"),
    [
        (["p.0001.exr"], "p.0001.exr", "p.####.exr"),
        ([], "p.*.exr", "p.####.exr"),
        ([], "notes", "plate.####.exr"),
    ],
)
def test_other_names_are_answered_with_a_pattern(folder, files, named, meant):
    with pytest.raises(ShotError) as raised:
        require_plate(str(folder(*files) / named))
    assert meant in raised.value.hint
    assert ("exist" in raised.value.message) == (not files)


def test_a_missing_movie_is_an_unreadable_file(tmp_path):
    with pytest.raises(UnreadableFrame, match="no\\.mov"):
        require_plate(str(tmp_path / "no.mov"))


def test_only_exr_has_layers(folder):
    require_plate(str(folder("p.0001.exr") / "p.####.exr"), "left")
    with pytest.raises(ShotError, match="layers"):
        require_plate(str(folder("p.0001.tif") / "p.####.tif"), "left")


def test_a_movie_with_a_mark_in_its_name_is_a_movie(folder):
    assert is_movie(str(folder("take#1.mov") / "take#1.mov"))
    assert not is_movie(str(folder() / "take#2.mov"))


def test_frames_are_listed_with_the_names_left_out(folder):
    frames, left_out = listed_frames(Sequence.parse(str(folder("p.0001.tif", "p.0003.tif", "p.4.tif") / "p.####.tif")))
    assert frames.frames == (1, 3) and left_out == ("p.4.tif",)
