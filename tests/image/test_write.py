"""Written files are read back exactly, or not at all, with other tools than ours where available."""

import io
import subprocess
import sys

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest

from f2hdr_backend.image.exr import read_exr
from f2hdr_backend.image.write import read_header, write_exr, write_image
from f2hdr_backend.shot.errors import DocumentError, UnwritableFrame

RNG = np.random.default_rng(5)
RGB = RNG.random((36, 52, 3), np.float32) * 20
PLANE = RNG.random((36, 52), np.float32)


def raw(path):
    channels = OpenEXR.File(str(path), separate_channels=True).channels()
    return {name: channel.pixels for name, channel in channels.items()}


VIEWS = {
    "flipped rows": RGB[::-1],
    "flipped columns": RGB[:, ::-1],
    "every second": RGB[::2, ::2],
    "cropped": RGB[5:30, 7:40],
    "planes first": np.ascontiguousarray(RGB.transpose(2, 0, 1)).transpose(1, 2, 0),
    "turned": RGB.transpose(1, 0, 2),
    "BGR": RGB[..., ::-1],
    "of four": np.concatenate([RGB, RGB], axis=-1)[..., :3],
    "column order": np.asfortranarray(RGB),
    "double": RGB.astype(np.float64)[::-1],
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("pixel_type", ["half", "float"])
def test_every_memory_order_writes_the_right_pixels(tmp_path, view, pixel_type):
    pixels = VIEWS[view]
    layers = {"RGB": pixels, "A": pixels[..., 1].astype(np.float32), "coarse": pixels.astype(np.float32)}
    layers["mask"] = VIEWS["planes first"].astype(np.float32)[: pixels.shape[0], : pixels.shape[1], 0]
    if layers["mask"].shape != pixels.shape[:2]:
        del layers["mask"]
    write_exr(tmp_path / "a.exr", layers, {}, pixel_type=pixel_type)
    stored = raw(tmp_path / "a.exr")
    dtype = np.float16 if pixel_type == "half" else np.float32
    for index, color in enumerate("RGB"):
        expected = np.array(pixels.tolist())[..., index]
        np.testing.assert_array_equal(stored[color], expected.astype(dtype))
        np.testing.assert_array_equal(stored[f"coarse.{color}"], expected.astype(np.float32))
    np.testing.assert_array_equal(stored["A"], np.array(pixels.tolist())[..., 1].astype(np.float32))
    if "mask" in layers:
        np.testing.assert_array_equal(stored["mask"], np.array(layers["mask"].tolist(), np.float32))


def test_layers_keep_their_type_and_the_picture_is_unnamed(tmp_path):
    layers = {
        "forward.u": PLANE - 0.5,
        "mask": PLANE.astype(np.float16),
        "id": (PLANE * 1e9).astype(np.uint32),
        "RGB": RGB,
    }
    assert write_exr(tmp_path / "a.exr", layers, {}) == 0
    stored = raw(tmp_path / "a.exr")
    types = {name: plane.dtype.name for name, plane in stored.items()}
    assert types == {
        **dict.fromkeys("RGB", "float16"),
        "forward.u": "float32",
        "mask": "float16",
        "id": "uint32",
    }
    for name in ("forward.u", "mask", "id"):
        np.testing.assert_array_equal(stored[name], layers[name])
    assert read_exr(str(tmp_path / "a.exr")).layers.keys() == {"forward.u", "mask", "id"}


def test_another_reader_reads_the_same_picture(tmp_path):
    write_exr(tmp_path / "a.exr", {"RGB": RGB, "A": PLANE}, {"owner": "me"}, pixel_type="float")
    seen = oiio.ImageBuf(str(tmp_path / "a.exr"))
    assert seen.spec().channelnames[:4] == ("R", "G", "B", "A")
    np.testing.assert_array_equal(seen.get_pixels("float")[..., :3], RGB)


@pytest.mark.parametrize(
    ("compression", "kind", "error"),
    [("zip", "ZIP", 0), ("piz", "PIZ", 0), ("none", "NO", 0), ("dwaa", "DWAA", 0.5)],
)
def test_every_compression_is_written(tmp_path, compression, kind, error):
    write_exr(tmp_path / "a.exr", {"RGB": RGB}, {}, compression=compression, pixel_type="float")
    assert read_header(tmp_path / "a.exr")["compression"] == getattr(OpenEXR, f"{kind}_COMPRESSION")
    assert np.abs(read_exr(str(tmp_path / "a.exr")).pixels - RGB).max() <= error


def test_half_floats_never_become_infinite(tmp_path):
    pixels = RGB.copy()
    pixels[0, 0] = [65504, 65519, 1]
    pixels[1, 1] = [65521, 1e9, 2]
    pixels[2, 2] = [3, np.inf, -np.inf]
    layers = {"RGB": pixels}
    assert write_exr(tmp_path / "a.exr", layers, {}) == 3
    stored = read_exr(str(tmp_path / "a.exr")).pixels
    assert np.isfinite(stored).all()
    np.testing.assert_array_equal(stored[0, 0], [65504, 65504, 1])
    np.testing.assert_array_equal(stored[1, 1], [65504, 65504, 2])
    np.testing.assert_array_equal(stored[2, 2], [3, 65504, -65504])
    assert layers["RGB"][1, 1, 1] == np.float32(1e9)
    assert write_exr(tmp_path / "a.exr", layers, {}, pixel_type="float") == 0


def test_the_arguments_of_the_caller_are_not_changed(tmp_path):
    header, layers = {"owner": "me"}, {"RGB": RGB}
    write_exr(tmp_path / "a.exr", layers, header)
    assert header == {"owner": "me"} and layers.keys() == {"RGB"} and layers["RGB"] is RGB


@pytest.mark.parametrize(
    "layers",
    [
        {},
        {"RGB": RGB.astype(np.int32)},
        {"RGB": RGB, "mask": PLANE[1:]},
        {"RGB": RGB, "mask": PLANE.astype(np.float64)},
        {"RGB": RGB, "R": PLANE},
        {"RGB": RGB[..., :2]},
        {"RGB": RGB[:0]},
    ],
)
def test_invalid_layers_are_refused(tmp_path, layers):
    if layers.get("RGB", PLANE).dtype == np.int32:
        layers = {"mask": layers["RGB"]}
    with pytest.raises(UnwritableFrame, match=r"a\.exr.*layer"):
        write_exr(tmp_path / "a.exr", layers, {})
    assert list(tmp_path.iterdir()) == []


def test_unknown_options_are_refused_with_the_known_ones(tmp_path):
    with pytest.raises(DocumentError, match="zip, piz, dwaa, none"):
        write_exr(tmp_path / "a.exr", {"RGB": RGB}, {}, compression="zstd")
    with pytest.raises(DocumentError, match="half, float"):
        write_exr(tmp_path / "a.exr", {"RGB": RGB}, {}, pixel_type="double")


FULL_DISK = """
import resource, signal, sys
import numpy as np
from f2hdr_backend.image.write import write_exr, write_image
from f2hdr_backend.shot.errors import UnwritableFrame
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
noise = np.random.default_rng(0).random((64, 64, 3), np.float32)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
for path in sys.argv[1:]:
    write = lambda: write_exr(path, {"RGB": noise}, {}) if path.endswith("exr") else write_image(path, noise, 16)
    write()
    before = open(path, "rb").read()
    for limit in (0, len(before) // 2, len(before) - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            write()
            sys.exit(f"{path} was written into {limit} bytes")
        except UnwritableFrame as error:
            if path not in error.message:
                sys.exit(str(error))
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        if open(path, "rb").read() != before:
            sys.exit(f"{path} was touched")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_leaves_no_partial_file(tmp_path):
    """A limit on file sizes simulates a full disk; the libraries' own PNG and TIFF writers fail this test."""
    names = {"a.exr", "a.png", "a.tif"}
    command = [sys.executable, "-c", FULL_DISK, *(str(tmp_path / name) for name in names)]
    done = subprocess.run(command, timeout=120, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in tmp_path.iterdir()} == names


@pytest.mark.parametrize(("name", "bits"), [("a.png", 8), ("a.png", 16), ("a.tif", 8), ("a.tif", 16), ("a.tiff", 32)])
@pytest.mark.parametrize("channels", [1, 3])
def test_written_pictures_are_read_unchanged(tmp_path, name, bits, channels):
    pixels = RGB[::-1] / 20 if channels == 3 else PLANE.T
    write_image(tmp_path / "new" / name, pixels, bits)
    seen = oiio.ImageBuf(str(tmp_path / "new" / name))
    assert seen.spec().nchannels == channels and str(seen.spec().format) in ("uint8", "uint16", "float")
    error = 0 if bits == 32 else 0.501 / (2**bits - 1)
    np.testing.assert_allclose(seen.get_pixels("float").squeeze(), pixels, rtol=0, atol=error)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name]


