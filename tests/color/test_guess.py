"""The color space that is guessed for a plate without a given one, and the reported reason."""

import struct
import sys
import zlib

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest
import tifffile
from PIL import Image, ImageCms

from f2hdr_backend.color.config import load_config
from f2hdr_backend.color.curve import Curve, write_curve
from f2hdr_backend.color.guess import guess
from f2hdr_backend.color.plate import open_color, settle_color
from f2hdr_backend.color.tags import read_tags
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.image.write import write_exr, write_image
from f2hdr_backend.shot.document import Color

AP1 = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)
REC709 = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)
GRAY = np.full((4, 6, 3), 0.5, np.float32)


def guessed(pattern, config="f2hdr"):
    plate = open_plate(str(pattern))
    try:
        return guess(plate, load_config(config))
    finally:
        plate.close()


@pytest.mark.parametrize(
    ("header", "space"),
    [
        ({}, "linear"),
        ({"colorInteropID": "lin_ap1_scene"}, "ACEScg"),
        ({"oiio:ColorSpace": "s-log3 s-gamut3.cine"}, "S-Log3 S-Gamut3.Cine"),
        ({"chromaticities": AP1}, "ACEScg"),
        ({"chromaticities": (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329)}, "Linear Rec.2020"),
        ({"acesImageContainerFlag": 1}, "ACES2065-1"),
        ({"colorInteropID": "lin_ap1_scene", "chromaticities": REC709}, "ACEScg"),
    ],
)
def test_exr_headers_give_the_space(tmp_path, header, space):
    write_exr(tmp_path / "p.0001.exr", {"RGB": GRAY}, header)
    found = guessed(tmp_path / "p.####.exr")
    assert found.space == space and found.why and not found.doubt
    if header:
        assert "default" not in found.why


def test_a_space_that_is_not_in_the_config_is_a_doubt(tmp_path):
    write_exr(tmp_path / "p.0001.exr", {"RGB": GRAY}, {"oiio:ColorSpace": "Sony Venice X-OCN"})
    found = guessed(tmp_path / "p.####.exr")
    assert found.space == "linear" and "Sony Venice X-OCN" in found.doubt and "--input-space" in found.doubt


def png(path, *chunks):
    cv2.imwrite(str(path), np.full((4, 6, 3), 128, np.uint8))
    data = path.read_bytes()
    extra = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    path.write_bytes(data[:33] + extra + data[33:])


@pytest.mark.parametrize(
    ("chunks", "space"),
    [
        ([], "gamma22"),
        ([(b"sRGB", b"\0")], "sRGB - Texture"),
        ([(b"gAMA", struct.pack(">I", 45455))], "gamma22"),
        ([(b"gAMA", struct.pack(">I", 100000))], "linear"),
        ([(b"cICP", bytes([9, 16, 0, 1]))], "Rec.2100-PQ - Display"),
        ([(b"cICP", bytes([1, 13, 0, 1]))], "sRGB - Texture"),
        ([(b"cICP", bytes([1, 1, 0, 1]))], "Camera Rec.709"),
        ([(b"cICP", bytes([2, 2, 0, 1])), (b"sRGB", b"\0")], "sRGB - Texture"),
        ([(b"cICP", bytes([1, 16, 0, 1])), (b"sRGB", b"\0")], "gamma22"),
    ],
)
def test_png_chunks_give_the_space(tmp_path, chunks, space):
    png(tmp_path / "p.0001.png", *chunks)
    assert guessed(tmp_path / "p.####.png").space == space


@pytest.mark.parametrize(
    ("chunk", "word"),
    [
        ((b"cICP", bytes([1, 13, 0, 0])), "narrow"),
        ((b"cICP", bytes([1, 13, 1, 1])), "matrix 1"),
        ((b"cICP", bytes([1, 5, 0, 1])), "transfer function 5"),
        ((b"iCCP", b"x\0\0" + zlib.compress(b"no profile" * 20)), "ICC"),
    ],
)
def test_png_chunks_that_give_no_space_are_a_doubt(tmp_path, chunk, word):
    png(tmp_path / "p.0001.png", chunk)
    found = guessed(tmp_path / "p.####.png")
    assert found.space == "gamma22" and word in found.doubt and "--input-space" in found.doubt


