"""Windows of the suite synthetic are of their kind."""

import numpy as np

from f2hdr_backend.evaluate.suite.suites.synthetic import STYLES, Suite
from tests.evaluate.suite.images import image_folder


def test_windows_have_the_motion_of_their_kind(tmp_path):
    suite = Suite(image_folder(tmp_path))
    for index in range(len(STYLES)):
        case = suite.case(index)
        window = suite.window(case)
        assert np.log2(window.exposures.max()) == case.ratio_stops
        moved = np.abs(window.flows[:, ~window.moving]).max()
        assert (moved < 1e-3) if case.kind == "static" else (case.kind != "camera" or moved > 1)
        assert window.moving.any() == (case.kind not in ("static", "camera"))
