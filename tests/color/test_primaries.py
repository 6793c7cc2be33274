"""Primaries: those of XYZ itself are a gamut as any other."""

import numpy as np
import pytest

from f2hdr_backend.color.primaries import REC709, from_matrix, rgb_to_xyz, to_aces
from f2hdr_backend.shot.errors import ColorError

XYZ = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3)


def test_xyz_chromaticities_are_the_identity():
    np.testing.assert_allclose(rgb_to_xyz(XYZ), np.eye(3), atol=1e-12)
    assert np.isfinite(to_aces(XYZ)).all()


def test_rec709_has_its_published_matrix():
    published = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    np.testing.assert_allclose(rgb_to_xyz(REC709), published, atol=2e-4)
    assert from_matrix(to_aces(REC709)) == REC709


@pytest.mark.parametrize("broken", [(0.3, 0.3) * 4, (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3, 0.0), (float("nan"),) * 8])
def test_primaries_without_a_gamut_are_refused(broken):
    with pytest.raises(ColorError, match="gamut"):
        rgb_to_xyz(broken)