def test_codes_are_written_unchanged_and_floats_clipped(tmp_path):
    codes = RNG.integers(0, 65536, (20, 30, 3), np.uint16)
    write_image(tmp_path / "a.png", codes[:, ::-1], 16)
    seen = oiio.ImageBuf(str(tmp_path / "a.png")).get_pixels(oiio.UINT16)
    np.testing.assert_array_equal(seen, codes[:, ::-1])
    write_image(tmp_path / "b.png", np.array([[-1.0, 0.5, 7.0, np.nan]], np.float32), 8)
    assert oiio.ImageBuf(str(tmp_path / "b.png")).get_pixels(oiio.UINT8).ravel().tolist() == [0, 128, 255, 0]


def test_unsupported_formats_are_refused(tmp_path):
    for name, bits in (("a.png", 32), ("a.jpg", 8), ("a", 8), ("a.tif", 10)):
        with pytest.raises(DocumentError, match="8 or 16 bits"):
            write_image(tmp_path / name, RGB, bits)
    with pytest.raises(UnwritableFrame, match="16"):
        write_image(tmp_path / "a.png", np.zeros((4, 4), np.uint16), 8)
    with pytest.raises(UnwritableFrame, match="shape"):
        write_image(tmp_path / "a.png", np.zeros((4, 4, 4), np.float32), 8)
    assert list(tmp_path.iterdir()) == []


def test_the_openexr_library_still_ignores_the_strides_of_arrays():
    """The reason for copying: when this fails, OpenEXR has learned to honor strides."""
    stored = io.BytesIO()
    OpenEXR.File({"type": OpenEXR.scanlineimage}, {"RGB": RGB[::-1]}).write(stored)
    stored.seek(0)
    assert not np.array_equal(OpenEXR.File(stored).channels()["RGB"].pixels, RGB[::-1])
