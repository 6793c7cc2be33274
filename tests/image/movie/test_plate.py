"""Movies: the right frame, by its number, in the right colors."""

import struct
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import product

import numpy as np
import OpenEXR
import pytest

from f2hdr_backend.image.read import open_plate
from f2hdr_backend.image.timecode import timecode_text
from f2hdr_backend.shot.errors import ImageError, MissingFrames, UnreadableFrame

av = pytest.importorskip("av")

WIDTH, HEIGHT = 160, 96
BT601, BT709, BT2020, UNTAGGED = 5, 1, 9, 2
WEIGHTS = {BT601: (0.299, 0.114), BT709: (0.2126, 0.0722), BT2020: (0.2627, 0.0593)}
LIMITED, FULL = 1, 2
# With B-frames, x265 writes meaningless times into movies of one or two frames.
QUIET = {"x265-params": "log-level=none:bframes=0", "crf": "4", "preset": "fast"}
FLAT = {"crf": "1", "preset": "fast"}


def encode(path, pictures, codec, pixel_format, tags=(BT709, LIMITED), options=None, rate=25, **metadata):
    """Write pictures given as Y'CbCr planes of code values; times may be shifted by ``start``."""
    start, colr = metadata.pop("start", 0), metadata.pop("colr", False)
    movie_options = {"avoid_negative_ts": "disabled"} if start else {}
    with av.open(str(path), "w", options=movie_options) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = pictures[0][0].shape
        stream.pix_fmt = pixel_format
        stream.codec_context.colorspace, stream.codec_context.color_range = tags
        if colr:
            stream.codec_context.color_primaries = stream.codec_context.color_trc = BT709
        stream.metadata.update(metadata)
        for number, planes in enumerate(pictures):
            frame = av.VideoFrame(stream.width, stream.height, pixel_format)
            frame.colorspace, frame.color_range = tags
            frame.pts = number
            frame.time_base = 1 / Fraction(rate)
            for plane, codes in zip(frame.planes, planes, strict=True):
                rows = np.zeros((plane.height, plane.line_size // codes.itemsize), codes.dtype)
                rows[:, : codes.shape[1]] = codes
                plane.update(rows.tobytes())
            mux(container, stream.encode(frame), start)
        mux(container, stream.encode(), start)
    return str(path)


def mux(container, packets, start):
    for packet in packets:
        shift = round(start / packet.time_base / 25)
        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
        container.mux(packet)


def to_planes(rgb, tags, bits, chroma_step):
    """Code ``(H, W, 3)`` by the definition of the standards, chroma sampled by averaging."""
    red, blue = WEIGHTS[tags[0]]
    luma = rgb @ np.array([red, 1 - red - blue, blue])
    cb, cr = (rgb[..., 2] - luma) / (2 - 2 * blue), (rgb[..., 0] - luma) / (2 - 2 * red)
    scale, top = 2 ** (bits - 8), 2**bits - 1
    y = luma * top if tags[1] == FULL else (16 + 219 * luma) * scale
    chroma = [c * top + 128 * scale if tags[1] == FULL else (128 + 224 * c) * scale for c in (cb, cr)]
    rows, columns = chroma_step
    height, width = luma.shape
    small = [c.reshape(height // rows, rows, width // columns, columns).mean(axis=(1, 3)) for c in chroma]
    dtype = np.uint8 if bits == 8 else np.uint16
    return tuple(np.round(plane).astype(dtype) for plane in (y, *small))


def patches():
    """Return flat patches of 32 x 32: grays and colors inside every gamut."""
    colors = np.array(
        [[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5], [0.8, 0.3, 0.2], [0.2, 0.7, 0.3], [0.25, 0.3, 0.9]]
        + [[0.9, 0.85, 0.1], [0.1, 0.6, 0.65], [0.7, 0.2, 0.6], [0.05, 0.06, 0.04], [0.95, 0.6, 0.5], [0.35, 0.35, 0.2]]
        + [[0.6, 0.6, 0.75], [0.15, 0.1, 0.3], [0.9, 0.2, 0.15]]
    )
    rgb = np.zeros((HEIGHT, WIDTH, 3))
    for index, color in enumerate(colors):
        row, column = divmod(index, WIDTH // 32)
        rgb[row * 32 : row * 32 + 32, column * 32 : column * 32 + 32] = color
    return rgb


CODINGS = {
    "prores 10": ("mov", "prores_ks", "yuv422p10le", 10, (1, 2), {"profile": "3", "qscale": "1"}),
    "h264 8": ("mp4", "libx264", "yuv420p", 8, (2, 2), FLAT),
    "h264 8 444": ("mkv", "libx264", "yuv444p", 8, (1, 1), FLAT),
    "h265 10": ("mp4", "libx265", "yuv420p10le", 10, (2, 2), QUIET),
    "ffv1 12": ("mkv", "ffv1", "yuv422p12le", 12, (1, 2), {}),
}


@pytest.mark.parametrize(
    ("tags", "coding"),
    [
        (tags, coding)
        for tags, coding in product([(BT601, LIMITED), (BT709, LIMITED), (BT709, FULL), (BT2020, LIMITED)], CODINGS)
        if tags[1] == LIMITED or not coding.startswith("prores")  # ProRes has no tag for the range
    ],
)
def test_flat_patches_decode_to_their_color(tmp_path, tags, coding):
    suffix, codec, pixel_format, bits, step, options = CODINGS[coding]
    rgb = patches()
    path = encode(tmp_path / f"a.{suffix}", [to_planes(rgb, tags, bits, step)] * 2, codec, pixel_format, tags, options)
    image = open_plate(path).read(2)
    assert (image.kind, image.number, image.pixels.dtype) == ("integer", 2, np.float32)
    assert image.metadata["f2hdr/plate_range"] == ("full" if tags[1] == FULL else "limited")
    assert image.metadata["f2hdr/plate_matrix"] == {BT601: "bt601", BT709: "bt709", BT2020: "bt2020"}[tags[0]]
    centers = np.s_[16::32, 16::32]
    codes = 1.5 if bits < 12 else 1.65  # what rounding to Y'CbCr alone can do: (0.5 / 219 + 0.93 / 224) * 255
    assert np.abs(image.pixels[centers] - rgb[centers]).max() < codes / (2**bits - 1)


@pytest.mark.parametrize(("height", "matrix"), [(480, BT601), (720, BT709)])
def test_untagged_movies_have_the_matrix_for_their_height(tmp_path, height, matrix):
    rgb = np.full((height, 128, 3), (0.8, 0.3, 0.2))
    planes = to_planes(rgb, (matrix, LIMITED), 8, (2, 2))
    path = encode(
        tmp_path / "a.mp4", [planes], "libx264", "yuv420p", (UNTAGGED, 0), {**FLAT, "x264-params": "b-adapt=0"}
    )
    image = open_plate(path).read(1)
    assert np.abs(image.pixels[50, 50] - rgb[50, 50]).max() < 1.5 / 255
    assert "untagged" in image.metadata["f2hdr/plate_matrix"]


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "bits"),
    [("a.avi", "utvideo", "gbrp", 8), ("a.mkv", "ffv1", "gbrp10le", 10), ("a.mov", "png", "rgb24", 8)],
)
def test_rgb_movies_keep_their_codes(tmp_path, name, codec, pixel_format, bits):
    codes = (
        np.random.default_rng(0).integers(0, 2**bits, (HEIGHT, WIDTH, 3)).astype(np.uint8 if bits == 8 else np.uint16)
    )
    planes = [codes.reshape(HEIGHT, -1)] if pixel_format == "rgb24" else [codes[..., index] for index in (1, 2, 0)]
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
        frame = av.VideoFrame(WIDTH, HEIGHT, pixel_format)
        for plane, values in zip(frame.planes, planes, strict=True):
            rows = np.zeros((HEIGHT, plane.line_size // values.itemsize), values.dtype)
            rows[:, : values.shape[1]] = values
            plane.update(rows.tobytes())
        frame.pts = 0
        for packet in (*stream.encode(frame), *stream.encode()):
            container.mux(packet)
    pixels = open_plate(str(path)).read(1).pixels
    np.testing.assert_allclose(pixels, codes / (2**bits - 1), atol=1e-6)


def test_chroma_is_upsampled_at_its_sample_positions(tmp_path):
    """A slope in color stays straight: left-sited across, midway down."""
    across, down = np.meshgrid(np.arange(WIDTH // 2) * 2.0, np.arange(HEIGHT // 2) * 2 + 0.5)
    luma = np.full((HEIGHT, WIDTH), 500, np.uint16)
    cb, cr = (400 + 0.5 * across).astype(np.uint16), (400 + 2 * down).astype(np.uint16)
    path = encode(tmp_path / "a.mkv", [(luma, cb, cr)], "ffv1", "yuv420p10le")
    pixels = open_plate(path).read(1).pixels.astype(np.float64)
    y = (500 - 64) / 876
    seen_cb = (pixels[..., 2] - y) / (2 - 2 * 0.0722) * 896 + 512
    seen_cr = (pixels[..., 0] - y) / (2 - 2 * 0.2126) * 896 + 512
    assert np.abs(seen_cb - (400 + 0.5 * np.arange(WIDTH)))[:, :-1].max() < 0.02
    assert np.abs(seen_cr - (400 + 2 * np.arange(HEIGHT)[:, None]))[1:-1].max() < 0.02


def counters(count, bits=8, step=(2, 2)):
    """Return pictures whose gray is their number, coarse enough to survive the codec, over moving texture."""
    pictures = []
    for number in range(1, count + 1):
        rgb = np.repeat(np.random.default_rng(number).random((HEIGHT, WIDTH, 1)), 3, axis=-1) * 0.5
        for digit in range(8):
            rgb[:32, digit * 16 : digit * 16 + 16] = 0.9 if number >> digit & 1 else 0.1
        pictures.append(to_planes(rgb, (BT709, LIMITED), bits, step))
    return pictures


def number_in(image):
    return sum(int(image.pixels[16, digit * 16 + 8, 1] > 0.5) << digit for digit in range(8))


BFRAMES = {"bf": "3", "g": "12", "b_strategy": "0"}
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


def test_the_matrix_of_the_container_is_used_if_the_frame_has_none(tmp_path):
    """ProRes frames may leave their tags open while the file's colr box has them."""
    planes = to_planes(patches(), (BT709, LIMITED), 10, (1, 2))
    path = encode(tmp_path / "a.mov", [planes] * 2, "prores_ks", "yuv422p10le", options={"qscale": "1"}, colr=True)
    data = bytearray(open(path, "rb").read())
    at = data.index(b"icpf")
    while at >= 0:
        data[at + 4 + 14 : at + 4 + 17] = bytes((2, 2, 2))
        at = data.find(b"icpf", at + 4)
    open(path, "wb").write(data)
    frame = next(av.open(path).decode(video=0))
    assert int(frame.colorspace) == UNTAGGED
    image = open_plate(path).read(1)
    assert image.metadata["f2hdr/plate_matrix"] == "bt709"
    centers = np.s_[16::32, 16::32]
    assert np.abs(image.pixels[centers] - patches()[centers]).max() < 2.5 / 1023


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
