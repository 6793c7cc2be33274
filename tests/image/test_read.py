"""Stills arrive as stored; a pattern becomes a plate that names everything wrong with it."""

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest

from f2hdr_backend.image.read import open_plate, read_image
from f2hdr_backend.image.write import write_exr, write_image
from f2hdr_backend.shot.errors import MissingFrames, ShotError, UnreadableFrame

PIXELS = np.random.default_rng(3).random((24, 36, 4), np.float32)
PIXELS[..., 3] = 0.25


def save(path, pixels, kind, **attributes):
    """Write through OpenImageIO, which must not touch the numbers."""
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], kind)
    for name, value in attributes.items():
        name = name.replace("__", ":")
        if name == "smpte:TimeCode":
            spec.attribute(name, oiio.TypeDesc("timecode"), value)
        else:
            spec.attribute(name, value)
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec) and output.write_image(np.ascontiguousarray(pixels)) and output.close()
    return str(path)


@pytest.mark.parametrize(
    ("name", "kind", "bits"),
    [
        ("a.tif", "uint8", 8),
        ("a.tif", "uint16", 16),
        ("a.png", "uint8", 8),
        ("a.png", "uint16", 16),
        ("a.dpx", "uint16", 10),
        ("a.dpx", "uint16", 16),
    ],
)
def test_integer_codes_are_read_exactly(tmp_path, name, kind, bits):
    top = 2**bits - 1
    codes = np.round(PIXELS[..., :3] * top)
    path = save(tmp_path / name, codes / np.float32(top), kind, oiio__BitsPerSample=bits)
    image = read_image(path, 7)
    assert (image.kind, image.number, image.path, image.nonfinite) == ("integer", 7, path, 0)
    assert image.pixels.dtype == np.float32 and image.layers == {}
    assert np.abs(image.pixels * top - codes).max() < 0.02


def test_full_scale_is_1(tmp_path):
    ends = np.zeros((4, 6, 3), np.float32)
    ends[:, 3:] = 1
    for name, kind in (("a.tif", "uint8"), ("a.png", "uint16"), ("a.dpx", "uint16")):
        np.testing.assert_array_equal(read_image(save(tmp_path / name, ends, kind)).pixels, ends)


def test_float_files_keep_their_values(tmp_path):
    bright = PIXELS[..., :3] * 1000 - 5
    image = read_image(save(tmp_path / "a.tif", bright, "float"))
    assert image.kind == "float"
    np.testing.assert_array_equal(image.pixels, bright)
    radiance = read_image(save(tmp_path / "a.hdr", PIXELS[..., :3] * 50, "float"))
    assert radiance.kind == "float"
    largest = PIXELS[..., :3].max(axis=-1, keepdims=True) * 50
    assert (np.abs(radiance.pixels - PIXELS[..., :3] * 50) / largest).max() < 1 / 128


def test_jpeg_is_read_without_conversion(tmp_path):
    flat = np.full((32, 32, 3), (0.8, 0.4, 0.2), np.float32)
    image = read_image(save(tmp_path / "a.jpg", flat, "uint8", Compression="jpeg:100"))
    assert image.kind == "integer" and np.abs(image.pixels - flat).max() < 2.5 / 255


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_alpha_is_a_layer_and_does_not_change_color(tmp_path, name):
    image = read_image(save(tmp_path / name, PIXELS, "uint16", oiio__UnassociatedAlpha=1))
    np.testing.assert_allclose(image.pixels, PIXELS[..., :3], atol=1e-5)
    assert image.layers.keys() == {"A"} and image.layers["A"].dtype == np.float32
    assert image.pixels.flags.c_contiguous
    np.testing.assert_allclose(image.layers["A"], PIXELS[..., 3], atol=1e-5)


@pytest.mark.parametrize(("name", "kind"), [("a.png", "uint8"), ("a.tif", "float"), ("a.jpg", "uint8")])
def test_gray_is_copied_to_three_channels(tmp_path, name, kind):
    image = read_image(save(tmp_path / name, np.full((16, 16, 1), 0.5, np.float32), kind))
    assert image.pixels.shape == (16, 16, 3) and image.layers == {} and image.pixels.flags.c_contiguous
    assert np.abs(image.pixels - 0.5).max() < 0.01


def test_nan_in_a_float_tiff_is_replaced_and_counted(tmp_path):
    pixels = PIXELS[..., :3].copy()
    pixels[2, 3, 1] = np.nan
    image = read_image(save(tmp_path / "a.tif", pixels, "float"))
    assert image.nonfinite == 1 and image.pixels[2, 3, 1] == 0


