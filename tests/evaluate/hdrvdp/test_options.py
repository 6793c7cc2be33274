"""Settings of HDR-VDP as typed."""

import pytest

from f2hdr_backend.evaluate.hdrvdp.hdrvdp import HdrVdpSettings
from f2hdr_backend.evaluate.hdrvdp.options import hdrvdp_settings
from f2hdr_backend.shot.errors import DocumentError


def test_no_options_give_the_settings_of_the_paper():
    assert hdrvdp_settings("") == HdrVdpSettings()


def test_settings_of_the_metric_and_of_its_display_are_read():
    read = hdrvdp_settings("round_trip=official,precision=float32")
    assert (read.round_trip, read.precision) == ("official", "float32")
    assert read.display == HdrVdpSettings().display


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("colour=1", ["'colour'", "round_trip"]),
        ("round_trip=none", ["round_trip", "'none'", "official", "unbiased"]),
        ("scale=big", ["scale", "'big'", "number"]),
        ("scale", ["scale", "''"]),
    ],
)
def test_unknown_options_and_invalid_values_are_refused(text, facts):
    with pytest.raises(DocumentError) as caught:
        hdrvdp_settings(text)
    for fact in facts:
        assert fact in str(caught.value)
