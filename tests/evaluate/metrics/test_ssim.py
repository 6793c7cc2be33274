from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from f2hdr_backend.evaluate.metrics.ssim import PUBLISHED, STANDARD, similarity_map


@pytest.mark.parametrize(("settings", "radius"), [(PUBLISHED, 3), (STANDARD, 5)])
@pytest.mark.parametrize("shape", [(25, 31), (25, 31, 3), (11, 11, 3)])
def test_the_map_agrees_with_scikit_image_inside_the_border(settings, radius, shape):
    random = np.random.default_rng(1)
    reference = random.random(shape)
    predicted = reference + random.normal(0, 0.1, shape)
    extent = reference.max() - reference.min() if settings.data_range is None else settings.data_range
    gaussian = settings.window == "gaussian"
    _, full = structural_similarity(
        reference, predicted, data_range=extent, full=True, channel_axis=2 if len(shape) == 3 else None,
        gaussian_weights=gaussian, use_sample_covariance=not gaussian,
    )  # fmt: skip
    inner = full[radius:-radius, radius:-radius]
    np.testing.assert_allclose(similarity_map(predicted, reference, settings), inner, atol=1e-10)


def test_identical_pictures_are_one_everywhere():
    picture = np.random.default_rng(2).random((20, 20, 3))
    np.testing.assert_allclose(similarity_map(picture, picture), 1.0, atol=1e-12)
