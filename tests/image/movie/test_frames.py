"""Movies: the right frame, by its number, and notes about others."""

import struct
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest

from f2hdr_backend.image.read import open_plate
from f2hdr_backend.shot.errors import MissingFrames, UnreadableFrame
from tests.image.movie.movies import (
    BFRAMES,
    BT709,
    FULL,
    HEIGHT,
    LIMITED,
    UNTAGGED,
    WIDTH,
    av,
    counters,
    encode,
    number_in,
)  # fmt: skip

MOVIES = {
    "b-frames mp4": ("mp4", "libx264", "yuv420p", BFRAMES),
    "b-frames mkv": ("mkv", "libx264", "yuv420p", BFRAMES),
    "open groups mp4": ("mp4", "libx264", "yuv420p", {**BFRAMES, "x264-params": "open-gop=1:b-pyramid=normal"}),
    "open groups mkv": ("mkv", "libx264", "yuv420p", {**BFRAMES, "x264-params": "open-gop=1"}),
    "h265 mov": (
        "mov",
        "libx265",
        "yuv420p",
        {"x265-params": "log-level=none:keyint=12:bframes=4", "preset": "ultrafast"},
    ),
    "avi": ("avi", "mpeg4", "yuv420p", {"bf": "2", "g": "12"}),
    "intra": ("mov", "mjpeg", "yuvj420p", {}),
    "mxf": ("mxf", "mpeg2video", "yuv420p", {"bf": "2", "g": "12"}),
    "webm": (
        "webm",
        "libvpx",
        "yuv420p",
        {"auto-alt-ref": "1", "lag-in-frames": "10", "g": "12", "cpu-used": "8", "deadline": "realtime"},
    ),
}


@pytest.mark.parametrize("movie", MOVIES)
def test_every_frame_is_read_by_number_in_any_order(tmp_path, movie):
    suffix, codec, pixel_format, options = MOVIES[movie]
    count = 40
    tags = (UNTAGGED, 0) if suffix == "webm" else (BT709, FULL if pixel_format == "yuvj420p" else LIMITED)
    path = encode(tmp_path / f"a.{suffix}", counters(count), codec, pixel_format, tags, {**options, "b": "4000k"})
    plate = open_plate(path)
    assert str(plate.frames) == "1-40" and plate.size == (WIDTH, HEIGHT) and plate.missing == ()
    assert plate.default_encoding == "gamma22" and plate.exposure_metadata() is None
    order = [40, 1, 31, 30, 32, *np.random.default_rng(1).integers(1, 41, 8), *range(1, count + 1)]
    for number in (int(number) for number in order):
        assert number_in(plate.read(number)) == number
    for number in range(22, 28):
        assert [number_in(plate.read(n)) for n in (number - 1, number, number + 1)] == [number - 1, number, number + 1]
    plate.close()


def test_a_moving_window_decodes_every_frame_once(tmp_path, monkeypatch):
    from f2hdr_backend.image.movie import frames as movie_frames

    path = encode(tmp_path / "a.mp4", counters(40), "libx264", "yuv420p", options=BFRAMES)
    kept = []
    keep = movie_frames.MovieFrames._keep
    monkeypatch.setattr(movie_frames.MovieFrames, "_keep", lambda self, frame: (kept.append(1), keep(self, frame)))
    plate = open_plate(path)
    for number in range(1, 41):
        for neighbor in (number - 1, number, number + 1):
            if neighbor in plate.frames:
                assert number_in(plate.read(neighbor)) == neighbor
    assert len(kept) == 40


def test_frames_cut_off_by_an_edit_list_are_not_counted(tmp_path):
    path = encode(tmp_path / "a.mov", counters(30), "libx264", "yuv420p", options=BFRAMES, start=-7)
    shown = [frame for frame in av.open(path).decode(video=0)]
    plate = open_plate(path)
    assert len(plate.frames) == len(shown) < 30
    numbers = [number_in(plate.read(number)) for number in plate.frames]
    assert numbers == list(range(30 - len(shown) + 1, 31))
    assert number_in(plate.read(5)) == numbers[4]


def edit(path, parts):
    """Rewrite the edit list of a movie of 25 frames a second: ``parts`` are (first frame from 0, frames)."""
    data = bytearray(open(path, "rb").read())
    scale = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)[0] // 25
    whole = struct.unpack_from(">I", data, data.index(b"mvhd") + 16)[0] // 25
    entries = b"".join(struct.pack(">IiI", count * whole, first * scale, 0x10000) for first, count in parts)
    at = data.index(b"elst") - 4
    (size,) = struct.unpack_from(">I", data, at)
    new = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, len(parts)) + entries
    for kind in (b"moov", b"trak", b"edts"):
        box = data.index(kind) - 4
        struct.pack_into(">I", data, box, struct.unpack_from(">I", data, box)[0] + len(new) - size)
    data[at : at + size] = new
    open(path, "wb").write(data)
    return path


