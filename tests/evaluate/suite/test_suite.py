"""Every suite: found by its name, reproducible, all combinations, and windows with the stated properties."""

from collections import Counter

import numpy as np
import pytest

from f2hdr_backend.evaluate.suite import suites
from f2hdr_backend.evaluate.suite.suite import open_suite
from f2hdr_backend.shot.errors import DocumentError
from tests.evaluate.suite.images import image_folder, movie_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images and movies that serve every suite."""
    return movie_folder(image_folder(tmp_path_factory.mktemp("images")))


def test_there_are_three_suites():
    assert suites.names() == ["clips", "other", "synthetic"]


def test_an_unknown_suite_is_named(folder):
    with pytest.raises(DocumentError, match="nosuch"):
        open_suite("nosuch", folder)


@pytest.mark.parametrize("name", suites.names())
def test_an_empty_folder_is_named(name, tmp_path):
    with pytest.raises(DocumentError) as error:
        open_suite(name, tmp_path)
    assert str(tmp_path) in error.value.message


@pytest.mark.parametrize("name", suites.names())
def test_every_kind_ratio_and_reference_occurs_once(name, folder):
    suite = open_suite(name, folder)
    found = Counter((case.kind, case.ratio_stops, case.long_reference) for case in suite.cases(None))
    kinds = {kind for kind, _, _ in found}
    assert len(found) == suite.count == len(kinds) * 3 * 2 and set(found.values()) == {1}


@pytest.mark.parametrize("name", suites.names())
def test_windows_are_recordings_of_their_radiance(name, folder):
    suite = open_suite(name, folder)
    for index in range(3):
        case = suite.case(index)
        window, again = suite.window(case), suite.window(case)
        assert window.ldr.shape == (3, suite.size[1], suite.size[0], 3)
        np.testing.assert_array_equal(window.ldr, again.ldr)
        gain = 2**case.ratio_stops
        assert window.exposures.tolist() == ([1, gain, 1] if case.long_reference else [gain, 1, gain])
        seen = window.ldr**2.2 / window.exposures[:, None, None, None]
        sure = (window.ldr > 0.3) & (window.ldr < 0.9)
        assert abs(np.median(seen[sure] / window.radiance[sure]) - 1) < 0.08


@pytest.mark.parametrize("name", suites.names())
def test_the_other_phase_shows_the_same_radiance(name, folder):
    suite = open_suite(name, folder)
    case = suite.case(0)
    one, other = (suite.window(case, other_phase=phase) for phase in (False, True))
    assert (one.exposures[1] > 1) != (other.exposures[1] > 1)
    np.testing.assert_allclose(one.radiance[1], other.radiance[1], rtol=1e-5)
