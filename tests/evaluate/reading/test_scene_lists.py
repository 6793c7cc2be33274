"""Exposures and windows from a scene's text files, through the reader of a dataset."""

from pathlib import Path

import pytest

from f2hdr_backend.evaluate.reading.scene_lists import MARGIN, lines, stops_of, two_exposures, windows
from f2hdr_backend.shot.errors import ShotError


class Reader:
    """What these functions call of a reader."""

    def require(self, path):
        if not path.exists():
            raise self.refusal(f"{path} is missing", str(path))

    def refusal(self, what, path):
        return ShotError(what, path=path)


@pytest.fixture
def write(tmp_path):
    def written(content):
        path = tmp_path / "Exposures.txt"
        path.write_bytes(content)
        return path

    return written


def test_words_of_all_lines_that_are_not_empty_are_read(write):
    assert lines(Reader(), write("\ufeffa b\n\n  c\r\n".encode())) == [["a", "b"], ["c"]]


def test_stops_are_converted_to_exposures_relative_to_the_shortest(write):
    path = write(b"0.0\n3.0\n")
    assert stops_of(Reader(), path) == [0.0, 3.0]
    assert two_exposures(Reader(), path, 5) == [1.0, 8.0, 1.0, 8.0, 1.0]
    assert two_exposures(Reader(), write(b"-1 -3"), 2) == [4.0, 1.0]


@pytest.mark.parametrize(
    "content", [b"", b"\n \n", b"\xff\xfe", b"zero three", b"0 nan", b"0 0", b"0 1 2", b"0 3 3", b"0 1e308"]
)
def test_a_file_without_two_alternating_exposures_is_named(write, content):
    path = write(content)
    with pytest.raises(ShotError) as caught:
        two_exposures(Reader(), path, 4)
    assert str(path) in caught.value.message


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ShotError) as caught:
        lines(Reader(), tmp_path / "none.txt")
    assert "none.txt" in caught.value.message


def test_windows_leave_out_the_frames_that_the_published_ones_do_not_score():
    frames = [Path(f"f{index}") for index in range(6)]
    truths = [Path(f"t{index}") for index in range(6)]
    found = list(windows(Reader(), "park", frames, truths, [1.0, 8.0] * 3))
    assert [window.frames for window in found] == [("f1", "f2", "f3"), ("f2", "f3", "f4")]
    assert [window.exposures for window in found] == [(8.0, 1.0, 8.0), (1.0, 8.0, 1.0)]
    assert found[0].truth == "t2" and found[0].neighbor_truths == ("t1", "t3")
    with pytest.raises(ShotError) as caught:
        list(windows(Reader(), "park", frames[: 2 * MARGIN], None, [1.0] * 4))
    assert "park" in caught.value.message and str(2 * MARGIN + 1) in caught.value.message
