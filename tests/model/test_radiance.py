"""Eq. 1, 2 and 19 against their formulas in numpy, float64."""

import numpy as np
import torch

from f2hdr_backend.model.radiance import re_expose, to_radiance, tonemap

CODES = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(1))
EXPOSURES, TARGETS = torch.tensor([1.0, 8.0]), torch.tensor([8.0, 1.0])


def by_window(values):
    return np.asarray(values, np.float64)[:, None, None, None]


def test_radiance_is_code_to_2_2_over_exposure_and_codes_are_clamped():
    truth = CODES.numpy().astype(np.float64) ** 2.2 / by_window(EXPOSURES)
    assert np.allclose(to_radiance(CODES, EXPOSURES), truth, rtol=1e-5)
    assert torch.equal(to_radiance(CODES + 2, EXPOSURES)[1], torch.full((3, 4, 5), 1 / 8))
    assert to_radiance(CODES - 2, EXPOSURES).abs().max() == 0


def test_another_exposure_records_the_same_radiance_where_it_does_not_clip():
    shown = re_expose(CODES, EXPOSURES, TARGETS)
    truth = np.clip(to_radiance(CODES, EXPOSURES).double().numpy() * by_window(TARGETS), 0, 1) ** (1 / 2.2)
    assert np.allclose(shown, truth, atol=1e-5)


def test_the_tone_map_follows_the_mu_law_formula():
    x = torch.tensor([0.0, 0.001, 0.5, 1.0])
    assert np.allclose(tonemap(x), np.log1p(5000 * x.double().numpy()) / np.log1p(5000), atol=1e-6)
    assert np.allclose(tonemap(x, mu=100.0), np.log1p(100 * x.double().numpy()) / np.log1p(100), atol=1e-6)
