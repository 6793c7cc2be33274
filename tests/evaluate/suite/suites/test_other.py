"""Windows of the suite ``other``: the true flow maps to the same radiance, and each kind has its motion."""

import cv2
import numpy as np
import pytest

from f2hdr_backend.evaluate.suite.suites.other import SCENES, Suite
from tests.evaluate.suite.images import image_folder
from tests.train.worlds import follow


@pytest.fixture(scope="module")
def windows(tmp_path_factory):
    suite = Suite(image_folder(tmp_path_factory.mktemp("images")))
    return {case.kind: suite.window(case) for case in suite.cases(len(SCENES))}


@pytest.mark.parametrize("kind", SCENES)
def test_the_true_flow_leads_to_equal_radiance(windows, kind):
    window = windows[kind]
    for side, neighbor in enumerate((0, 2)):
        there = follow(np.clip(window.radiance[neighbor], 0, 1), window.flows[side])
        inner = cv2.erode(window.visible[side].astype(np.uint8), np.ones((7, 7))) > 0
        assert inner.mean() > 0.4
        difference = np.abs(there - np.clip(window.radiance[1], 0, 1)).max(-1)[inner]
        assert np.percentile(difference, 90) < 0.05


def test_each_kind_has_its_motion(windows):
    def motion(window, selected):
        return np.linalg.norm(window.flows, axis=-1)[:, selected]

    assert motion(windows["static"], ~windows["static"].moving).max() < 1e-3
    assert np.median(motion(windows["camera"], ~windows["camera"].moving)) > 1
    fast = windows["fast sprites"]
    assert motion(fast, fast.moving).max() > 15
    bent = windows["accelerated"]
    before, after = (np.median(bent.flows[side][bent.moving], axis=0) for side in (0, 1))
    assert np.linalg.norm(before + after) > 1


def test_the_chart_is_dim_and_saturated(windows):
    radiance = windows["chart"].radiance[1]
    assert radiance.max() < 0.3
    assert np.median(radiance.min(-1) / radiance.max(-1)) < 0.1
