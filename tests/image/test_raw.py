"""Camera raw as a plate: light as the sensor saw it, developed alike in every frame."""

import importlib.util
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from f2hdr_backend.image.read import open_plate, read_image
from f2hdr_backend.image.timecode import timecode_text
from f2hdr_backend.shot.errors import ImageError, UnreadableFrame

pytest.importorskip("rawpy")


def _beside(name):
    """The module in the file of that name in this folder: tests are imported without packages."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


write_dng = _beside("dng").write_dng
HEIGHT, WIDTH, PATCH = 64, 128, 32
PATCHES = np.array(
    [[[0.02] * 3, [0.18] * 3, [0.9] * 3, [0.5, 0.3, 0.2]], [[0.1, 0.4, 0.2], [0.2, 0.25, 0.6], [0.05] * 3, [0.5] * 3]]
)


def scene(gain=1.0):
    return np.kron(PATCHES, np.ones((PATCH, PATCH, 1))) * gain


def centers(pixels):
    return pixels[PATCH // 2 :: PATCH, PATCH // 2 :: PATCH]


def test_radiance_is_linear_within_a_thousandth(tmp_path):
    image = read_image(str(write_dng(tmp_path / "a.dng", scene())), 7)
    assert (image.kind, image.number, image.pixels.dtype, image.pixels.shape) == ("float", 7, np.float32, (64, 128, 3))
    np.testing.assert_allclose(centers(image.pixels), PATCHES, rtol=0.001, atol=1 / 14488)
    bright = PATCHES > 0.15
    np.testing.assert_allclose(centers(image.pixels)[bright], PATCHES[bright], rtol=0.001)
    assert image.metadata["f2hdr/plate_white_balance"] == pytest.approx([2, 1, 1.25, 1], rel=1e-4)
    assert image.metadata["expTime"] == pytest.approx(1 / 48)


@pytest.mark.parametrize(("black", "white"), [(0, 65535), (64, 1023), (2047, 16383), (150, 4095)])
def test_black_and_white_levels_are_those_of_the_file(tmp_path, black, white):
    image = read_image(str(write_dng(tmp_path / "a.dng", scene(), black=black, white=white)))
    step = 1 / (white - black)
    np.testing.assert_allclose(centers(image.pixels), PATCHES, rtol=0.001, atol=1.3 * step)
    dark = read_image(str(write_dng(tmp_path / "b.dng", scene(0), black=black, white=white)))
    assert dark.pixels.max() == 0


def test_brightness_and_white_balance_do_not_depend_on_the_content(tmp_path):
    """The brightest pixel is no white level: half the light is half the value, far below the clip or near it."""
    for gain in (1.0, 0.9, 0.5, 0.125):
        image = read_image(str(write_dng(tmp_path / f"{gain}.dng", scene(gain))))
        np.testing.assert_allclose(centers(image.pixels), PATCHES * gain, rtol=0.002, atol=1 / 14488)


def test_clipped_sensor_values_are_1_in_every_channel(tmp_path):
    image = read_image(str(write_dng(tmp_path / "a.dng", np.full((HEIGHT, WIDTH, 3), 3.0))))
    np.testing.assert_allclose(image.pixels, 1.0, atol=1e-4)


def test_white_balance_stays_that_of_the_first_frame(tmp_path):
    """Each frame claims another as-shot white; the camera saw the same light by the same sensor."""
    sensor = np.array([0.5, 1, 0.8])
    for number, claimed in enumerate([(0.5, 1, 0.8), (0.7, 1, 0.5), (0.4, 1, 0.9), (0.5, 1, 0.8)], start=1):
        light = scene() * sensor / np.array(claimed)
        write_dng(tmp_path / f"p.{number:04d}.dng", light, neutral=claimed)
    plate = open_plate(str(tmp_path / "p.####.dng"))
    assert (plate.default_encoding, plate.size, str(plate.frames)) == ("linear", (WIDTH, HEIGHT), "1-4")
    first = plate.read(1)
    for number in (2, 3, 4):
        image = plate.read(number)
        np.testing.assert_allclose(centers(image.pixels), centers(first.pixels), rtol=0.001, atol=1 / 14488)
        assert image.metadata["f2hdr/plate_white_balance"] == first.metadata["f2hdr/plate_white_balance"]
    alone = read_image(str(tmp_path / "p.0002.dng")).pixels
    assert np.abs(centers(alone) - centers(first.pixels)).max() > 0.05


def test_the_identity_of_a_frame_includes_its_white_balance(tmp_path):
    for number in (1, 2):
        write_dng(tmp_path / f"p.{number}.dng", scene())
    before = open_plate(str(tmp_path / "p.#.dng")).identity(2)
    write_dng(tmp_path / "p.1.dng", scene(), neutral=(0.6, 1, 0.7))
    assert open_plate(str(tmp_path / "p.#.dng")).identity(2) != before


def test_exposures_come_from_shutter_and_sensitivity(tmp_path):
    """Magic Lantern's HDR video: the sensitivity alternates, the shutter does not."""
    for number in range(1, 5):
        write_dng(tmp_path / f"p.{number}.dng", scene(), iso=100 if number % 2 else 800)
    values = open_plate(str(tmp_path / "p.#.dng")).exposure_metadata()
    assert [round(values[n] - values[1], 3) for n in range(1, 5)] == [0, 3, 0, 3]