def test_metadata_has_its_exr_names(tmp_path):
    path = save(
        tmp_path / "a.dpx",
        PIXELS[..., :3],
        "uint16",
        oiio__BitsPerSample=10,
        smpte__TimeCode=(0x01020304, 0),
        dpx__FrameRate=23.976024627685547,
        Copyright="me",
        PixelAspectRatio=2.0,
    )
    metadata = read_image(path).metadata
    assert metadata["timeCode"] == OpenEXR.TimeCode(1, 2, 3, 4, *[0] * 14)
    assert metadata["framesPerSecond"] == Fraction(24000, 1001)
    assert metadata["owner"] == "me" and metadata["pixelAspectRatio"] == 2.0
    write_exr(tmp_path / "a.exr", {"RGB": PIXELS[..., :3]}, metadata)


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.dpx", "a.hdr", "a.jpg"])
def test_truncated_stills_are_refused(tmp_path, name):
    path = save(tmp_path / name, PIXELS[..., :3], "float" if name == "a.hdr" else "uint8")
    whole = open(path, "rb").read()
    for length in (0, 5, len(whole) // 3, len(whole) - 40):
        cut = tmp_path / f"cut.{name[2:]}"
        cut.write_bytes(whole[:length])
        with pytest.raises(UnreadableFrame) as caught:
            read_image(str(cut), 9)
        assert str(cut) in caught.value.message and caught.value.frame == 9


def test_files_that_are_not_pictures_are_refused(tmp_path):
    (tmp_path / "a.png").write_text("words " * 100)
    (tmp_path / "a.txt").write_text("words " * 100)
    for name in ("a.png", "a.txt"):
        with pytest.raises(UnreadableFrame, match=name):
            read_image(str(tmp_path / name))
    with pytest.raises(UnreadableFrame, match=r"none\.tif"):
        read_image(str(tmp_path / "none.tif"))


def write_plate(folder, frames, suffix="tif"):
    for frame in frames:
        write_image(folder / f"plate.{frame:04d}.{suffix}", PIXELS[..., :3] * (frame % 10) / 10, 16)
    return str(folder / f"plate.####.{suffix}")


def test_a_pattern_is_opened_as_a_plate(tmp_path):
    text = write_plate(tmp_path, range(1001, 1006))
    plate = open_plate(text)
    assert (plate.name, plate.size, plate.default_encoding, plate.missing) == (text, (36, 24), "gamma22", ())
    assert plate.frames.frames == (1001, 1002, 1003, 1004, 1005)
    image = plate.read(1003)
    assert image.number == 1003
    np.testing.assert_allclose(image.pixels, PIXELS[..., :3] * 0.3, atol=1e-5)
    assert plate.exposure_metadata() is None
    plate.require(range(1001, 1006))
    plate.close()


def test_float_plates_are_linear_by_default(tmp_path):
    for frame in (1, 2):
        write_exr(tmp_path / f"p{frame}.exr", {"RGB": PIXELS[..., :3]}, {})
        save(tmp_path / f"q{frame}.tif", PIXELS[..., :3], "float")
    assert open_plate(str(tmp_path / "p#.exr")).default_encoding == "linear"
    assert open_plate(str(tmp_path / "q%d.tif")).default_encoding == "linear"


def test_all_missing_frames_are_named_before_any_work(tmp_path):
    plate = open_plate(write_plate(tmp_path, [1, 2, 4, 8]))
    assert plate.missing == (3, 5, 6, 7)
    plate.require([1, 2, 8])
    with pytest.raises(MissingFrames, match=r"5 frames .*plate\.####\.tif.*: 3,5-7,12") as caught:
        plate.require([1, 2, 3, 5, 6, 7, 8, 12])
    assert caught.value.frames == (3, 5, 6, 7, 12) and "1-2,4,8" in caught.value.hint
    with pytest.raises(MissingFrames, match="1 frame .*: 5"):
        plate.read(5)


def test_a_pattern_that_matches_nothing_is_reported(tmp_path):
    with pytest.raises(MissingFrames, match=r"none\.####\.exr"):
        open_plate(str(tmp_path / "none.####.exr"))
    with pytest.raises(MissingFrames, match="no folder"):
        open_plate(str(tmp_path / "no folder" / "none.%04d.exr"))


def test_files_with_another_padding_are_named(tmp_path):
    write_plate(tmp_path, [1, 2, 3])
    (tmp_path / "plate.0002.tif").rename(tmp_path / "plate.2.tif")
    plate = open_plate(f"{tmp_path}/plate.####.tif")
    assert list(plate.frames) == [1, 3]
    assert any("plate.2.tif" in note for note in plate.read(1).notes)
    with pytest.raises(MissingFrames) as caught:
        open_plate(f"{tmp_path}/plate.######.tif")
    assert f"{tmp_path}/plate.####.tif" in caught.value.hint


def test_negative_frames_named_by_printf_are_read(tmp_path):
    for place, number in enumerate(("-002", "-001", "0000", "0001")):
        save(tmp_path / f"n.{number}.tif", np.full((4, 6, 3), place / 4, np.float32), "uint16")
    plate = open_plate(f"{tmp_path}/n.%04d.tif")
    assert list(plate.frames) == [-2, -1, 0, 1] and plate.missing == ()
    assert [round(float(plate.read(number).pixels[0, 0, 0]) * 4) for number in plate.frames] == [0, 1, 2, 3]


def test_a_frame_of_another_size_is_refused_with_both_sizes(tmp_path):
    text = write_plate(tmp_path, [1, 2])
    write_image(tmp_path / "plate.0002.tif", PIXELS[:20, :30, :3], 16)
    plate = open_plate(text)
    with pytest.raises(UnreadableFrame, match=r"plate\.0002\.tif.*30 x 20.*36 x 24 of frame 1") as caught:
        plate.read(2)
    assert caught.value.frame == 2


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("shot7/plate.1001.exr", "shot7/plate.####.exr"),
        ("take2_v003_00012.tif", "take2_v003_#####.tif"),
        ("shot7/still.exr", "shot7/plate.####.exr"),
        ("shot7/a12b.jp2", "shot7/a##b.jp2"),
    ],
)
def test_a_single_picture_is_refused_with_the_pattern(text, pattern):
    with pytest.raises(ShotError) as caught:
        open_plate(text)
    assert f'"{pattern}"' in caught.value.hint


