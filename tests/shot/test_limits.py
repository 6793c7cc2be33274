"""Numbers from outside are checked before they size memory."""

import pytest

from f2hdr_backend.shot import limits
from f2hdr_backend.shot.errors import DocumentError, ExposureError, ShotError, UnreadableFrame
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.limits import check_frames, check_image, check_path, limit


def test_the_largest_image_of_common_cameras_is_allowed():
    check_image("8k.exr", (8192, 4320), 4, 4, 40_000_000)


@pytest.mark.parametrize(
    ("size", "channels", "file_bytes", "fact"),
    [
        ((100_000, 100_000), 3, 452, "100000 x 100000"),
        ((0, 10), 3, 452, "0 x 10"),
        ((-5, 10), 3, 452, "-5 x 10"),
        ((64, 64), 100_000, 452, "100000 channels"),
        ((8192, 4320), 4, 1000, "1000 bytes"),
    ],
)
def test_an_image_beyond_a_limit_names_file_number_and_setting(size, channels, file_bytes, fact):
    with pytest.raises(UnreadableFrame) as caught:
        check_image("a/b.exr", size, channels, 4, file_bytes)
    assert "a/b.exr" in caught.value.message and fact in caught.value.message
    assert caught.value.path == "a/b.exr"


def test_a_small_file_may_decode_to_a_frame_of_common_size():
    check_image("black.exr", (3840, 2160), 4, 4, 500)


def test_the_environment_raises_and_lowers_limits(monkeypatch):
    with pytest.raises(ShotError) as caught:
        check_frames("plate.####.tif", 1_500_000, "the range")
    assert "1500000" in caught.value.message and "plate.####.tif" in caught.value.message
    assert f"{limits.VARIABLE}=frames=1500000" in caught.value.hint
    monkeypatch.setenv(limits.VARIABLE, "frames=1500000, pixels=1K")
    check_frames("plate.####.tif", 1_500_000, "the range")
    assert limit("pixels") == 1000 and limit("cycle") == limits.DEFAULTS["cycle"]


def test_very_high_limits_fit_the_numbers_of_the_system(monkeypatch):
    monkeypatch.setenv(limits.VARIABLE, "pixels=999999999999999G,seconds=999999999999999G,memory=999999999999999G")
    assert limit("seconds") < 2**31 // 1000  # select and alarm count in 32 bits
    assert 8 * limit("pixels") < 2**63 and limit("memory") < 2**63


@pytest.mark.parametrize(
    "text", ["frames", "frames=", "frame=1", "frames=-1", "frames=1T", "frames=1e9", "=1", ",", "frames=" + "9" * 99]
)
def test_an_environment_variable_that_is_not_a_size_is_refused(monkeypatch, text):
    monkeypatch.setenv(limits.VARIABLE, text)
    with pytest.raises(ShotError) as caught:
        limit("frames")
    assert limits.VARIABLE in caught.value.message


@pytest.mark.parametrize("path", ["a\0b", "a\ud800", "x" * 5000])
def test_paths_that_no_file_system_stores_are_refused(path):
    with pytest.raises(DocumentError) as caught:
        check_path(path, "plate")
    assert caught.value.field == "plate" and len(str(caught.value)) < 300


def test_file_names_that_are_not_utf_8_are_paths():
    check_path("caf\udce9.exr", "plate")


@pytest.mark.parametrize("text", ["1-99999999999999", "0-999999999", ",".join(["1-900000"] * 3)])
def test_a_range_of_too_many_frames_is_refused_before_it_is_expanded(text):
    with pytest.raises(ShotError):
        FrameRange.parse(text)


def test_a_cycle_of_thousands_of_exposures_is_refused():
    with pytest.raises(ExposureError) as caught:
        ExposurePattern((0.0, 3.0) * 12_500, 1)
    assert "25000" in caught.value.message
