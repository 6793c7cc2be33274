"""Targets of a delivery, by the name of the output."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from f2hdr_backend.deliver.target import Movie, Pictures, Wish, target_of
from f2hdr_backend.image.display_tags import PQ, Signal
from f2hdr_backend.shot.errors import DocumentError, F2HDRError

SIGNAL = Signal("Rec.2100-PQ", 9, PQ, 9)


def target(output, codec="auto", size=(64, 48)):
    return target_of(Wish(output, codec, Fraction(24)), size, SIGNAL)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_pattern_gives_16_bit_pictures(tmp_path, suffix):
    found = target(str(tmp_path / f"a.####.{suffix}"))
    assert isinstance(found, Pictures) and ("untagged" in found.words) == (suffix == "tif")
    rgb = np.random.default_rng(1).random((4, 5, 3)).astype(np.float32)
    with found.opened() as add:
        path = add(7, rgb)
    assert path == str(tmp_path / f"a.0007.{suffix}")
    read = cv2.imread(path, cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert np.abs(read - 65535.0 * rgb).max() < 0.51


def test_light_levels_are_accepted_only_for_pq_movies():
    pytest.importorskip("av")
    found = target("a.mov")
    assert isinstance(found, Movie) and found.takes_light and "24" in found.words
    assert "prores" in found.codec
    assert not Movie("a.mov", "prores", (64, 48), Fraction(24), Signal("sRGB", 1, 13, 1)).takes_light


def test_a_codec_of_another_file_format_is_refused():
    pytest.importorskip("av")
    with pytest.raises(F2HDRError) as caught:
        target("a.mp4", "prores")
    assert "prores" in str(caught.value)


@pytest.mark.parametrize("output", ["a.exr", "a.####.exr", "a.png", "a"])
def test_other_outputs_are_refused_with_the_supported_suffixes(output):
    with pytest.raises(DocumentError) as caught:
        target(output)
    assert output in caught.value.message and '"a.mov"' in caught.value.hint and '"a.####.png"' in caught.value.hint
