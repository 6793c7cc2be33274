"""Movies as plates: upright, with alpha, metadata and identity."""

import struct
from fractions import Fraction

import numpy as np
import OpenEXR
import pytest

from f2hdr_backend.image.read import open_plate
from f2hdr_backend.image.timecode import timecode_text
from f2hdr_backend.shot.errors import ImageError, UnreadableFrame
from tests.image.movie.movies import BFRAMES, BT709, LIMITED, av, counters, encode, patches, to_planes


@pytest.mark.parametrize(("degrees", "flipped"), [(0, False), (90, False), (180, False), (270, False), (0, True)])
def test_rotated_and_flipped_movies_are_read_upright(tmp_path, degrees, flipped):
    planes = to_planes(patches(), (BT709, LIMITED), 10, (1, 2))
    path = encode(tmp_path / "a.mov", [planes] * 2, "prores_ks", "yuv422p10le")
    stored = open_plate(path).read(1).pixels
    data = bytearray(open(path, "rb").read())
    turn = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    a, b, c, d = (-1, 0, 0, 1) if flipped else turn
    at = data.index(b"tkhd") + 4 + 40
    struct.pack_into(">9i", data, at, a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    open(path, "wb").write(data)
    expected = stored[:, ::-1] if flipped else np.rot90(stored, -degrees // 90)
    plate = open_plate(path)
    np.testing.assert_array_equal(plate.read(1).pixels, expected)
    assert plate.size == (expected.shape[1], expected.shape[0])


@pytest.mark.parametrize(
    ("codec", "layout", "bits"), [("prores_ks", "yuva444p10le", 16), ("qtrle", "argb", 8), ("png", "rgba", 8)]
)
def test_alpha_is_read_as_a_layer(tmp_path, codec, layout, bits):
    alpha = np.linspace(0, 1, 96 * 160, dtype=np.float32).reshape(96, 160)
    rgba = np.rint(np.dstack([patches(), alpha]) * 65535).astype("<u2")
    with av.open(str(tmp_path / "a.mov"), "w") as container:
        stream = container.add_stream(codec, rate=24, options={"alpha_bits": "16"} if codec == "prores_ks" else {})
        stream.width, stream.height, stream.pix_fmt = 160, 96, layout
        frame = av.VideoFrame.from_ndarray(rgba, "rgba64le").reformat(format=layout)
        container.mux([*stream.encode(frame), *stream.encode()])
    image = open_plate(str(tmp_path / "a.mov")).read(1)
    assert np.abs(image.layers["A"] - alpha).max() < 1.6 / 255
    assert np.abs(image.pixels[16::32, 16::32] - patches()[16::32, 16::32]).max() < 0.03


@pytest.mark.parametrize("rate", [48, 50, Fraction(60000, 1001), 60, 120])
def test_timecodes_of_high_rates_are_kept(tmp_path, rate):
    path = encode(tmp_path / "a.mov", counters(4), "mjpeg", "yuvj420p", rate=rate, timecode="01:00:00:28")
    texts = [timecode_text(open_plate(path).read(number).metadata) for number in (1, 2, 3, 4)]
    assert texts == [f"01:00:00:{frame}" for frame in (28, 29, 30, 31)]


@pytest.mark.parametrize("rate", [Fraction(60000, 1001), Fraction(24000, 1001), Fraction(50)])
def test_timecode_and_rate_of_matroska_are_read(tmp_path, rate):
    """Names of its tags are in capitals, and times in milliseconds make the rate inexact."""
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        container.metadata["TIMECODE"] = "01:02:03:10"
        stream = container.add_stream("ffv1", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for _ in range(6):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((16, 32, 3), np.uint8), "rgb24")))
        container.mux(stream.encode())
    metadata = open_plate(str(tmp_path / "a.mkv")).read(2).metadata
    assert metadata["framesPerSecond"] == rate and timecode_text(metadata) == "01:02:03:11"


def test_frame_rate_and_drop_frame_timecode_are_read(tmp_path):
    path = encode(
        tmp_path / "a.mov",
        counters(4),
        "libx264",
        "yuv420p",
        options=BFRAMES,
        rate=Fraction(30000, 1001),
        timecode="00:00:59;28",
    )
    metadata = open_plate(path).read(3).metadata
    assert metadata["framesPerSecond"] == Fraction(30000, 1001)
    assert metadata["timeCode"] == OpenEXR.TimeCode(0, 1, 0, 2, 1, *[0] * 13)


def test_a_file_that_is_not_a_movie_is_refused(tmp_path):
    (tmp_path / "a.mov").write_text("words " * 100)
    for name in ("a.mov", "none.mp4"):
        with pytest.raises(UnreadableFrame, match=name):
            open_plate(str(tmp_path / name))


def test_without_pyav_the_error_names_what_to_install(tmp_path, monkeypatch):
    import sys

    for name in ("isolated_plate", "plate"):
        monkeypatch.delitem(sys.modules, f"f2hdr_backend.image.movie.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "f2hdr_backend.image.movie.frames", None)
    monkeypatch.delitem(sys.modules, "f2hdr_backend.image.movie.frames")
    monkeypatch.setitem(sys.modules, "av", None)
    movie = tmp_path / "a.mov"
    movie.write_bytes(b"not read")
    with pytest.raises(ImageError, match=r'pip install "f2hdr\[media\]"'):
        open_plate(str(movie))


def test_the_identity_of_a_frame_includes_its_number(tmp_path):
    plate = open_plate(encode(tmp_path / "a.mp4", counters(3), "libx264", "yuv420p"))
    assert plate.identity(1) != plate.identity(2)
    assert plate.identity(1) == open_plate(str(tmp_path / "a.mp4")).identity(1)
