"""Names of displays and the tags of their signals; light levels of PQ."""

import numpy as np
import pytest

from f2hdr_backend.image.display_tags import LightMeter, pq_to_nits, signal_named, signal_of
from f2hdr_backend.shot.errors import ColorError


@pytest.mark.parametrize(
    ("display", "numbers"),
    [
        ("sRGB", (1, 13, 1)),
        ("sRGB - Display", (1, 13, 1)),
        ("Rec.709", (1, 1, 1)),
        ("Rec.1886 Rec.709 - Display", (1, 1, 1)),
        ("Rec.1886 Rec.2020 - Display", (9, 14, 9)),
        ("Gamma 2.2 Rec.709 - Display", (1, 4, 1)),
        ("Display P3 - Display", (12, 13, 1)),
        ("Rec.2100-PQ", (9, 16, 9)),
        ("Rec.2100-PQ - Display", (9, 16, 9)),
        ("ST2084-P3-D65 - Display", (12, 16, 9)),
        ("Rec.2100-HLG - Display", (9, 18, 9)),
    ],
)
def test_displays_of_the_aces_configs_have_their_tags(display, numbers):
    signal = signal_of(display, "Un-tone-mapped")
    assert (signal.primaries, signal.transfer, signal.matrix) == numbers


@pytest.mark.parametrize(
    ("display", "view"), [("P3-DCI - Display", "Film"), ("P3-D65 - Display", "Film"), ("ACES", "Film"), ("sRGB", "Raw")]
)
def test_unknown_displays_have_no_tags(display, view):
    with pytest.raises(ColorError, match="--tags: pq, hlg"):
        signal_of(display, view)


def test_an_unknown_encoding_is_refused_with_the_known_ones():
    assert signal_named("hlg").transfer == 18
    with pytest.raises(ColorError, match="p3-pq"):
        signal_named("hgl")


def test_pq_follows_st_2084():
    """Code values that BT.2408 and BT.2390 print for these luminances."""
    codes = np.array([0, 0.5081, 0.5807, 0.7518, 0.9026, 1], np.float32)
    np.testing.assert_allclose(pq_to_nits(codes), [0, 100, 203, 1000, 4000, 10000], rtol=1e-3)


def test_light_levels_use_the_brightest_channel_of_each_pixel():
    """MaxCLL is the brightest of all pixels, MaxFALL the highest of the frames' averages (CTA-861.3)."""
    meter = LightMeter()
    for share in (0.25, 0.5):
        frame = np.zeros((10, 20, 3), np.float32)
        frame[:, : int(20 * share)] = (0.1, 0.7518, 0.3)
        meter.add(frame)
    level = meter.level(1000)
    assert (level.peak, level.brightest) == (1000, 1000) and abs(level.average - 500) <= 1
