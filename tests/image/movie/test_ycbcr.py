"""The colors of movies, for every coding."""

from itertools import product

import numpy as np
import pytest

from f2hdr_backend.image.read import open_plate
from tests.image.movie.movies import (
    BT601,
    BT709,
    BT2020,
    FLAT,
    FULL,
    HEIGHT,
    LIMITED,
    QUIET,
    UNTAGGED,
    WIDTH,
    av,
    encode,
    patches,
    to_planes,
)  # fmt: skip

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
