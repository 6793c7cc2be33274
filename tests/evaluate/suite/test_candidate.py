"""Scores of weights before they are installed: those of the suite, with progress."""

import numpy as np
import torch

from f2hdr_backend.evaluate.metrics.psnr_ssim import psnr_t
from f2hdr_backend.evaluate.suite import candidate
from f2hdr_backend.evaluate.suite.suites.synthetic import Suite
from f2hdr_backend.train.loop import setup_of
from f2hdr_backend.weights.store import Weights
from tests.train.test_loop import SMALL_MERGENET
from tests.train.worlds import world


def test_scores_are_those_of_the_suite_and_every_window_is_reported(monkeypatch):
    monkeypatch.setattr(candidate, "WINDOWS", 2)
    torch.manual_seed(1)
    tensors = setup_of(SMALL_MERGENET).model().state_dict()
    weights = Weights("small", SMALL_MERGENET, {"source": "a test", "license": "CC0"}, tensors)
    reports, held_out = [], [world(2)]
    scores = candidate.candidate_scores(weights, held_out, lambda done, total: reports.append((done, total)))
    assert reports == [(1, 2), (2, 2)]
    suite = Suite.of(held_out)
    bare = []
    for case in suite.cases(2):
        window = suite.window(case)
        radiance = window.ldr[1] ** 2.2 / window.exposures[1]
        bare.append(psnr_t(radiance, np.clip(window.radiance[1], 0, 1)).value)
    assert abs(scores["reference PSNR_T"] - np.mean(bare)) < 0.02
    assert {"f2hdr PSNR_T", "merge PSNR_T"} <= scores.keys()
