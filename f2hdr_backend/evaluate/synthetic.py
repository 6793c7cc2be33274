"""The synthetic suite: seeded windows from panoramas that no training saw, scored by region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.engine.blend import use_reference
from f2hdr_backend.engine.reconstruct import Method
from f2hdr_backend.evaluate.metrics import psnr_l, psnr_t, tonemap
from f2hdr_backend.model.radiance import GAMMA
from f2hdr_backend.shot.errors import ImageError
from f2hdr_backend.train.sources import Source
from f2hdr_backend.train.synthesis import SyntheticWindow, synthesize

FloatArray = NDArray[np.float32]

SEED = 20260101
SIZE = (384, 256)
CLIPPED_CODE = 0.98
REFERENCE = "reference"
"""Name of the bare reference frame among the methods."""
ALONE = " alone"
"""Ending of a method's name where its result is scored without the reference's own light."""


@dataclass(frozen=True)
class WindowScores:
    """Scores of one method on one window, in dB against the true radiance clipped to 0-1."""

    window: int
    method: str
    long_reference: bool
    ratio_stops: float
    psnr_t: float
    psnr_l: float
    regions: Mapping[str, float]
    """Sum of squared mu-law errors and pixel count, by region, as ``name`` and ``name_pixels``."""


def run(sources: Sequence[Source], methods: Mapping[str, Method], windows: int, trust: str) -> Iterator[WindowScores]:
    """Score every method as it renders and alone, and the bare reference, on the suite's first ``windows`` windows.

    Args:
        sources: the held-out panoramas.
        methods: by the name to report.
        windows: how many; window ``i`` is always the same.
        trust: the reference trust they render with; ``alone`` is without.
    """
    for index in range(windows):
        window = synthesize(sources, SIZE, np.random.default_rng((SEED, index)))
        previous, reference, following = (float(exposure) for exposure in window.exposures)
        exposures = (previous, reference, following)
        own = window.ldr[1] ** np.float32(GAMMA) / np.float32(exposures[1])
        yield _scores(index, REFERENCE, window, own)
        for name, method in methods.items():
            frame = method(window.ldr, exposures, occlusions=False)
            yield _scores(index, name, window, use_reference(frame, window.ldr, exposures, trust).radiance)
            yield _scores(index, name + ALONE, window, frame.radiance)


def summary(scores: Sequence[WindowScores]) -> dict[str, dict[str, float]]:
    """By method: mean PSNR_T and PSNR_L over windows, and PSNR_T over all pixels of each region, in dB."""
    table: dict[str, dict[str, float]] = {}
    for method in dict.fromkeys(score.method for score in scores):
        mine = [score for score in scores if score.method == method]
        row = {"PSNR_T": _mean(score.psnr_t for score in mine), "PSNR_L": _mean(score.psnr_l for score in mine)}
        for which, long_reference in (("long reference", True), ("short reference", False)):
            row[f"PSNR_T {which}"] = _mean(score.psnr_t for score in mine if score.long_reference == long_reference)
        for region in REGIONS:
            pixels = sum(score.regions[region + "_pixels"] for score in mine)
            errors = sum(score.regions[region] for score in mine)
            row[f"PSNR_T {region}"] = float(10 * np.log10(pixels * 3 / errors)) if errors else float("inf")
        table[method] = row
    return table


REGIONS = ("moving", "occluded", "clipped", "rest")


def _regions(window: SyntheticWindow) -> dict[str, NDArray[np.bool_]]:
    occluded = ~window.visible.all(0)
    clipped = window.ldr[1].max(-1) >= CLIPPED_CODE
    return {
        "moving": window.moving,
        "occluded": occluded,
        "clipped": clipped,
        "rest": ~(window.moving | occluded | clipped),
    }


def _scores(index: int, method: str, window: SyntheticWindow, radiance: FloatArray) -> WindowScores:
    truth = np.clip(window.radiance[1], 0, 1)
    squares = (tonemap(np.maximum(radiance, 0)) - tonemap(truth)) ** 2
    sums: dict[str, float] = {}
    for name, selected in _regions(window).items():
        sums[name] = float(squares[selected].sum())
        sums[name + "_pixels"] = float(selected.sum())
    gains = window.exposures
    return WindowScores(
        index,
        method,
        long_reference=bool(gains[1] > 1),
        ratio_stops=float(np.log2(gains.max())),
        psnr_t=psnr_t(radiance, truth).value,
        psnr_l=psnr_l(radiance, truth).value,
        regions=sums,
    )


def _mean(values: Iterator[float] | Sequence[float]) -> float:
    listed = [value for value in values if np.isfinite(value)]
    if not listed:
        raise ImageError("No window of the suite gave a finite score.", hint="Score more windows.")
    return float(np.mean(listed))