def test_a_data_space_is_not_a_color_space(tmp_path):
    write_exr(tmp_path / "p.0001.exr", {"RGB": GRAY}, {"oiio:ColorSpace": "raw"})
    found = guessed(tmp_path / "p.####.exr")
    assert found.space == "linear" and "raw" in found.doubt


def test_an_untagged_tiff_is_gamma_2_2(tmp_path):
    write_image(tmp_path / "p.0001.tif", GRAY, bits=16)
    found = guessed(tmp_path / "p.####.tif")
    assert found.space == "gamma22" and "default for integer files" in found.why and not found.doubt


def test_a_logarithmic_dpx_is_a_doubt(tmp_path):
    spec = oiio.ImageSpec(6, 4, 3, "uint10")
    spec.attribute("dpx:Transfer", "Logarithmic")
    output = oiio.ImageOutput.create(str(tmp_path / "p.0001.dpx"))
    output.open(str(tmp_path / "p.0001.dpx"), spec)
    output.write_image(GRAY)
    output.close()
    found = guessed(tmp_path / "p.####.dpx")
    assert found.space == "gamma22" and "ogarithmic" in found.doubt or "KodakLog" in found.doubt


@pytest.mark.parametrize(
    ("name", "space"),
    [
        ("sh010_slog3_sgamut3cine.####.tif", "S-Log3 S-Gamut3.Cine"),
        ("sh010_ACEScg.####.tif", "ACEScg"),
        ("draw.####.tif", "gamma22"),
        ("acescgx.####.tif", "gamma22"),
    ],
)
def test_space_names_in_file_names_are_used(tmp_path, name, space):
    write_image(tmp_path / name.replace("####", "0001"), GRAY, bits=16)
    found = guessed(tmp_path / name)
    assert found.space == space and ("rule" in found.why) == (space != "gamma22")


def test_space_names_in_folder_names_are_ignored(tmp_path):
    (tmp_path / "ACEScg").mkdir()
    write_image(tmp_path / "ACEScg" / "p.0001.tif", GRAY, bits=16)
    assert guessed(tmp_path / "ACEScg" / "p.####.tif").space == "gamma22"


def test_file_rules_of_a_custom_config_are_used(tmp_path):
    text = load_config("f2hdr").config.serialize().replace(
        "  - !<Rule> {name: Default",
        '  - !<Rule> {name: dailies, colorspace: ARRI LogC4, pattern: "*/dailies/*", extension: "*"}\n'
        "  - !<Rule> {name: Default",
    )  # fmt: skip
    (tmp_path / "own.ocio").write_text(text, encoding="utf-8")
    (tmp_path / "dailies").mkdir()
    write_image(tmp_path / "dailies" / "p.0001.tif", GRAY, bits=16)
    found = guessed(tmp_path / "dailies" / "p.####.tif", str(tmp_path / "own.ocio"))
    assert found.space == "ARRI LogC4" and '"dailies"' in found.why


