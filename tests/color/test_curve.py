"""Response curves: their values, their text, and their files."""

import json

import numpy as np
import pytest

from f2hdr_backend.color.curve import KNOTS, Curve, parse_curve, read_curve, write_curve
from f2hdr_backend.shot.errors import ColorError

POWERS = (2.2, 1.8, 2.6)
CURVE = Curve(np.stack([KNOTS**power for power in POWERS], axis=-1))


def test_between_knots_the_curve_follows_the_sampled_power_function():
    codes = np.linspace(0, 1, 1001)
    for channel, power in enumerate(POWERS):
        light = CURVE.light(codes, np.full(codes.size, channel))
        assert np.abs(light - codes**power).max() < 1e-3
    assert np.allclose(CURVE.table()[:: 65535 // 5], np.linspace(0, 1, 6)[:, None] ** POWERS, atol=1e-3)
    assert CURVE.table().shape == (65536, 3)


def test_a_curve_is_unchanged_as_text_in_a_shot():
    assert np.allclose(parse_curve(CURVE.text()).values, CURVE.values, rtol=1e-5)


@pytest.mark.parametrize("suffix", [".json", ".cube"])
def test_a_curve_is_unchanged_after_writing_and_reading(tmp_path, suffix):
    path = tmp_path / f"camera{suffix}"
    write_curve(path, CURVE, {"camera": "A"})
    assert np.allclose(read_curve(str(path)).values, CURVE.values, atol=2e-4)
    if suffix == ".json":
        assert json.loads(path.read_text())["camera"] == "A"


def test_another_suffix_is_refused_and_nothing_written(tmp_path):
    with pytest.raises(ColorError) as caught:
        write_curve(tmp_path / "a.txt", CURVE, {})
    assert "a.txt" in caught.value.message and ".cube" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


FALLING = Curve(CURVE.values[::-1])


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"light": [[0, 0, 0]]}', '{"light": "x"}', json.dumps({"light": FALLING.values.tolist()}), "\0",
     "[" * 100_000, '{"light":' * 100_000, json.dumps({"light": [[10**400] * 3] * 49}),
     json.dumps({"light": [[1e308] * 3] * 49})],
)  # fmt: skip
def test_an_invalid_curve_file_is_named(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ColorError) as caught:
        read_curve(str(path))
    assert str(path) in caught.value.message and "f2hdr response" in caught.value.hint


def test_a_missing_curve_file_is_named(tmp_path):
    with pytest.raises(ColorError) as caught:
        read_curve(str(tmp_path / "none.cube"))
    assert "none.cube" in caught.value.message


@pytest.mark.parametrize("text", ["curve:", "curve:[[1]]", FALLING.text(), "curve:[[NaN]]", "curve:" + "[" * 4000])
def test_invalid_text_of_a_curve_is_refused(text):
    with pytest.raises(ColorError):
        parse_curve(text)
