from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from f2hdr_backend.evaluate.hdrvdp.hdrvdp import BandError, HdrVdpSettings, band_errors, hdrvdp2, quality
from f2hdr_backend.evaluate.metrics.screen import Display
from f2hdr_backend.shot.errors import ImageError, ShotError

BT709_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
NOISE = "p1_noise_192x256"


def _case(pair: str, case: str, golden_pair, golden_values):
    """The two frames of a golden case as the metric gets them, its settings, and its expected values."""
    expected = golden_values[pair]["hdrvdp"][case]
    frames = dict(zip(("test", "reference"), golden_pair(pair), strict=True))
    prediction, reference = frames[expected["test"]], frames[expected["reference"]]
    if case[0] in "DE":
        prediction, reference = np.maximum(prediction * 1000, 0.005), np.maximum(reference * 1000, 0.005)
    if case[0] == "E":
        prediction, reference = prediction @ BT709_LUMINANCE, reference @ BT709_LUMINANCE
    settings = HdrVdpSettings(
        encoding=expected["color_encoding"],
        pixels_per_degree=expected["pixels_per_degree"],
        surround=expected["surround_l"],
    )
    return prediction, reference, settings, expected


def test_quality_and_band_errors_have_the_reference_values(pair, case, golden_pair, golden_values):
    prediction, reference, settings, expected = _case(pair, case, golden_pair, golden_values)
    bands = band_errors(prediction, reference, settings)
    assert quality(bands) == pytest.approx(expected["Q"], abs=1e-6)
    stages = expected["stages"]
    assert [band.frequency for band in bands] == pytest.approx(stages["band_freq_cpd"], rel=1e-12)
    assert [band.weight for band in bands] == pytest.approx(stages["quality_weight"], abs=1e-12)
    for band, errors in zip(bands, stages["band_msre"], strict=True):
        assert sorted(band.errors) == pytest.approx(sorted(errors), rel=1e-8)


@pytest.mark.parametrize("kind", ["A", "D"])
def test_quality_in_float32_has_the_reference_value(pair, kind, golden_pair, golden_values):
    case = next(name for name in golden_values[pair]["hdrvdp"] if name.startswith(kind))
    prediction, reference, settings, expected = _case(pair, case, golden_pair, golden_values)
    score = hdrvdp2(prediction, reference, replace(settings, precision="float32"))
    assert score.value == pytest.approx(expected["Q"], abs=1e-3)


def test_pixels_per_degree_follow_from_the_display_and_the_frame_size(golden_pair, golden_values):
    prediction, reference = golden_pair(NOISE)
    cases = {key[0]: case["Q"] for key, case in golden_values[NOISE]["hdrvdp"].items()}
    assert hdrvdp2(prediction, reference).value == pytest.approx(cases["A"], abs=1e-6)
    other = HdrVdpSettings(display=Display(24.0, 0.5))
    assert hdrvdp2(prediction, reference, other).value == pytest.approx(cases["C"], abs=1e-6)


def test_quality_depends_on_distance_scale_and_size_and_reports_them(golden_pair):
    prediction, reference = golden_pair(NOISE)
    near = hdrvdp2(prediction, reference)
    far = hdrvdp2(prediction, reference, HdrVdpSettings(pixels_per_degree=30.703843464337965))
    assert (near.value, far.value) == (pytest.approx(97.6506, abs=1e-3), pytest.approx(76.7214, abs=1e-3))
    absolute = HdrVdpSettings(encoding="rgb-bt.709", scale=1000.0, pixels_per_degree=30.703843464337965)
    assert hdrvdp2(prediction, reference, absolute).value == pytest.approx(56.267, abs=1e-3)
    cropped = hdrvdp2(prediction[:96], reference[:96])
    assert cropped.value != pytest.approx(near.value, abs=0.05)
    text = str(near)
    for part in ("encoding=sRGB-display", "28 in at 0.55 m", "size=256x192", "scale=1", "round_trip=none", "float64"):
        assert part in text
    assert dict(near.parameters)["pixels_per_degree"] == pytest.approx(Display().pixels_per_degree(256, 192))
    assert "pixels per degree given" in str(far)


