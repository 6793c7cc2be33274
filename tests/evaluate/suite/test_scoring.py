"""Scores by kind of scene and by region, against numbers computed here."""

import numpy as np
import pytest

from f2hdr_backend.engine.method.frame import HdrFrame
from f2hdr_backend.evaluate.suite.baselines import OPENCV
from f2hdr_backend.evaluate.suite.scoring import ALONE, FLICKER, REFERENCE, run
from f2hdr_backend.evaluate.suite.suites import synthetic
from f2hdr_backend.evaluate.suite.summary import summary
from tests.evaluate.suite.images import image_folder
from tests.train.worlds import follow

WINDOWS = 3


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    """The synthetic suite on a made-up world."""
    return synthetic.Suite(image_folder(tmp_path_factory.mktemp("images")))


class BareReference:
    """A method that returns the reference frame's own light, and no flow."""

    def __call__(self, codes, exposures, *, occlusions):
        height, width = codes.shape[1:3]
        own = codes[1] ** np.float32(2.2) / np.float32(exposures[1])
        zero = np.zeros((2, height, width), np.float32)
        return HdrFrame(own, own, np.zeros((2, height, width, 2), np.float32), zero, zero)


@pytest.fixture(scope="module")
def scores(suite):
    return list(run(suite, {"bare": BareReference()}, WINDOWS, "soft"))


def curve(light):
    return np.log1p(5000 * light.astype(np.float64)) / np.log(5001)


def test_a_method_that_returns_the_reference_has_its_scores(scores):
    table = summary(scores)
    assert list(table) == [REFERENCE, OPENCV, "bare", "bare" + ALONE]
    for row, value in table[REFERENCE].items():
        same = "bare" if row == FLICKER else "bare" + ALONE
        assert table[same][row] == pytest.approx(value, abs=1 if row == FLICKER else 1e-6)


def test_scores_of_the_frame_a_region_and_a_kind_equal_those_computed_by_hand(suite, scores):
    whole, errors, pixels = [], 0.0, 0
    for index in range(WINDOWS):
        window = suite.window(suite.case(index))
        own = window.ldr[1] ** 2.2 / window.exposures[1]
        squares = (curve(own) - curve(np.clip(window.radiance[1], 0, 1))) ** 2
        whole.append(10 * np.log10(1 / squares.mean()))
        clipped = window.ldr[1].max(-1) >= 0.98
        errors, pixels = errors + squares[clipped].sum(), pixels + clipped.sum()
    row = summary(scores)[REFERENCE]
    assert row["PSNR_T"] == pytest.approx(np.mean(whole), abs=1e-3)
    assert row["PSNR_T (camera)"] == pytest.approx(whole[1], abs=1e-3)
    assert row["PSNR_T clipped"] == pytest.approx(10 * np.log10(3 * pixels / errors), abs=1e-3)
    assert "PSNR_T (night)" not in row


def test_flow_is_scored_against_true_flow(suite, scores):
    lengths, differing = [], []
    for index in range(WINDOWS):
        window = suite.window(suite.case(index))
        here = curve(np.clip(window.radiance[1], 0, 1))
        for side, neighbor in enumerate((0, 2)):
            lengths.append(np.linalg.norm(window.flows[side], axis=-1)[window.visible[side]])
            still = follow(np.clip(window.radiance[neighbor], 0, 1), np.zeros_like(window.flows[side]))
            differing.append(100 * np.abs(curve(still) - here).mean())
    row = summary(scores)["bare"]
    assert row["EPE"] == pytest.approx(np.concatenate(lengths).mean(), rel=1e-4)
    assert row["warp error"] == pytest.approx(np.mean(differing), rel=1e-3)


def test_flicker_is_the_difference_between_the_phases(suite):
    class Doubling(BareReference):
        """Twice as bright where the reference is the long exposure."""

        def __call__(self, codes, exposures, *, occlusions):
            frame = super().__call__(codes, exposures, occlusions=occlusions)
            factor = 2 if exposures[1] > 1 else 1
            return HdrFrame(frame.radiance * np.float32(factor), *list(vars(frame).values())[1:])

    steady, doubling = (
        summary(list(run(suite, {"it": method}, 1, "off")))["it"]["flicker"] for method in (BareReference(), Doubling())
    )
    assert steady < 3 and doubling == pytest.approx(100, abs=6)


def test_the_suite_is_deterministic(suite, scores):
    assert list(run(suite, {"bare": BareReference()}, 1, "soft")) == scores[:4]


def test_rows_without_windows_are_left_out(suite):
    one = summary(list(run(suite, {}, 2, "off")))[REFERENCE]
    assert "cost of 10 % ratio error" not in one and "EPE" not in one and "PSNR_T (night)" not in one


def test_a_method_without_neighbors_does_not_depend_on_the_ratio(scores):
    assert summary(scores)["bare"]["cost of 10 % ratio error"] == pytest.approx(0, abs=0.5)


def test_flow_out_of_the_frame_samples_its_edge(suite):
    class Leftward(BareReference):
        """Every flow points a thousand pixels to the left."""

        def __call__(self, codes, exposures, *, occlusions):
            frame = super().__call__(codes, exposures, occlusions=occlusions)
            frame.flows[..., 0] = -1000
            return frame

    window = suite.window(suite.case(0))
    row = summary(list(run(suite, {"it": Leftward()}, 1, "off")))["it"]
    light = curve(np.clip(window.radiance, 0, 1))
    expected = np.mean([100 * np.abs(light[neighbor][:, :1] - light[1]).mean() for neighbor in (0, 2)])
    assert row["warp error"] == pytest.approx(expected, rel=1e-4)
