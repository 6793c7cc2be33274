"""The synthetic suite scores what it says, by region, against numbers computed here."""

import numpy as np
import pytest

from f2hdr_backend.engine.reconstruct import HdrFrame
from f2hdr_backend.evaluate.synthetic import ALONE, REFERENCE, SEED, SIZE, run, summary
from f2hdr_backend.train.synthesis import synthesize
from tests.train.test_synthesis import world

SOURCES = [world()]


class BareReference:
    """A method that gives back the reference frame's own light."""

    def __call__(self, codes, exposures, *, occlusions):
        height, width = codes.shape[1:3]
        own = codes[1] ** np.float32(2.2) / np.float32(exposures[1])
        zero = np.zeros((2, height, width), np.float32)
        return HdrFrame(own, own, np.zeros((2, height, width, 2), np.float32), zero, zero)


@pytest.fixture(scope="module")
def scores():
    return list(run(SOURCES, {"bare": BareReference()}, 3, "soft"))


def test_a_method_that_gives_the_reference_scores_as_the_reference(scores):
    table = summary(scores)
    assert list(table) == [REFERENCE, "bare", "bare" + ALONE]
    assert table["bare" + ALONE] == pytest.approx(table[REFERENCE], abs=1e-6)


def test_the_whole_frame_and_a_region_by_hand(scores):
    whole, errors, pixels = [], 0.0, 0
    for index in range(3):
        window = synthesize(SOURCES, SIZE, np.random.default_rng((SEED, index)))
        own = window.ldr[1].astype(np.float64) ** 2.2 / window.exposures[1]
        curve = [np.log1p(5000 * light) / np.log(5001) for light in (own, np.clip(window.radiance[1], 0, 1))]
        squares = (curve[0] - curve[1]) ** 2
        whole.append(10 * np.log10(1 / squares.mean()))
        clipped = window.ldr[1].max(-1) >= 0.98
        errors, pixels = errors + squares[clipped].sum(), pixels + clipped.sum()
    row = summary(scores)[REFERENCE]
    assert row["PSNR_T"] == pytest.approx(np.mean(whole), abs=1e-3)
    assert row["PSNR_T clipped"] == pytest.approx(10 * np.log10(3 * pixels / errors), abs=1e-3)


def test_the_suite_is_the_same_every_time(scores):
    assert list(run(SOURCES, {"bare": BareReference()}, 1, "soft")) == scores[:3]