def test_quality_depends_on_tiling_and_luminance_and_is_symmetric(golden_pair):
    def tiled(frame):
        wide = np.concatenate([frame, frame[:, ::-1]], axis=1)
        return np.concatenate([wide, wide[::-1]])

    prediction, reference = golden_pair(NOISE)
    far = HdrVdpSettings(pixels_per_degree=30.703843464337965)
    alone = hdrvdp2(prediction, reference, far).value
    assert hdrvdp2(reference, prediction, far).value == pytest.approx(alone, abs=1e-4)
    assert hdrvdp2(tiled(prediction), tiled(reference), far).value == pytest.approx(alone + 1.32, abs=0.1)
    assert hdrvdp2(prediction / 2, reference / 2, far).value > alone + 1


def test_the_scale_is_a_factor_on_both_frames(golden_pair):
    prediction, reference = (frame[:64, :64] + 0.001 for frame in golden_pair(NOISE))
    scaled = hdrvdp2(prediction, reference, HdrVdpSettings(encoding="rgb-bt.709", scale=100.0))
    beforehand = hdrvdp2(prediction * 100, reference * 100, HdrVdpSettings(encoding="rgb-bt.709"))
    assert scaled.value == pytest.approx(beforehand.value, abs=1e-12)


def test_a_perfect_prediction_scores_below_100_after_an_rgbe_round_trip(golden_pair):
    _, reference = golden_pair(NOISE)
    assert hdrvdp2(reference, reference).value == 100.0
    far = HdrVdpSettings(pixels_per_degree=30.703843464337965, round_trip="official")
    score = hdrvdp2(reference, reference, far)
    assert 93.0 <= score.value <= 98.0
    assert ("round_trip", "official") in score.parameters


def test_black_in_absolute_units_is_scored():
    reference = np.full((32, 32, 3), 10.0)
    reference[:16] = 0.0
    prediction = reference.copy()
    prediction[4:8, 4:8] = 1.0
    settings = HdrVdpSettings(encoding="rgb-bt.709")
    assert hdrvdp2(reference, reference, settings).value == 100.0
    assert hdrvdp2(prediction, reference, settings).value < 100.0


def test_quality_without_error_is_100_and_weights_are_constant_outside_their_nodes():
    assert quality([BandError(10.0, (0.0, 0.0))]) == 100.0
    assert (BandError(500.0, ()).weight, BandError(0.001, ()).weight) == (0.0, 0.0)
    assert BandError(45.0, ()).weight == pytest.approx(0.1416)


def test_frames_that_cannot_be_scored_are_refused():
    frame = np.full((20, 20, 3), 0.5)
    with pytest.raises(ImageError, match=r"\(20, 19, 3\)"):
        hdrvdp2(frame[:, 1:], frame)
    with pytest.raises(ImageError, match="17 px"):
        hdrvdp2(frame[:16], frame[:16])
    broken = frame.copy()
    broken[0, 0, 0] = math.nan
    with pytest.raises(ImageError, match="prediction.* 1 "):
        hdrvdp2(broken, frame)
    with pytest.raises(ImageError, match="luminance"):
        hdrvdp2(frame, frame, HdrVdpSettings(encoding="luminance"))


@pytest.mark.parametrize("wrong", [{"pixels_per_degree": 0.0}, {"scale": -1.0}, {"display": Display(0.0, 0.5)}])
def test_invalid_settings_are_refused(wrong):
    with pytest.raises(ShotError, match=r"(pixels_per_degree|scale|diagonal_in) is (0\.0|-1\.0)"):
        HdrVdpSettings(**wrong)


def test_an_unknown_encoding_is_refused_with_the_known_ones():
    with pytest.raises(ShotError, match="gamma9.*sRGB-display"):
        HdrVdpSettings(encoding="gamma9")  # type: ignore[arg-type]
