from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from f2hdr_backend.evaluate.metrics.psnr_ssim import STANDARD, average, psnr, psnr_l, psnr_t, ssim_l, ssim_t, tonemap
from f2hdr_backend.shot.errors import ImageError


def _pair(seed: int, shape: tuple[int, ...] = (40, 37, 3)):
    random = np.random.default_rng(seed)
    reference = random.random(shape) ** 4
    reference /= reference.max()
    return np.abs(reference * random.normal(1, 0.1, shape)), reference


def _published_tonemap(values):
    return np.log(1 + 5000 * values) / np.log(1 + 5000)


def test_scores_without_composite_have_the_reference_values(pair, golden_pair, golden_values):
    test, reference = golden_pair(pair)
    expected = golden_values[pair]["psnr_ssim_no_composite"]
    for name, metric, tolerance in (
        ("psnr_l", psnr_l, 1e-6), ("psnr_t", psnr_t, 1e-6), ("ssim_l", ssim_l, 1e-7), ("ssim_t", ssim_t, 1e-7),
    ):  # fmt: skip
        assert metric(test, reference).value == pytest.approx(expected[name], abs=tolerance), name


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_scores_agree_with_scikit_image_as_the_published_programs_call_it(seed):
    predicted, reference = _pair(seed)
    for psnr_of, ssim_of, mapped in ((psnr_l, ssim_l, lambda x: x), (psnr_t, ssim_t, _published_tonemap)):
        p, r = mapped(predicted), mapped(reference)
        similar = structural_similarity(r, p, channel_axis=2, data_range=r.max() - r.min())
        assert psnr_of(predicted, reference).value == pytest.approx(peak_signal_noise_ratio(r, p), abs=1e-6)
        assert ssim_of(predicted, reference).value == pytest.approx(similar, abs=1e-6)


def test_standard_ssim_is_the_gaussian_window_with_a_fixed_range():
    predicted, reference = _pair(3)
    expected = structural_similarity(
        reference, predicted, channel_axis=2, data_range=1.0, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False,
    )  # fmt: skip
    score = ssim_l(predicted, reference, settings=STANDARD)
    assert score.value == pytest.approx(expected, abs=1e-6)
    assert score.value != pytest.approx(ssim_l(predicted, reference).value, abs=1e-5)


def test_float32_frames_score_as_float64():
    predicted, reference = (frame.astype(np.float32) for frame in _pair(4))
    wide = predicted.astype(np.float64), reference.astype(np.float64)
    assert psnr_t(predicted, reference) == psnr_t(*wide)
    assert ssim_t(predicted, reference) == ssim_t(*wide)


def test_tonemap_keeps_0_and_1_and_follows_its_equation():
    assert tonemap([0.0, 1.0]).tolist() == [0.0, 1.0]
    assert tonemap(0.25) == pytest.approx(math.log(1251) / math.log(5001), abs=1e-15)
    assert tonemap(0.25, mu=100.0) == pytest.approx(math.log(26) / math.log(101), abs=1e-15)


@given(st.floats(-0.00019, 100.0), st.floats(-0.00019, 100.0))
def test_tonemap_is_monotonic(a, b):
    low, high = sorted((a, b))
    assert tonemap(low) <= tonemap(high)


@pytest.mark.parametrize("value", [-0.0002, -1.0])
def test_tonemap_refuses_values_outside_its_domain(value):
    with pytest.raises(ImageError) as refused:
        tonemap([0.5, value])
    assert refused.value.lowest == value


def test_negative_predictions_are_clamped_and_counted_before_the_tone_map():
    predicted, reference = _pair(5)
    negative = predicted.copy()
    negative[0, :4, 0] = -0.5
    clamped = np.maximum(negative, 0)
    for metric in (psnr_t, ssim_t):
        score = metric(negative, reference)
        assert score.value == metric(clamped, reference).value
        assert ("clamped", 4) in score.facts
    assert psnr_l(negative, reference).value < psnr_l(clamped, reference).value


def test_predictions_above_one_are_not_clipped():
    predicted, reference = _pair(6)
    bright = predicted.copy()
    bright[5, 5] = 3.0
    assert psnr_t(bright, reference).value < psnr_t(np.minimum(bright, 1), reference).value


@pytest.mark.parametrize("metric", [psnr_l, psnr_t])
def test_identical_frames_have_infinite_psnr_and_are_named_in_the_mean(metric):
    predicted, reference = _pair(7)
    same, other = metric(reference, reference), metric(predicted, reference)
    assert same.value == math.inf
    mean = average({"a/0001": other, "a/0002": same})
    assert (mean.score.value, mean.frames, mean.identical) == (other.value, 1, ("a/0002",))


@pytest.mark.parametrize("metric", [psnr, psnr_l, psnr_t, ssim_l, ssim_t])
@pytest.mark.parametrize("bad", [-0.01, 1.01, math.nan, math.inf])
def test_a_reference_outside_its_range_is_refused(metric, bad):
    predicted, reference = _pair(8)
    reference[3, 3, 1] = bad
    with pytest.raises(ImageError, match="reference"):
        metric(predicted, reference)


@pytest.mark.parametrize("metric", [psnr, psnr_l, psnr_t, ssim_l, ssim_t])
def test_a_prediction_that_is_not_finite_or_of_another_size_is_refused(metric):
    predicted, reference = _pair(9)
    with pytest.raises(ImageError, match="size"):
        metric(predicted[:-1], reference)
    predicted[0, 0, 0] = math.nan
    with pytest.raises(ImageError, match="prediction.* 1 "):
        metric(predicted, reference)


def test_ssim_range_comes_from_the_reference_alone():
    predicted, reference = _pair(12)
    predicted *= 0.5
    reference *= 0.2
    score = ssim_l(predicted, reference)
    swapped = ssim_l(reference, predicted)
    assert dict(score.facts)["reference_range"] == reference.max() - reference.min()
    assert dict(swapped.facts)["reference_range"] == predicted.max() - predicted.min()
    assert score.value != pytest.approx(swapped.value, abs=1e-4)


def test_ssim_of_a_constant_reference_is_refused_unless_the_range_is_fixed():
    black = np.zeros((20, 20, 3))
    with pytest.raises(ImageError, match="constant"):
        ssim_l(black, black)
    assert ssim_l(black, black, settings=STANDARD).value == 1.0


def test_ssim_refuses_frames_smaller_than_its_window():
    predicted, reference = _pair(13, (6, 30, 3))
    with pytest.raises(ImageError, match="30 x 6"):
        ssim_t(predicted, reference)


def test_parameters_are_printed_with_the_score():
    predicted, reference = _pair(14)
    assert "mu=5000, data_range=1, region=frame" in str(psnr_t(predicted, reference))
    text = str(ssim_t(predicted, reference))
    for part in ("SSIM_T", "mu=5000", "window=7x7 uniform", "k1=0.01", "k2=0.03", "data_range=reference max-min"):
        assert part in text
