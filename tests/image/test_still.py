"""Stills whose numbers need care: inverted grays, other color models, thumbnails, sensitivities."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from f2hdr_backend.color.tags import _still
from f2hdr_backend.image.read import open_plate, read_image
from f2hdr_backend.shot.errors import UnreadableFrame

GRAY = np.linspace(0, 1, 24 * 16).reshape(16, 24)


@pytest.mark.parametrize("bits", [1, 8, 16])
def test_min_is_white_is_inverted(tmp_path, bits):
    codes = np.rint(GRAY * (2**bits - 1)).astype({1: bool, 8: np.uint8, 16: np.uint16}[bits])
    for photometric, expected in (("miniswhite", 1 - codes / (2**bits - 1)), ("minisblack", codes / (2**bits - 1))):
        tifffile.imwrite(tmp_path / "a.tif", codes, photometric=photometric)
        pixels = read_image(str(tmp_path / "a.tif")).pixels
        np.testing.assert_allclose(pixels, np.stack([expected] * 3, axis=-1), atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_min_is_white_leaves_alpha_as_it_is(tmp_path, dtype):
    top = np.iinfo(dtype).max
    codes = np.rint(np.dstack([GRAY, GRAY[::-1]]) * top).astype(dtype)
    tifffile.imwrite(
        tmp_path / "a.tif", codes, photometric="miniswhite", extrasamples=["unassalpha"], planarconfig="contig"
    )
    image = read_image(str(tmp_path / "a.tif"))
    np.testing.assert_allclose(image.pixels[..., 0], 1 - codes[..., 0] / top, atol=1e-6)
    np.testing.assert_allclose(image.layers["A"], codes[..., 1] / top, atol=1e-6)


@pytest.mark.parametrize("mode", ["LAB", "CMYK"])
def test_other_color_models_are_refused(tmp_path, mode):
    Image.fromarray(np.zeros((16, 24, 3), np.uint8)).convert(mode).save(tmp_path / "p.1001.tif")
    with pytest.raises(UnreadableFrame, match="RGB"):
        read_image(str(tmp_path / "p.1001.tif"))
    with pytest.raises(UnreadableFrame, match="RGB"):
        open_plate(str(tmp_path / "p.####.tif"))


def test_the_full_picture_is_read_and_not_the_thumbnail(tmp_path):
    codes = np.rint(np.stack([GRAY] * 3, axis=-1) * 255).astype(np.uint8)
    with tifffile.TiffWriter(tmp_path / "p.1001.tif") as file:
        file.write(codes[::4, ::4], photometric="rgb", subfiletype=1)
        file.write(codes, photometric="rgb")
    plate = open_plate(str(tmp_path / "p.####.tif"))
    image = plate.read(1001)
    assert plate.size == (24, 16) and image.notes == ()
    np.testing.assert_allclose(image.pixels, codes / 255, atol=1e-6)


def test_a_thumbnail_whose_picture_is_in_a_sub_directory_is_refused(tmp_path):
    codes = np.rint(np.stack([GRAY] * 3, axis=-1) * 255).astype(np.uint8)
    with tifffile.TiffWriter(tmp_path / "p.1001.tif") as file:
        file.write(codes[::4, ::4], photometric="rgb", subfiletype=1, subifds=1)
        file.write(codes, photometric="rgb")
    for read in (read_image, lambda path: open_plate(path.replace("1001", "####"))):
        with pytest.raises(UnreadableFrame, match=r"p\.1001\.tif"):
            read(str(tmp_path / "p.1001.tif"))


def test_linear_camera_raw_in_a_tiff_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((16, 24, 3), np.uint16), photometric="linear_raw")
    with pytest.raises(UnreadableFrame, match=r"a\.tif"):
        read_image(str(tmp_path / "a.tif"))


def test_a_volume_is_refused(tmp_path):
    size = struct.pack("<7I", 124, 0x80_100F, 8, 8, 32, 2, 0)
    pixel = struct.pack("<8I", 32, 0x41, 0, 32, 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = b"DDS " + size + bytes(44) + pixel + struct.pack("<5I", 0x1008, 0x200000, 0, 0, 0)
    (tmp_path / "a.dds").write_bytes(header + bytes(2 * 8 * 8 * 4))
    with pytest.raises(UnreadableFrame, match="volume of 2"):
        read_image(str(tmp_path / "a.dds"))


MEMORY = """
import re, sys
from pathlib import Path
from f2hdr_backend.image.still import read_still

def most():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

small, large = sys.argv[1:]
read_still(small)
before = most()
image = read_still(large)
print((most() - before) / (image.pixels.nbytes + sum(plane.nbytes for plane in image.layers.values())))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="The largest memory of a process is read from /proc")
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_decoded_image_is_in_memory_once(tmp_path, mode):
    for name, height in (("small", 16), ("large", 9600)):
        Image.new(mode, (600, height)).save(tmp_path / f"{name}.png")
    words = [sys.executable, "-c", MEMORY, str(tmp_path / "small.png"), str(tmp_path / "large.png")]
    ran = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert 0.5 < float(ran.stdout) < 1.5


