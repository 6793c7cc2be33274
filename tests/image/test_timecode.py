"""Timecodes survive at every rate, as counts of SMPTE ST 12-1, as pairs of ST 12-3, or as text."""

from fractions import Fraction

import OpenEXR
import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2hdr_backend.image.timecode import timecode_header, timecode_text

NTSC = Fraction(1000, 1001)


def timecode(text, offset=0, rate=None):
    return timecode_header(text, offset, rate).get("timeCode")


@pytest.mark.parametrize(
    ("start", "offset", "rate", "expected"),
    [
        ("01:00:00:00", 0, Fraction(24), (1, 0, 0, 0)),
        ("01:00:00:23", 1, Fraction(24), (1, 0, 1, 0)),
        ("23:59:59:24", 1, Fraction(25), (0, 0, 0, 0)),
        ("00:00:59;29", 1, Fraction(30000, 1001), (0, 1, 0, 2)),
        ("00:09:59;29", 1, Fraction(30000, 1001), (0, 10, 0, 0)),
        ("00:00:00;00", 17982, Fraction(30000, 1001), (0, 10, 0, 0)),
        ("00:00:00;00", 107892, Fraction(30000, 1001), (1, 0, 0, 0)),
    ],
)
def test_timecode_advances_with_the_frames(start, offset, rate, expected):
    drop = int(";" in start)
    assert timecode(start, offset, rate) == OpenEXR.TimeCode(*expected, drop, *[0] * 13)


@given(st.integers(0, 200_000), st.integers(0, 3000))
def test_drop_frame_timecode_is_consecutive(start, offset):
    """Counting in two strides ends where counting in one does."""
    rate = Fraction(30000, 1001)
    middle = timecode("00:00:00;00", start, rate)
    hours, minutes, seconds, frames, drop = str(middle).strip("()").split(", ")[:5]
    text = f"{int(hours):02}:{int(minutes):02}:{int(seconds):02};{int(frames):02}"
    assert drop == "1"
    assert timecode(text, offset, rate) == timecode("00:00:00;00", start + offset, rate)


@pytest.mark.parametrize("text", ["", "noon", "01:00:00", "1:2:3:4", "25:00:00:00", "01:00:00:45"])
def test_text_that_is_not_a_timecode_gives_none(text):
    assert timecode(text) is None


@pytest.mark.parametrize("rate", [48 * NTSC, Fraction(48), Fraction(50), 60 * NTSC, Fraction(60), 120 * NTSC])
def test_every_frame_of_a_high_rate_has_its_own_timecode(rate):
    """Two seconds of timecodes equal those of an editor, without duplicates."""
    nominal = round(rate)
    for offset in range(2 * nominal):
        header = timecode_header("01:00:59:00", offset, rate)
        read = timecode_text({**header, "framesPerSecond": rate})
        seconds, frame = divmod(offset, nominal)
        assert read == f"01:{'00' if seconds == 0 else '01'}:{59 if seconds == 0 else 0:02d}:{frame:02d}"
        assert header["timeCode"].frame <= 29


def test_above_30_fps_two_frames_share_a_number_and_the_second_is_marked():
    first, second = (timecode("01:00:00:34", offset, Fraction(50)) for offset in (0, 1))
    assert (first.frame, first.fieldPhase) == (17, False) and (second.frame, second.fieldPhase) == (17, True)


def test_without_a_rate_high_frames_are_kept_as_text():
    assert timecode_text(timecode_header("01:00:00:35")) == "01:00:00:35"
    assert timecode_text(timecode_header("01:00:00:12")) == "01:00:00:12"


def test_drop_frame_of_a_high_rate_skips_four_numbers():
    header = timecode_header("00:00:59;59", 1, 60 * NTSC)
    assert timecode_text({**header, "framesPerSecond": 60 * NTSC}) == "00:01:00;04"


def test_a_rate_below_one_frame_per_second_has_a_timecode():
    assert timecode_text(timecode_header("00:00:59:00", 2, Fraction(1, 5))) == "00:01:01:00"
