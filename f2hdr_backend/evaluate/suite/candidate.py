"""Scores of weights that are not installed yet, for their card."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from f2hdr_backend.engine.method.base import Method
from f2hdr_backend.engine.method.choose import open_method
from f2hdr_backend.engine.method.merge import MergeMethod
from f2hdr_backend.evaluate.suite.scoring import WindowScores, run
from f2hdr_backend.evaluate.suite.suites.synthetic import Suite
from f2hdr_backend.evaluate.suite.summary import summary
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.train.sources import Source
from f2hdr_backend.weights import store

WINDOWS = 42
"""Windows of the suite, each kind of scene at each exposure ratio with either reference."""


def candidate_scores(
    weights: store.Weights, held_out: Sequence[Source], progress: Callable[[int, int], object]
) -> dict[str, float]:
    """Return the mean PSNR_T in dB on the synthetic suite, also of the merge and the bare reference, on the CPU.

    Args:
        weights: not necessarily installed.
        held_out: images that the weights were not trained on.
        progress: called after each window with the number of windows that are done, and of all.
    """
    cpu, engine = torch.device("cpu"), Engine()
    scores: list[WindowScores] = []
    with tempfile.TemporaryDirectory() as folder:
        entry = store.save(weights, Path(folder))
        methods: dict[str, Method] = {
            "f2hdr": open_method(engine, cpu, entry),
            "merge": MergeMethod(Engine(method="merge"), cpu),
        }
        for score in run(Suite.of(held_out), methods, WINDOWS, engine.reference_trust):
            if scores and score.case != scores[-1].case:
                progress(score.case.index, WINDOWS)
            scores.append(score)
        progress(WINDOWS, WINDOWS)
    return {f"{method} PSNR_T": round(row["PSNR_T"], 2) for method, row in summary(scores).items()}