@pytest.mark.parametrize("place", [(0, 0), (5, 77)])
@pytest.mark.parametrize("name", ["a.png", "a.tif", "tiles.tif"])
def test_images_of_many_strips_or_tiles_keep_their_rows_at_any_offset(tmp_path, name, place):
    import OpenImageIO as oiio

    codes = np.random.default_rng(2).integers(0, 65535, (700, 48, 4), dtype=np.uint16)
    spec = oiio.ImageSpec(48, 700, 4, "uint16")
    spec.x, spec.y = place
    spec.attribute("oiio:UnassociatedAlpha", 1)
    if "tiles" in name:
        spec.tile_width = spec.tile_height = 64
    file = oiio.ImageOutput.create(str(tmp_path / name))
    assert file.open(str(tmp_path / name), spec) and file.write_image(codes) and file.close()
    image = read_image(str(tmp_path / name))
    np.testing.assert_allclose(image.pixels, codes[..., :3] / 65535, atol=1e-6)
    np.testing.assert_allclose(image.layers["A"], codes[..., 3] / 65535, atol=1e-6)


@pytest.mark.parametrize(
    ("line", "noted"), [("EXPOSURE=4", True), ("COLORCORR=1 2 1", True), ("EXPOSURE=1.0", False), ("VIEW=-vtv", False)]
)
def test_lines_of_a_radiance_header_that_change_the_pixels_are_reported(tmp_path, line, noted):
    header = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n{line}\n\n-Y 4 +X 6\n"
    (tmp_path / "a.hdr").write_bytes(header.encode() + bytes([128, 128, 128, 129]) * 24)
    notes = read_image(str(tmp_path / "a.hdr")).notes
    assert len(notes) == noted and all(line in note for note in notes)


def test_further_pages_are_reported(tmp_path):
    codes = np.zeros((16, 24, 3), np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for _ in range(3):
            file.write(codes, photometric="rgb")
    (note,) = read_image(str(tmp_path / "a.tif")).notes
    assert "a.tif" in note and "3" in note


def tiff_with_exif(path, seconds, iso):
    """Write a gray TIFF of 16 x 16 whose Exif directory has an exposure time (1/seconds) and a sensitivity."""
    entries = [(256, 3, 1, 16), (257, 3, 1, 16), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 256)]
    entries += [(277, 3, 1, 1), (278, 3, 1, 16), (279, 4, 1, 256), (34665, 4, 1, 160)]
    first = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    exif = struct.pack("<HHHIIHHIII", 2, 33434, 5, 1, 200, 34855, 3, 1, iso, 0)
    data = (b"II*\0" + struct.pack("<I", 8) + first).ljust(160, b"\0") + exif
    data = data.ljust(200, b"\0") + struct.pack("<II", 1, seconds)
    path.write_bytes(data.ljust(256, b"\0") + bytes([40]) * 256)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_time_and_sensitivity_of_exif_give_the_exposure(tmp_path, suffix):
    for number, (seconds, iso) in enumerate([(96, 200), (48, 800)] * 2, start=1001):
        if suffix == "tif":
            tiff_with_exif(tmp_path / f"p.{number}.tif", seconds, iso)
            continue
        exif = Image.Exif()
        exif[0x8769] = {0x829A: IFDRational(1, seconds), 0x8827: iso}
        picture = Image.fromarray(np.full((16, 24, 3), 40, np.uint8))
        picture.save(tmp_path / f"p.{number}.{suffix}", exif=exif)
    reported = open_plate(str(tmp_path / f"p.####.{suffix}")).exposure_metadata()
    assert reported is not None
    assert reported[1002] - reported[1001] == pytest.approx(3, abs=0.01) and reported[1003] == reported[1001]


def test_exif_of_the_thumbnail_is_that_of_the_picture(tmp_path):
    """The first directory of a TIFF has the Exif of the file, also if it is a thumbnail."""
    codes = np.zeros((16, 24, 3), np.uint8)
    for number, seconds in ((1001, 96), (1002, 24)):
        tags = [(33434, "2I", 1, (1, seconds), True)]
        with tifffile.TiffWriter(tmp_path / f"p.{number}.tif") as file:
            file.write(codes[::4, ::4], photometric="rgb", subfiletype=1, extratags=tags)
            file.write(codes, photometric="rgb")
    exposures = open_plate(str(tmp_path / "p.####.tif")).exposure_metadata()
    assert exposures is not None and exposures[1002] - exposures[1001] == pytest.approx(2)


@pytest.mark.parametrize(("scans", "is_read"), [(9, True), (201, False)])
def test_a_jpeg_with_too_many_scans_is_refused_before_it_is_decoded(tmp_path, scans, is_read):
    """A progressive JPEG whose last scan is repeated; decoders go over the whole image for each."""
    path = tmp_path / "frame.jpg"
    Image.fromarray(np.full((16, 16, 3), 128, np.uint8)).save(path, progressive=True)
    data = path.read_bytes()
    last = data[data.rindex(b"\xff\xda") : -2]
    path.write_bytes(data[:-2] + last * (scans - data.count(b"\xff\xda")) + data[-2:])
    if is_read:
        assert read_image(str(path)).pixels.shape == (16, 16, 3)
    else:
        for read in (read_image, _still):  # the pixels, and the color tags
            with pytest.raises(UnreadableFrame, match=r"frame\.jpg.*201.*scans"):
                read(str(path))
