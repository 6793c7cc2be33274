"""Windows of the suite clips: consecutive frames of one shot, held-out movies first."""

import numpy as np
import pytest

from f2hdr_backend.evaluate.suite.suites.clips import Suite
from f2hdr_backend.shot.errors import DocumentError
from tests.evaluate.suite.images import movie_folder


def test_only_held_out_movies_are_used_if_there_are_any(tmp_path):
    suite = Suite(movie_folder(tmp_path, ("mdn_flower", "trained_on")))
    assert {case.kind for case in suite.cases(None)} == {"mdn_flower"}


def test_each_clip_gives_one_pair_of_consecutive_windows(tmp_path):
    suite = Suite(movie_folder(tmp_path))
    pairs = [suite.steady_pair(case) for case in suite.cases(None)]
    assert [pair is not None for pair in pairs] == [True, True, *[False] * 10]
    first, second = pairs[0]
    np.testing.assert_array_equal(first.radiance[1:], second.radiance[:2])
    assert (first.exposures[1] > 1) != (second.exposures[1] > 1)


def test_a_movie_of_too_few_frames_is_named(tmp_path):
    suite = Suite(movie_folder(tmp_path, ("brief",), frames=3))
    with pytest.raises(DocumentError, match="brief"):
        suite.window(suite.case(0))
