"""The frames of a clip's media, by hand-counted examples."""

import pytest

from f2hdr_backend.image.read import open_plate
from f2hdr_backend.timeline.read import read_cut
from tests.timeline.cuts import clip, external, movie, only, pictures, reason, sequence, span, write


def test_media_time_may_differ_from_the_frame_number(tmp_path):
    sequence(tmp_path, "sh010", range(1001, 1031))
    media = pictures(1001, 30, available_range=span(86400, 30))
    assert str(only(read_cut(write(tmp_path, clip("a", media, 86405, 4)), 0)).used) == "1006-1009"


def test_frames_of_movies_start_at_1(tmp_path):
    movie(tmp_path / "a.mov", 20)
    found = only(read_cut(write(tmp_path, clip("a", external("a.mov", span(100, 20)), 104, 6)), 2))
    assert (str(found.used), str(found.frames), found.plate) == ("5-10", "3-12", str(tmp_path / "a.mov"))


@pytest.mark.parametrize(("code", "start", "used"), [("01:00:00:00", 86410, "11-14"), ("", 10, "11-14")])
def test_without_a_range_in_the_timeline_the_timecode_of_the_media_is_used(tmp_path, code, start, used):
    movie(tmp_path / "a.mov", 20, **({"timecode": code} if code else {}))
    assert str(only(read_cut(write(tmp_path, clip("a", external("a.mov"), start, 4)), 0)).used) == used


def test_a_pattern_as_url_is_mapped_by_timecode_or_by_frame_numbers(tmp_path):
    sequence(tmp_path, "a b", range(1001, 1021))
    for url in ("a b.####.png", "a b.%04d.png", f"file://{tmp_path}/a%20b.%04d.png", "a b.[1001-1020].png"):
        found = only(read_cut(write(tmp_path, clip("a", external(url), 1005, 3)), 0))
        assert (str(found.used), found.plate) == ("1005-1007", str(tmp_path / "a b.####.png"))
    import OpenEXR

    sequence(tmp_path, "t", range(1, 3), {"timeCode": OpenEXR.TimeCode(1, 0, 0, 5, 0, *[0] * 13)})
    found = only(read_cut(write(tmp_path, clip("a", external("t.%04d.exr"), 86406, 1)), 0))
    assert str(found.used) == "2"


def test_a_pattern_is_mapped_by_the_times_of_its_media(tmp_path):
    sequence(tmp_path, "a", range(1001, 1021))
    url = external("a.####.png", span(0, 20))
    assert str(only(read_cut(write(tmp_path, clip("a", url, 5, 3)), 0)).used) == "1006-1008"
    (tmp_path / "a.1001.png").unlink()
    assert "1002-1020" in reason(read_cut(write(tmp_path, clip("a", url, 5, 3)), 0))


def test_media_that_cannot_be_read_are_tried_once(tmp_path, monkeypatch):
    from f2hdr_backend.timeline import media

    (tmp_path / "a.mov").write_bytes(b"no movie")
    tried = []
    monkeypatch.setattr(media, "open_plate", lambda name: tried.append(name) or open_plate(name))
    cut = read_cut(write(tmp_path, *(clip("a", external("a.mov"), 0, 4) for _ in range(20))), 0)
    assert len(cut.refused) == 20 and tried == [str(tmp_path / "a.mov")]


def test_a_header_is_read_once_and_few_movies_are_open(tmp_path, monkeypatch):
    from f2hdr_backend.timeline import media

    open_now, most, read = set(), [0], []

    class Counted:
        def __init__(self, name):
            self._plate, self._name = open_plate(name), name
            open_now.add(name)
            most[0] = max(most[0], len(open_now))

        def __getattr__(self, attribute):
            return getattr(self._plate, attribute)

        def read(self, number):
            read.append(self._name)
            return self._plate.read(number)

        def close(self):
            open_now.discard(self._name)
            self._plate.close()

    monkeypatch.setattr(media, "open_plate", Counted)
    names = [f"m{index}.mov" for index in range(12)]
    for name in names:
        movie(tmp_path / name, 4)
    clips = [clip(name, external(name), 0, 4) for _ in range(2) for name in names]
    cut = read_cut(write(tmp_path, *clips), 0)
    assert len(cut.clips) == 24 and not open_now and most[0] < len(names)
    assert sorted(read) == sorted(str(tmp_path / name) for name in names)


def test_a_padding_of_a_billion_digits_is_refused(tmp_path):
    sequence(tmp_path, "sh010", range(1001, 1005))
    media = pictures(1001, 4, frame_zero_padding=10**9)
    assert len(reason(read_cut(write(tmp_path, clip("a", media, 1001, 2)), 0))) < 1500
