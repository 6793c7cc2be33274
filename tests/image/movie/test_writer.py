"""Movies as written, read back by the reader of plates; and what becomes of them when something fails."""

import errno
import os
from fractions import Fraction

import numpy as np
import pytest

av = pytest.importorskip("av")

from f2hdr_backend.image.display_tags import SIGNALS, LightLevel  # noqa: E402
from f2hdr_backend.image.movie.boxes import add_light_level  # noqa: E402
from f2hdr_backend.image.movie.planes import to_planes  # noqa: E402
from f2hdr_backend.image.movie.writer import MovieFormat, codec_for, movie_writer  # noqa: E402
from f2hdr_backend.image.read import open_plate  # noqa: E402
from f2hdr_backend.shot.errors import ImageError, UnwritableFrame  # noqa: E402

WIDTH, HEIGHT = 96, 64
LIGHT = LightLevel(1000, 983, 412)


def slopes():
    """Slopes in every channel, so that a chroma sample in the wrong place shows."""
    across, down = np.linspace(0, 1, WIDTH)[None, :, None], np.linspace(0, 1, HEIGHT)[:, None, None]
    weights = np.array([[0.5, 0.3], [0.1, 0.6], [0.4, -0.2]])
    return (0.3 + across * weights[:, 0] * 0.8 + down * weights[:, 1] * 0.5).astype(np.float32)


def movie(codec="prores", signal="rec709", light=None, size=(WIDTH, HEIGHT)):
    return MovieFormat(codec, size, Fraction(24), SIGNALS[signal], light)


@pytest.mark.parametrize("signal", ["rec709", "pq"])
@pytest.mark.parametrize(("name", "codec"), [("a.mov", "prores"), ("a.mp4", "hevc"), ("b.mov", "hevc")])
def test_a_written_movie_is_read_unchanged(tmp_path, name, codec, signal):
    rgb = slopes()
    with movie_writer(str(tmp_path / name), movie(codec, signal)) as writer:
        for _ in range(3):
            writer.add(rgb)
    plate = open_plate(str(tmp_path / name))
    assert str(plate.frames) == "1-3" and plate.size == (WIDTH, HEIGHT)
    for number in (1, 2, 3):
        codes_off = (plate.read(number).pixels - rgb)[4:-4, 4:-4] * 1023
        assert np.abs(codes_off).max() < {"prores": 4, "hevc": 8}[codec]
        assert np.abs(codes_off.mean(axis=(0, 1))).max() < 0.5  # chroma half a pixel away would be 2 codes
    plate.close()
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("frames", [1, 2])
def test_very_short_movies_decode_in_display_order(tmp_path, frames):
    """x265 alone writes decoding times before the start of the movie, or arbitrary ones."""
    with movie_writer(str(tmp_path / "a.mp4"), movie("hevc")) as writer:
        for _ in range(frames):
            writer.add(slopes())
    with av.open(str(tmp_path / "a.mp4")) as container:
        times = [(packet.dts, packet.pts) for packet in container.demux(video=0) if packet.size]
        frame = Fraction(1, 24) / container.streams.video[0].time_base
    assert times == [(number * frame, number * frame) for number in range(frames)]


def test_chroma_planes_of_odd_sizes_are_rounded_up():
    flat = np.full((47, 65, 3), (0.8, 0.3, 0.2), np.float32)
    for halved in (False, True):
        luma, cb, cr = to_planes(flat, 9, halved_rows=halved)
        assert luma.shape == (47, 65) and cb.shape == cr.shape == ((24, 33) if halved else (47, 33))
        assert all(plane.min() == plane.max() for plane in (luma, cb, cr))
    white, black = (to_planes(np.full((2, 2, 3), value, np.float32), 1, halved_rows=True) for value in (9.0, -9.0))
    assert [int(plane[0, 0]) for plane in (*white, *black)] == [940, 512, 512, 64, 512, 512]


@pytest.mark.parametrize("index_first", [False, True])
def test_light_levels_are_written_if_the_index_is_at_the_end_and_refused_otherwise(tmp_path, index_first):
    path = tmp_path / "a.mov"
    options = {"movflags": "faststart"} if index_first else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("prores_ks", rate=24)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv422p10le"
        stream.codec_context.color_primaries, stream.codec_context.color_trc = 9, 16
        stream.codec_context.colorspace = 9
        for number in range(3):
            frame = av.VideoFrame(WIDTH, HEIGHT, "yuv422p10le")
            for plane in frame.planes:
                plane.update(np.full((plane.height, plane.line_size // 2), 500 + number, np.uint16).tobytes())
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    before = path.read_bytes()
    if index_first:
        with pytest.raises(ValueError):
            _add_light_level(path)
        assert path.read_bytes() == before
        return
    _add_light_level(path)
    assert len(path.read_bytes()) == len(before) + 32 + 12
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    level = next(bytes(data) for data in frames[0].side_data if data.type.name == "CONTENT_LIGHT_LEVEL")
    assert len(frames) == 3 and np.frombuffer(level, np.uint32).tolist() == [983, 412]


def _add_light_level(path):
    with path.open("r+b") as file:
        add_light_level(file, LIGHT)


def test_frames_of_another_size_are_refused_and_no_movie_is_left(tmp_path):
    with (
        pytest.raises(UnwritableFrame, match="96 x 64"),
        movie_writer(str(tmp_path / "a.mov"), movie(size=(WIDTH, 48))) as writer,
    ):
        writer.add(slopes())
    assert os.listdir(tmp_path) == []


def test_an_error_during_writing_keeps_the_existing_file(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"older")
    with pytest.raises(KeyboardInterrupt), movie_writer(str(tmp_path / "a.mp4"), movie("hevc")) as writer:
        writer.add(slopes())
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == ["a.mp4"] and (tmp_path / "a.mp4").read_bytes() == b"older"


def test_the_error_of_a_full_disk_names_the_file_and_no_file_is_left(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(UnwritableFrame, match=r"a\.mov"),
        movie_writer(str(tmp_path / "a.mov"), movie()) as writer,
    ):
        writer.add(slopes())
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_created_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableFrame, match="file/a.mov"), movie_writer(str(tmp_path / "file" / "a.mov"), movie()):
        pass


@pytest.mark.parametrize(
    ("path", "codec", "found"),
    [("a.mov", "auto", "prores"), ("a.MP4", "auto", "hevc"), ("a.mov", "hevc", "hevc"), ("a.mp4", "hevc", "hevc")],
)
def test_the_suffix_selects_the_codec(path, codec, found):
    assert codec_for(path, codec) == found


@pytest.mark.parametrize(("path", "codec"), [("a.mp4", "prores"), ("a.avi", "auto"), ("a.mov", "vp9"), ("a", "hevc")])
def test_codecs_that_players_do_not_support_in_a_container_are_refused(path, codec):
    with pytest.raises(ImageError, match=r"prores.*\.mov"):
        codec_for(path, codec)