@pytest.mark.parametrize("codec", ["intra", "closed groups"])
@pytest.mark.parametrize(
    "parts", [[(3, 10)], [(0, 12)], [(13, 11)], [(2, 6), (15, 5)], [(0, 24), (0, 24)], [(4, 3)] * 3]
)
def test_edit_lists_give_the_frames_that_a_player_shows(tmp_path, codec, parts):
    """Trimmed, cut and looped movies, whether every frame is a key frame or not."""
    name, layout, options = {
        "intra": ("mjpeg", "yuvj420p", {}),
        "closed groups": ("libx264", "yuv420p", {"bf": "0", "g": "6"}),
    }[codec]
    tags = (BT709, FULL if codec == "intra" else LIMITED)
    path = edit(encode(tmp_path / "a.mov", counters(24), name, layout, tags, options), parts)
    plate = open_plate(path)
    expected = [frame for first, count in parts for frame in range(first + 1, first + count + 1)]
    assert str(plate.frames) == f"1-{len(expected)}"
    assert [number_in(plate.read(number)) for number in plate.frames] == expected
    for number in (len(expected), 1, len(expected) // 2):
        assert number_in(plate.read(number)) == expected[number - 1]


@pytest.mark.parametrize("suffix", ["mov", "mkv"])
def test_a_variable_rate_is_reported(tmp_path, suffix):
    path = str(tmp_path / f"a.{suffix}")
    with av.open(path, "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuvj420p"
        for time in (0, 1, 2, 6, 7, 8):
            frame = av.VideoFrame.from_ndarray(np.full((96, 160, 3), 20 * time, np.uint8)).reformat(format="yuvj420p")
            frame.pts, frame.time_base = time, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    plate = open_plate(path)
    (note,) = plate.read(2).notes
    assert len(plate.frames) == 6 and path in note
    even = encode(tmp_path / f"b.{suffix}", counters(6), "mjpeg", "yuvj420p", rate=Fraction(30000, 1001))
    assert open_plate(even).read(2).notes == ()


def test_video_that_is_not_read_is_reported(tmp_path):
    for name, codec, layout, tracks, words in (
        ("a.webm", "libvpx-vp9", "yuva420p", 1, "alpha"),
        ("b.mov", "mjpeg", "yuvj420p", 2, "2 video tracks"),
    ):
        with av.open(str(tmp_path / name), "w") as container:
            streams = [container.add_stream(codec, rate=24) for _ in range(tracks)]
            for stream in streams:
                stream.width, stream.height, stream.pix_fmt = 64, 48, layout
            for stream in streams:
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 4), 90, np.uint8), "rgba").reformat(format=layout)
                container.mux([*stream.encode(frame), *stream.encode()])
        (note,) = open_plate(str(tmp_path / name)).read(1).notes
        assert name in note and words in note


def test_movies_may_be_read_from_many_threads(tmp_path):
    path = encode(tmp_path / "a.mp4", counters(24), "libx264", "yuv420p", options=BFRAMES)
    plate = open_plate(path)
    order = [int(number) for number in np.random.default_rng(2).permutation(24) + 1]
    with ThreadPoolExecutor(6) as threads:
        assert [number_in(image) for image in threads.map(plate.read, order)] == order


def test_frames_after_the_end_are_refused_by_number(tmp_path):
    plate = open_plate(encode(tmp_path / "a.mp4", counters(5), "libx264", "yuv420p"))
    with pytest.raises(MissingFrames, match=r"3 frames .*a\.mp4.*: 0,6-7.*1-5"):
        plate.require([0, 1, 5, 6, 7])
    with pytest.raises(MissingFrames):
        plate.read(0)


def test_truncated_movies_are_refused(tmp_path):
    path = encode(tmp_path / "a.mp4", counters(40), "libx264", "yuv420p")
    whole = open(path, "rb").read()
    for length in (0, 20, len(whole) // 2):
        (tmp_path / "cut.mp4").write_bytes(whole[:length])
        with pytest.raises(UnreadableFrame, match=r"cut\.mp4"):
            open_plate(str(tmp_path / "cut.mp4"))


def test_a_movie_shorter_than_its_header_is_read_with_a_note(tmp_path):
    """An AVI names its frames up front, so a cut one still opens."""
    path = encode(tmp_path / "a.avi", counters(40), "mpeg4", "yuv420p", options={"g": "12", "b": "4000k"})
    whole = open(path, "rb").read()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    plate = open_plate(str(tmp_path / "cut.avi"))
    assert len(plate.frames) == 40 and number_in(plate.read(3)) == 3
    with pytest.raises(UnreadableFrame, match=r"cut\.avi.*frame") as caught:
        plate.read(40)
    assert caught.value.frame == 40
    assert number_in(plate.read(5)) == 5


def test_a_damaged_frame_is_named_and_others_are_readable(tmp_path):
    path = encode(tmp_path / "a.mov", counters(12, 10, (1, 2)), "prores_ks", "yuv422p10le")
    data = bytearray(open(path, "rb").read())
    frames = [at for at in range(len(data)) if data[at : at + 4] == b"icpf"]
    data[frames[5] : frames[5] + 4] = b"xxxx"
    (tmp_path / "b.mov").write_bytes(data)
    plate = open_plate(str(tmp_path / "b.mov"))
    with pytest.raises(UnreadableFrame, match=r"b\.mov.*frame 6") as caught:
        plate.read(6)
    assert caught.value.frame == 6
    assert number_in(plate.read(3)) == 3
