"""Scores of methods on a suite: by window, by region, and measures that need a second window (flicker, alternation)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.engine.method.apply_trust import use_reference
from f2hdr_backend.engine.method.base import Method
from f2hdr_backend.engine.method.frame import HdrFrame
from f2hdr_backend.evaluate.metrics.psnr_ssim import psnr_l, psnr_t, ssim_t, tonemap
from f2hdr_backend.evaluate.suite.alternation import alternation
from f2hdr_backend.evaluate.suite.baselines import OPENCV, opencv_merge
from f2hdr_backend.evaluate.suite.suite import CAMERA, CHART, STATIC, Case, Suite
from f2hdr_backend.image.arrays import FloatArray, along_flow, radiance_of
from f2hdr_backend.train.synthesis import SyntheticWindow

Exposures = tuple[float, float, float]

CLIPPED_CODE = 0.98
WELL_EXPOSED = (0.15, 0.9)
"""Range of codes in which flicker is measured, in both phases."""
FLICKER, RATIO_COST = "flicker", "cost of 10 % ratio error"
ALTERNATION = "alternation"
"""Prefix of the names of the bands of :mod:`~f2hdr_backend.evaluate.suite.alternation`."""
WRONG_RATIO = 1.1
REFERENCE = "reference"
"""Name of the unprocessed reference frame among the methods."""
ALONE = " alone"
"""Suffix of a method's name for scores of its result without the reference's own radiance."""


@dataclass(frozen=True)
class WindowScores:
    """Scores of one method on one window against the true radiance clipped to 0-1."""

    case: Case
    method: str
    psnr_t: float
    psnr_l: float
    ssim_t: float
    sums: Mapping[str, tuple[float, float]]
    """By region: sum and count of squared mu-law errors, of end-point errors and of warp errors."""
    extras: Mapping[str, float] = field(default_factory=dict)
    """``flicker`` of static scenes: change in percent of the mean of well-exposed pixels with the reference's exposure.
    ``cost of 10 % ratio error`` of camera scenes: dB of PSNR_T. ``alternation n`` of slow shots: absolute value in
    stops in brightness band n, of which 1 is the brightest.
    """


def run(suite: Suite, methods: Mapping[str, Method], windows: int | None, trust: str) -> Iterator[WindowScores]:
    """Score every method as rendered and alone, the unprocessed reference, and OpenCV's merge.

    Args:
        suite: the windows.
        methods: by the name to report.
        windows: number of windows, from the first; None for all.
        trust: reference trust of the methods; not used for ``alone``.
    """
    for case in suite.cases(windows):
        window = suite.window(case)
        pair = suite.steady_pair(case)
        for name, bare in BASELINES.items():
            extras = {}
            if case.kind == STATIC:
                extras[FLICKER] = _flicker(suite, case, bare)
            yield _scores(case, name, window, (bare(window.ldr, exposures_of(window)), None), extras)
        for name, method in methods.items():
            frame = method(window.ldr, exposures_of(window), occlusions=False)
            rendered = use_reference(frame, list(window.ldr), exposures_of(window), trust).radiance
            render = _rendering(method, trust)
            extras = {}
            if case.kind == STATIC:
                extras[FLICKER] = _flicker(suite, case, render)
            if case.kind == CAMERA:
                extras[RATIO_COST] = psnr_t(rendered, _truth(window)).value - _wrong_ratio(window, render)
            if pair is not None:
                extras |= _alternations(pair, render)
            yield _scores(case, name, window, (rendered, frame), extras)
            yield _scores(case, name + ALONE, window, (frame.radiance, frame), {})


def exposures_of(window: SyntheticWindow) -> Exposures:
    """Return the exposures of previous, reference and next as floats."""
    previous, reference, following = (float(exposure) for exposure in window.exposures)
    return previous, reference, following


def _bare_reference(codes: FloatArray, exposures: Exposures) -> FloatArray:
    return radiance_of(codes[1], exposures[1])


Rendering = Callable[[FloatArray, Exposures], FloatArray]
"""Function from ``(3, H, W, 3)`` codes and their exposures to ``(H, W, 3)`` radiance."""

BASELINES: Mapping[str, Rendering] = {REFERENCE: _bare_reference, OPENCV: opencv_merge}


def _rendering(method: Method, trust: str) -> Rendering:
    def render(codes: FloatArray, exposures: Exposures) -> FloatArray:
        frame = method(codes, exposures, occlusions=False)
        return use_reference(frame, list(codes), exposures, trust).radiance

    return render


def _truth(window: SyntheticWindow) -> FloatArray:
    return np.asarray(np.clip(window.radiance[1], 0, 1), np.float32)


def _scores(
    case: Case,
    method: str,
    window: SyntheticWindow,
    result: tuple[FloatArray, HdrFrame | None],
    extras: Mapping[str, float],
) -> WindowScores:
    radiance, frame = result
    truth = _truth(window)
    squares = (tonemap(np.maximum(radiance, 0)) - tonemap(truth)) ** 2
    sums = {f"PSNR_T {name}": _total(squares, selected) for name, selected in _regions(window).items()}
    if case.kind == CHART:
        everywhere = np.ones(squares.shape[:2], bool)
        for channel, name in enumerate(("red", "green", "blue")):
            sums[f"PSNR_T {CHART} {name}"] = _total(squares[..., channel], everywhere)
    if frame is not None:
        sums |= _flow_sums(window, frame.flows)
    return WindowScores(
        case,
        method,
        psnr_t=psnr_t(radiance, truth).value,
        psnr_l=psnr_l(radiance, truth).value,
        ssim_t=ssim_t(radiance, truth).value,
        sums=sums,
        extras=extras,
    )


def _regions(window: SyntheticWindow) -> dict[str, NDArray[np.bool_]]:
    """Return the regions of a window; of a real clip, whose motion is unknown, only the clipped region and the rest."""
    clipped = _clipped(window)
    if not window.visible.any():
        return {"clipped": clipped, "rest": ~clipped}
    occluded = np.asarray(~window.visible.all(0))
    return {
        "moving": window.moving,
        "occluded": occluded,
        "clipped": clipped,
        "rest": ~(window.moving | occluded | clipped),
    }


def _clipped(window: SyntheticWindow) -> NDArray[np.bool_]:
    clipped: NDArray[np.bool_] = window.ldr[1].max(-1) >= CLIPPED_CODE
    return clipped


def _flow_sums(window: SyntheticWindow, flows: FloatArray) -> dict[str, tuple[float, float]]:
    """Return end-point errors where visible and warp errors of all pixels, for both neighbors together."""
    here, clipped = tonemap(_truth(window)), _clipped(window)
    known = bool(window.visible.any())
    sums = {name: (0.0, 0.0) for name in ("EPE", "warp error", "warp error clipped", "warp error occluded")}
    for side, neighbor in enumerate((0, 2)):
        missed = np.hypot(*np.moveaxis(flows[side] - window.flows[side], -1, 0))
        warped = _warped(np.clip(window.radiance[neighbor], 0, 1), flows[side])
        differing = 100 * np.abs(tonemap(warped) - here).mean(-1)
        visible = window.visible[side]
        found = (
            _total(missed, visible),
            _total(differing, np.ones_like(visible)),
            _total(differing, clipped),
            _total(differing, ~visible & known),
        )
        for name, (total, count) in zip(sums, found, strict=True):
            sums[name] = (sums[name][0] + total, sums[name][1] + count)
    return sums


def _warped(neighbor: FloatArray, flow: FloatArray) -> FloatArray:
    """Warp the neighbor to ``(H, W, 3)`` along ``(H, W, 2)`` flow, repeating its edge outside.

    With zero outside, a flow that merely stays inside the frame would score better than a true one that leaves it.
    """
    return along_flow(neighbor, flow, repeat_edge=True)


def _flicker(suite: Suite, case: Case, render: Rendering) -> float:
    """Return the difference in percent of the mean radiance of a static scene's well-exposed pixels between both
    phases.
    """
    windows = [suite.window(case, other_phase=other) for other in (False, True)]
    low, high = WELL_EXPOSED
    exposed = [((one.ldr[1] > low) & (one.ldr[1] < high)).all(-1) for one in windows]
    good = exposed[0] & exposed[1]
    if not good.any():
        good = exposed[0] | exposed[1]
    means = [render(one.ldr, exposures_of(one))[good].mean(dtype=np.float64) for one in windows]
    return float(100 * abs(means[0] / means[1] - 1))


def _wrong_ratio(window: SyntheticWindow, render: Rendering) -> float:
    """Return PSNR_T with the neighbors' exposures misreported as 10 % too long."""
    previous, reference, following = exposures_of(window)
    rendered = render(window.ldr, (previous * WRONG_RATIO, reference, following * WRONG_RATIO))
    return float(psnr_t(rendered, _truth(window)).value)


def _alternations(pair: Sequence[SyntheticWindow], render: Rendering) -> dict[str, float]:
    results = [render(one.ldr, exposures_of(one)) for one in pair]
    found = alternation((results[0], results[1]), (pair[0].radiance[1], pair[1].radiance[1]))
    return {f"{ALTERNATION} {band + 1}": abs(value) for band, value in (found or {}).items()}


def _total(values: NDArray[np.floating], selected: NDArray[np.bool_]) -> tuple[float, float]:
    """Return sum and count of the selected pixels' values over all channels."""
    chosen = values[selected]
    return float(chosen.sum()), float(chosen.size)