@pytest.mark.parametrize(
    ("rate", "code", "text"),
    [
        ((24000, 1001), "1103020100000000", "01:02:03:11"),
        ((25, 1), "2459591300000000", "13:59:59:24"),
        ((30000, 1001), "4203050200000000", "02:05:03;02"),
        ((60, 1), "2983020100000000", "01:02:03:59"),
        ((50, 1), "1703028100000000", "01:02:03:35"),
        ((50, 1), "1703020100000000", "01:02:03:34"),
    ],
)
def test_timecode_and_rate_of_cinema_dng_are_kept(tmp_path, rate, code, text):
    extra = ((51043, 1, bytes.fromhex(code)), (51044, 10, list(rate)), (51081, 2, b"A001\0\0"))
    path = str(write_dng(tmp_path / "a.dng", scene(), extra=extra))
    for metadata in (read_image(path).metadata, sys.modules["f2hdr_backend.image.raw"].probe_raw(path)[2]):
        assert metadata["framesPerSecond"] == Fraction(*rate)
        assert timecode_text(metadata) == text
        assert metadata["reelName"] == "A001"


def test_a_dng_with_damaged_time_tags_has_none(tmp_path):
    extra = ((51043, 1, bytes.fromhex("ffffffff00000000")), (51044, 10, [24, 0]))
    metadata = read_image(str(write_dng(tmp_path / "a.dng", scene(), extra=extra))).metadata
    assert not {"timeCode", "timecode", "framesPerSecond", "reelName"} & set(metadata)


def test_portrait_frames_are_rotated_upright(tmp_path):
    light = scene()
    write_dng(tmp_path / "p.1.dng", light, orientation=6)
    plate = open_plate(str(tmp_path / "p.#.dng"))
    pixels = plate.read(1).pixels
    assert plate.size == (HEIGHT, WIDTH) and pixels.shape == (WIDTH, HEIGHT, 3)
    np.testing.assert_allclose(centers(pixels), centers(np.rot90(light, -1)), rtol=0.001, atol=1 / 14488)


def test_damaged_and_foreign_files_are_refused(tmp_path):
    whole = write_dng(tmp_path / "a.dng", scene()).read_bytes()
    for length in (0, 100, len(whole) // 2):
        (tmp_path / "p.0007.dng").write_bytes(whole[:length])
        with pytest.raises(UnreadableFrame, match=r"p\.0007\.dng") as caught:
            read_image(str(tmp_path / "p.0007.dng"), 7)
        assert caught.value.frame == 7
    with pytest.raises(UnreadableFrame, match=r"none\.dng.*No such file"):
        read_image(str(tmp_path / "none.dng"))


def test_without_rawpy_the_error_names_what_to_install(tmp_path, monkeypatch):
    write_dng(tmp_path / "p.1.dng", scene())
    monkeypatch.delitem(sys.modules, "f2hdr_backend.image.raw", raising=False)
    monkeypatch.delattr("f2hdr_backend.image.raw", raising=False)
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(ImageError, match=r'camera raw.*pip install "f2hdr\[raw\]"'):
        open_plate(str(tmp_path / "p.#.dng"))
