"""What only the text of an EDL or an FCPXML states."""

import re
from fractions import Fraction

import pytest

from f2hdr_backend.shot.errors import ImageError, ShotError
from f2hdr_backend.timeline.text import USUAL_RATE, edl_rate, retimed_clips

EDL = """TITLE: cut
001  A001 V C        01:00:00:00 01:00:02:00 00:00:00:00 00:00:02:00
* FROM CLIP NAME: one.mov
002  A002 V C        01:00:00:00 01:00:02:00 00:00:02:00 00:00:04:00
M2   A002       048.0                01:00:00:00
* FROM CLIP NAME: two.mov
003  A003 V C        01:00:00:00 01:00:02:00 00:00:04:00 00:00:06:00
M2   A003       024.0                01:00:00:00
* FROM CLIP NAME: three.mov
"""


class Rates:
    """Media by name, as ``Plates`` finds them."""

    def __init__(self, **rates):
        self._rates = rates

    def local(self, path):
        return path

    def rate(self, path):
        name = re.sub(r"\W.*", "", path)
        if name not in self._rates:
            raise ImageError("none")
        return self._rates[name]


def test_the_frame_rate_is_that_of_the_media():
    assert edl_rate(EDL, Rates(one=Fraction(25), three=Fraction(25), two=None)) == (25.0, [])


def test_without_media_the_frame_rate_is_24_with_a_note():
    rate, notes = edl_rate(EDL, Rates())
    assert rate == USUAL_RATE == 24.0 and "24" in notes[0]


@pytest.mark.parametrize(
    "line",
    [
        "* FROM CLIP:" + " " * 500_000 + "x",
        "* FROM CLIP NAME:" + " " * 500_000 + "x",
        "M2 " + "1" * 500_000 + "x 01:00:00:00",
    ],
    ids=["media", "name", "speed"],
)
def test_a_hostile_line_is_read_in_one_pass(line):
    """A pattern that tries every place of such a line takes hours."""
    text = EDL + line + "\n"
    assert edl_rate(text, Rates(one=Fraction(25))) == (25.0, [])
    assert retimed_clips("cut.edl", text, 24.0) == {"two.mov"}


def test_media_of_several_frame_rates_are_refused_and_listed():
    with pytest.raises(ShotError) as caught:
        edl_rate(EDL, Rates(one=Fraction(25), two=Fraction(24000, 1001)))
    assert "25 (one.mov)" in caught.value.message and "23.976 (two.mov)" in caught.value.message


def test_a_clip_with_another_speed_is_a_retime():
    assert retimed_clips("cut.edl", EDL, 24.0) == {"two.mov"}
    assert retimed_clips("cut.EDL", EDL, 48.0) == {"three.mov"}


def test_a_time_map_in_fcpxml_is_a_retime():
    text = '<fcpxml><spine><clip name="a"/><clip name="b"><timeMap/></clip></spine></fcpxml>'
    assert retimed_clips("cut.fcpxml", text, None) == {"b"}


def test_files_of_other_formats_are_not_parsed():
    assert retimed_clips("cut.otio", EDL, 24.0) == set()
