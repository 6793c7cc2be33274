"""Attributes survive from plate to result; what EXR cannot store is refused, not dropped."""

import re
from fractions import Fraction

import numpy as np
import OpenEXR
import pytest

from f2hdr_backend.image.exr import read_exr, read_header
from f2hdr_backend.image.metadata import anchor_gain, exposure_value
from f2hdr_backend.image.timecode import timecode_text
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.errors import DocumentError

PIXELS = {"RGB": np.zeros((4, 6, 3), np.float32)}
ATTRIBUTES = {
    "chromaticities": (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767),
    "timeCode": OpenEXR.TimeCode(1, 2, 3, 4, 1, *[0] * 13),
    "keyCode": OpenEXR.KeyCode(),
    "framesPerSecond": Fraction(24000, 1001),
    "owner": "Ä. Müller",
    "comments": "",
    "pixelAspectRatio": 2.0,
    "screenWindowCenter": np.array([0.5, -0.25], np.float32),
    "screenWindowWidth": 1.5,
    "com.camera.serial": 4711,
    "com.camera.tint": -2.5,
    "names": ["a", "b"],
    "curve": [0.0, 0.25, 0.5, 1.0],
    "offset": np.array([3, 4], np.int32),
    "matrix": np.eye(4, dtype=np.float32),
    "area": (np.array([0, 0], np.float32), np.array([1, 1], np.float32)),
}


def same(left, right):
    if isinstance(left, (tuple, list)):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, np.ndarray):
        return np.array_equal(left, right) and left.dtype == right.dtype
    return left == right if not isinstance(left, float) else left == pytest.approx(right, rel=1e-6)


def test_attributes_are_copied_from_plate_to_result_unchanged(tmp_path):
    write_exr(tmp_path / "plate.exr", PIXELS, ATTRIBUTES | {"f2hdr/ev": 3.0, "view": "left"}, compression="piz")
    plate = read_exr(str(tmp_path / "plate.exr")).metadata
    assert plate.keys() == ATTRIBUTES.keys()
    write_exr(tmp_path / "result.exr", PIXELS, plate | {"f2hdr/digest": "12ab"})
    result = read_header(tmp_path / "result.exr")
    assert result["f2hdr/digest"] == "12ab" and "f2hdr/ev" not in result
    for name, value in ATTRIBUTES.items():
        assert same(value, plate[name]), name
        assert same(plate[name], result[name]), name


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(-7), -7),
        (True, 1),
        ("x" * 100_000, "x" * 100_000),
        (("a", "b"), ["a", "b"]),
        ((0.0, 3.0), np.array([0, 3], np.float32)),
        ((0, 3), np.array([0, 3], np.int32)),
        ((0, 0.5, 1.0, 2.0), [0.0, 0.5, 1.0, 2.0]),
        ([1, 2, 3, 4], [1.0, 2.0, 3.0, 4.0]),
    ],
)
def test_python_values_are_written_with_their_exr_type(tmp_path, value, stored):
    write_exr(tmp_path / "a.exr", PIXELS, {"f2hdr/value": value})
    assert same(stored, read_header(tmp_path / "a.exr")["f2hdr/value"])


@pytest.mark.parametrize(
    "value", [None, b"x", {"a": 1}, 2**31, -(2**40), [], (), Fraction(1, 2**33), [None], np.eye(2), np.zeros(5)]
)
def test_values_that_a_header_cannot_store_are_refused_by_name(tmp_path, value):
    with pytest.raises(DocumentError, match="f2hdr/value"):
        write_exr(tmp_path / "a.exr", PIXELS, {"f2hdr/value": value})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "n" * 256, "channels", "dataWindow", "type"])
def test_reserved_attribute_names_are_refused(tmp_path, name):
    with pytest.raises(DocumentError, match=re.escape(f'"{name}"')):
        write_exr(tmp_path / "a.exr", PIXELS, {name: "x"})


HOSTILE = (
    {"framesPerSecond": "abc"}, {"framesPerSecond": Fraction(1, 2**31 - 1)}, {"framesPerSecond": Fraction(-24)},
    {"timeCode": "01:02:03:04"}, {"timecode": 5}, {"multiView": 5}, {"f2hdr/ev": float("nan")},
    {"f2hdr/ev": float("inf")}, {"f2hdr/ev": "3"}, {"expTime": 1.0, "aperture": float("inf")},
    {"expTime": 0.0, "isoSpeed": 1e-30}, {"expTime": "1/50"}, {"f2hdr/anchor_gain": float("inf")},
)  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE, ids=str)
def test_standard_attributes_of_another_type_or_an_impossible_value_are_ignored(tmp_path, hostile):
    path = str(tmp_path / "a.exr")
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, "owner": "me"}
    OpenEXR.File({**header, **hostile}, {"RGB": PIXELS["RGB"]}).write(path)
    for found in (read_header(path), read_exr(path).metadata):
        assert found["owner"] == "me"
        assert exposure_value(found) in (None, 0.0)
        assert timecode_text(found) == ""
        assert anchor_gain(found) is None
        assert [name for name in hostile if name in found and name != "expTime"] == []


def test_exposure_is_read_in_stops():
    assert exposure_value({"f2hdr/ev": 3, "expTime": 1.0}) == 3.0
    one = exposure_value({"expTime": 1 / 50, "aperture": 4.0, "isoSpeed": 400.0})
    assert one == pytest.approx(np.log2(1 / 50 * 4 / 16))
    assert exposure_value({"expTime": 1 / 400}) - exposure_value({"expTime": 1 / 50}) == pytest.approx(-3)
    for nothing in ({}, {"aperture": 4.0}, {"expTime": 0.0}, {"expTime": "1/50"}, {"expTime": float("nan")}):
        assert exposure_value(nothing) is None
