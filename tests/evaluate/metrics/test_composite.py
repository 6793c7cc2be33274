from __future__ import annotations

import numpy as np
import pytest

from f2hdr_backend.evaluate.metrics.composite import composite, predicted_pixels
from f2hdr_backend.evaluate.metrics.psnr_ssim import psnr_l, psnr_t, ssim_l, ssim_t
from f2hdr_backend.evaluate.reading.ground_truth import normalize_reference
from f2hdr_backend.image.arrays import luma_of
from f2hdr_backend.shot.errors import ExposureError, ImageError
from f2hdr_backend.trust.published import well_exposed

GRAYS = np.array([0.0, 0.1, 0.19, 0.21, 0.5, 0.79, 0.81, 1.0])


def _gray_frame(values=GRAYS):
    return np.repeat(np.asarray(values, dtype=np.float32)[None, :, None], 3, axis=2)


@pytest.mark.parametrize("exposure", [1, 8])
def test_scores_of_the_composite_have_the_reference_values(pair, exposure, golden_pair, golden_values):
    test, reference = golden_pair(pair)
    expected = golden_values[pair]["composite"][f"expo_{exposure}"]
    coded = np.clip(reference.astype(np.float32) * np.float32(exposure), 0, 1) ** np.float32(1 / 2.2)
    ldr = np.round(coded * np.float32(65535)) / np.float32(65535)
    kept = predicted_pixels(ldr, exposure)
    assert kept.mean() == pytest.approx(expected["fraction_of_pixels_kept_from_prediction"], abs=1e-12)
    scored = composite(test, ldr, exposure)
    assert psnr_l(scored, reference).value == pytest.approx(expected["psnr_l"], abs=1e-6)
    assert psnr_t(scored, reference).value == pytest.approx(expected["psnr_t"], abs=1e-6)
    assert ssim_l(scored, reference).value == pytest.approx(expected["ssim_l"], abs=1e-7)
    assert ssim_t(scored, reference).value == pytest.approx(expected["ssim_t"], abs=1e-7)


@pytest.mark.parametrize(
    ("exposures", "exposure", "kept"),
    [
        (2, 1.0, GRAYS < 0.2),
        (2, 0.5, GRAYS < 0.2),
        (2, 4.0, GRAYS > 0.8),
        (2, 8.0, GRAYS > 0.8),
        (3, 1.0, GRAYS < 0.2),
        (3, 4.0, (GRAYS < 0.2) | (GRAYS > 0.8)),
        (3, 16.0, GRAYS > 0.8),
    ],
)
def test_the_prediction_is_used_where_the_reference_is_badly_exposed(exposures, exposure, kept):
    frame = _gray_frame()
    assert predicted_pixels(frame, exposure, exposures)[0].tolist() == kept.tolist()
    result = composite(np.full_like(frame, 7.0), frame, exposure, exposures=exposures)
    expected = np.where(kept, 7.0, GRAYS**2.2 / exposure)
    np.testing.assert_allclose(result[0], np.repeat(expected[:, None], 3, 1), rtol=1e-6)
    assert result.dtype == np.float32


def test_pixels_at_the_thresholds_are_those_of_the_reference_frame():
    frame = _gray_frame(np.float32([0.2, 0.8]))
    assert well_exposed(frame).tolist() == (~(predicted_pixels(frame, 1.0) | predicted_pixels(frame, 8.0))).tolist()


def test_one_mask_from_luma_is_used_for_all_channels():
    frame = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
    assert luma_of(frame)[0].tolist() == pytest.approx([0.299, 0.587, 0.114])
    result = composite(np.full((1, 3, 3), 7.0), frame, 1.0)
    assert result[0, 2].tolist() == [7.0, 7.0, 7.0]
    assert result[0, 0].tolist() == [1.0, 0.0, 0.0]


def test_codes_outside_the_range_are_clipped_for_the_radiance():
    frame = np.array([[[1.5, 0.5, 0.5]]], dtype=np.float32)
    assert composite(np.zeros((1, 1, 3)), frame, 1.0)[0, 0, 0] == 1.0


def test_a_normalized_ground_truth_leaves_composited_pixels_off_by_its_divisor():
    radiance = np.full((8, 8, 3), 0.3)
    radiance[0, 0] = 2.0
    ldr = np.clip(radiance, 0, 1) ** (1 / 2.2)
    truth = normalize_reference(radiance)
    published = composite(radiance, ldr, 1.0)
    corrected = composite(radiance, ldr, 1.0, divisor=truth.divisor)
    np.testing.assert_allclose(published[4, 4] / truth.radiance[4, 4], 2.0, rtol=1e-5)
    np.testing.assert_allclose(corrected[4, 4], truth.radiance[4, 4], rtol=1e-5)


def test_invalid_cycles_exposures_and_sizes_are_refused():
    frame = _gray_frame()
    with pytest.raises(ExposureError, match=r"\b4\b"):
        composite(frame, frame, 1.0, exposures=4)
    with pytest.raises(ExposureError, match=r"\b0\b"):
        composite(frame, frame, 0.0)
    with pytest.raises(ImageError, match="size"):
        composite(frame[:, 1:], frame, 1.0)