@pytest.mark.parametrize(
    ("tags", "space", "doubted"),
    [
        ((2, 2), "gamma22", False),
        ((1, 1), "Camera Rec.709", False),
        ((13, 1), "sRGB - Texture", False),
        ((16, 9), "Rec.2100-PQ - Display", False),
        ((18, 9), "Rec.2100-HLG - Display", False),
        ((1, 9), "gamma22", True),
        ((2, 9), "gamma22", True),
        *(((transfer, 1), "gamma22", True) for transfer in (5, 7, 9, 10, 11, 14, 15, 17)),
    ],
)
def test_movie_tags_give_the_space(tmp_path, tags, space, doubted):
    av = pytest.importorskip("av")
    path = tmp_path / "p.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv444p"
        stream.codec_context.color_trc, stream.codec_context.color_primaries = tags
        for _ in range(2):
            frame = av.VideoFrame.from_ndarray(np.full((16, 16, 3), 90, np.uint8), format="rgb24").reformat(
                format="yuv444p"
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    found = guessed(path)
    assert found.space == space and bool(found.doubt) == doubted


def test_chromaticities_and_gamma_of_a_png_are_used_or_a_doubt(tmp_path):
    primaries = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
    chunk = struct.pack(">8I", *(round(value * 100_000) for value in (0.3127, 0.329, *primaries)))
    png(tmp_path / "p.0001.png", (b"gAMA", struct.pack(">I", 45455)), (b"cHRM", chunk))
    plate = open_plate(str(tmp_path / "p.####.png"))
    assert read_tags(plate).chromaticities == pytest.approx((*primaries, 0.3127, 0.329))
    png(tmp_path / "q.0001.png", (b"gAMA", struct.pack(">I", 55556)))
    found = guessed(tmp_path / "q.####.png")
    assert found.space == "gamma22" and "gAMA" in found.doubt and "1.8" in found.doubt


def test_primaries_of_a_radiance_header_are_read(tmp_path):
    values = "0.708 0.292 0.170 0.797 0.131 0.046 0.3127 0.3290"
    header = f"#?RADIANCE\nPRIMARIES= {values}\nFORMAT=32-bit_rle_rgbe\n\n-Y 4 +X 6\n"
    (tmp_path / "p.0001.hdr").write_bytes(header.encode() + bytes([128, 128, 128, 129]) * 24)
    plate = open_plate(str(tmp_path / "p.####.hdr"))
    assert read_tags(plate).chromaticities == pytest.approx([float(value) for value in values.split()])


def test_primaries_of_a_radiance_header_that_are_not_numbers_are_ignored(tmp_path):
    header = "#?RADIANCE\nPRIMARIES= a b c d e f g h\nFORMAT=32-bit_rle_rgbe\n\n-Y 4 +X 6\n"
    (tmp_path / "p.0001.hdr").write_bytes(header.encode() + bytes([128, 128, 128, 129]) * 24)
    assert read_tags(open_plate(str(tmp_path / "p.####.hdr"))).chromaticities is None


@pytest.mark.skipif(sys.platform != "linux", reason="other systems store no such names")
def test_a_plate_whose_path_is_not_text_is_guessed_like_others(tmp_path):
    folder = tmp_path / "m\udcffller"
    folder.mkdir()
    write_image(folder / "p.0001.tif", GRAY, 8)
    assert guessed(folder / "p.####.tif").space == "gamma22"


@pytest.mark.parametrize(
    ("transfer", "colorimetric", "writer", "space"),
    [
        (6, 6, b"", "Camera Rec.709"),
        (5, 5, b"", "Camera Rec.709"),
        (7, 7, b"", "Camera Rec.709"),
        (2, 6, b"a scanner", "linear"),
        (0, 0, b"", "gamma22"),
    ],
)
def test_dpx_fields_are_interpreted_by_the_standard(tmp_path, transfer, colorimetric, writer, space):
    dpx(tmp_path / "p.0001.dpx", transfer, colorimetric, writer)
    found = guessed(tmp_path / "p.####.dpx")
    assert found.space == space and not found.doubt


@pytest.mark.parametrize(
    ("transfer", "colorimetric", "writer", "word"),
    [(2, 2, b"", "FFmpeg"), (2, 6, b"Lavc60.3.100", "FFmpeg"), (3, 3, b"", "logarithmic"), (1, 1, b"", "printing")],
)
def test_dpx_fields_that_give_no_space_are_a_doubt(tmp_path, transfer, colorimetric, writer, word):
    dpx(tmp_path / "p.0001.dpx", transfer, colorimetric, writer)
    found = guessed(tmp_path / "p.####.dpx")
    assert found.space == "gamma22" and word in found.doubt and "--input-space" in found.doubt


def dpx(path, transfer, colorimetric, writer):
    """A gray 10-bit picture of 6 x 4, by the standard's table of fields."""
    header = bytearray(b"\xff" * 2048)
    header[0:4], header[136:660] = b"SDPX", bytes(524)
    header[160 : 160 + len(writer)] = writer
    struct.pack_into(">I", header, 4, 2048)
    struct.pack_into(">HHII", header, 768, 0, 1, 6, 4)
    header[800:804] = bytes((50, transfer, colorimetric, 10))
    struct.pack_into(">HHI", header, 804, 1, 0, 2048)
    path.write_bytes(bytes(header) + struct.pack(">I", 0x80200800) * 24)


@pytest.mark.parametrize(("tag", "space"), [(1, "sRGB - Texture"), (65535, "gamma22")])
def test_the_exif_tag_of_srgb_is_used(tmp_path, tag, space):
    """65535 is uncalibrated, as cameras write it for their other spaces."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = tag
    Image.new("RGB", (8, 6), (99, 99, 99)).save(tmp_path / "p.0001.jpg", exif=exif)
    assert guessed(tmp_path / "p.####.jpg").space == space


def test_adobe_rgb_of_cameras_is_recognized_without_a_profile(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0xA001: 65535, 0xA005: {1: "R03"}})
    Image.new("RGB", (8, 6), (99, 99, 99)).save(tmp_path / "p.0001.jpg", exif=exif)
    found = guessed(tmp_path / "p.####.jpg")
    assert found.space == "gamma22" and "R03" in found.why
    primaries = read_tags(open_plate(str(tmp_path / "p.####.jpg"))).chromaticities
    assert primaries == pytest.approx((0.64, 0.33, 0.21, 0.71, 0.15, 0.06, 0.3127, 0.329))


def test_a_response_curve_keeps_the_primaries_that_the_files_state(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0xA001: 65535, 0xA005: {1: "R03"}})
    Image.new("RGB", (8, 6), (99, 99, 99)).save(tmp_path / "p.0001.jpg", exif=exif)
    Image.new("RGB", (8, 6), (99, 99, 99)).save(tmp_path / "q.0001.jpg")
    write_curve(tmp_path / "c.json", Curve(np.repeat(np.linspace(0, 1, 49)[:, None] ** 1.8, 3, axis=1)), {})
    for name, primaries in (("p", (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, 0.3127, 0.329)), ("q", REC709)):
        plate = open_plate(str(tmp_path / f"{name}.####.jpg"))
        color, _ = settle_color(Color(config="f2hdr", response=str(tmp_path / "c.json")), plate)
        assert open_color(color, plate).facts["chromaticities"] == pytest.approx(primaries, abs=1e-4)


@pytest.mark.parametrize("order", "<>")
def test_primaries_of_a_tiff_are_read(tmp_path, order):
    primaries = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
    pairs = [
        tuple(value for share in shares for value in (round(share * 10_000), 10_000))
        for shares in ((0.3127, 0.329), primaries)
    ]
    tags = [(318, "2I", 2, pairs[0], True), (319, "2I", 6, pairs[1], True)]
    tifffile.imwrite(
        tmp_path / "p.0001.tif", np.zeros((4, 6, 3), np.uint16), photometric="rgb", byteorder=order, extratags=tags
    )
    plate = open_plate(str(tmp_path / "p.####.tif"))
    assert read_tags(plate).chromaticities == pytest.approx((*primaries, 0.3127, 0.329))


def test_the_profile_of_a_picture_after_its_thumbnail_is_used(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    with tifffile.TiffWriter(tmp_path / "p.0001.tif") as file:
        file.write(np.zeros((4, 6, 3), np.uint8), photometric="rgb", subfiletype=1)
        file.write(np.zeros((16, 24, 3), np.uint16), photometric="rgb", iccprofile=profile)
    assert guessed(tmp_path / "p.####.tif").space == "icc"
