"""Names of color spaces as people write them."""

import pytest

from f2hdr_backend.color.names import near_names, require_pinned, spelled, squeezed
from f2hdr_backend.shot.errors import ColorError

OFFERED = ("ACES2065-1", "ACEScg", "S-Log3 S-Gamut3.Cine", "ARRI LogC4", "sRGB - Texture")


def test_case_and_punctuation_are_ignored():
    assert squeezed("S-Log3 S-Gamut3.Cine") == "slog3sgamut3cine"
    assert squeezed("日本 ") == "日本"


@pytest.mark.parametrize(
    ("wanted", "first"),
    [("slog3", OFFERED[2]), ("aces_cg", "ACEScg"), ("LogC4", "ARRI LogC4"), ("ASEScg", "ACEScg"), ("srgb", OFFERED[4])],
)
def test_the_best_matching_name_comes_first(wanted, first):
    assert near_names(wanted, OFFERED)[0] == first


def test_an_empty_name_has_no_similar_names():
    assert near_names("", OFFERED) == near_names("-", OFFERED) == near_names("qqqq", OFFERED) == ()


def test_a_name_is_returned_in_the_spelling_of_the_config():
    assert spelled("acescg", OFFERED) == "ACEScg"
    assert spelled("aces cg", OFFERED) == "aces cg"


def test_a_built_in_config_without_a_version_is_refused_and_a_fixed_one_suggested():
    with pytest.raises(ColorError) as caught:
        require_pinned("ocio://default", " (from $OCIO)")
    assert "ocio://default" in caught.value.message and "$OCIO" in caught.value.message
    pinned = caught.value.pinned
    assert pinned in caught.value.hint
    require_pinned(pinned, "")