def test_a_folder_is_not_a_plate(tmp_path):
    with pytest.raises(ShotError) as caught:
        open_plate(str(tmp_path))
    assert str(tmp_path / "plate.####.exr") in caught.value.hint


def test_identity_changes_with_the_file(tmp_path):
    plate = open_plate(write_plate(tmp_path, [1, 2]))
    before = plate.identity(1)
    assert before != plate.identity(2) and before == plate.identity(1)
    write_image(tmp_path / "plate.0001.tif", PIXELS[:, ::-1, :3], 16)
    assert plate.identity(1) != before
    (tmp_path / "plate.0001.tif").unlink()
    with pytest.raises(UnreadableFrame):
        plate.identity(1)


def test_exposures_come_from_exr_headers(tmp_path):
    for frame in range(4):
        write_exr(tmp_path / f"a.{frame}.exr", {"RGB": PIXELS[..., :3]}, {"f2hdr/ev": frame % 2 * 3.0})
    assert open_plate(str(tmp_path / "a.#.exr")).exposure_metadata() == {0: 0.0, 1: 3.0, 2: 0.0, 3: 3.0}
    write_exr(tmp_path / "a.2.exr", {"RGB": PIXELS[..., :3]}, {"expTime": 0.5})
    assert open_plate(str(tmp_path / "a.#.exr")).exposure_metadata() is None
    write_exr(tmp_path / "a.2.exr", {"RGB": PIXELS[..., :3]}, {})
    assert open_plate(str(tmp_path / "a.#.exr")).exposure_metadata() is None


@pytest.mark.parametrize("suffix", ["tif", "jpg"])
def test_exposures_come_from_the_camera_tags_of_stills(tmp_path, suffix):
    for frame, seconds in enumerate((1 / 400, 1 / 50, 1 / 400)):
        save(tmp_path / f"a.{frame}.{suffix}", PIXELS[..., :3], "uint8", ExposureTime=seconds, FNumber=4.0)
    exposures = open_plate(str(tmp_path / f"a.#.{suffix}")).exposure_metadata()
    assert [exposures[frame] - exposures[0] for frame in range(3)] == pytest.approx([0, 3, 0], abs=0.01)


def test_frames_may_be_read_from_many_threads(tmp_path):
    plate = open_plate(write_plate(tmp_path, range(1, 9)))
    with ThreadPoolExecutor(8) as threads:
        images = list(threads.map(plate.read, [*range(1, 9)] * 3))
    for image in images:
        np.testing.assert_allclose(image.pixels, PIXELS[..., :3] * image.number / 10, atol=1e-5)
