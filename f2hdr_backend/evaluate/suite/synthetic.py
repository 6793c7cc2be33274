"""The synthetic suite: seeded windows from panoramas that no training saw, scored by kind of scene and by region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.engine.method.base import HdrFrame, Method
from f2hdr_backend.engine.trust.aligned import light_of
from f2hdr_backend.engine.trust.blend import use_reference
from f2hdr_backend.evaluate.metrics.psnr_ssim import psnr_l, psnr_t, ssim_t, tonemap
from f2hdr_backend.evaluate.suite.cases import RATIOS_EV, STYLES, Case
from f2hdr_backend.shot.errors import ImageError
from f2hdr_backend.train.sources import Source
from f2hdr_backend.train.synthesis import SyntheticWindow

FloatArray = NDArray[np.float32]

CLIPPED_CODE = 0.98
WELL_EXPOSED = (0.15, 0.9)
"""Codes between which flicker is measured, in both phases."""
FLICKER, RATIO_COST = "flicker", "cost of 10 % ratio error"
MISTOLD = 1.1
REFERENCE = "reference"
"""Name of the bare reference frame among the methods."""
ALONE = " alone"
"""Ending of a method's name where its result is scored without the reference's own light."""


@dataclass(frozen=True)
class WindowScores:
    """Scores of one method on one window against the true radiance clipped to 0-1."""

    case: Case
    method: str
    psnr_t: float
    psnr_l: float
    ssim_t: float
    sums: Mapping[str, tuple[float, float]]
    """Of each region's squared mu-law errors, end-point errors and warp errors: the sum, and over how many values."""
    extras: Mapping[str, float] = field(default_factory=dict)
    """``flicker`` of static scenes: percent that the mean of well-exposed pixels changes with the reference's exposure.
    ``cost of 10 % ratio error`` of scenes that only the camera moves in: dB of PSNR_T."""


def run(sources: Sequence[Source], methods: Mapping[str, Method], windows: int, trust: str) -> Iterator[WindowScores]:
    """Score every method as it renders and alone, and the bare reference, on the suite's first ``windows`` windows.

    Args:
        sources: the held-out panoramas.
        methods: by the name to report.
        windows: how many; window ``i`` is always the same.
        trust: the reference trust they render with; ``alone`` is without.
    """
    for case in map(Case, range(windows)):
        window = case.window(sources)
        yield _scores(case, REFERENCE, window, (_bare(window), None))
        for name, method in methods.items():
            frame = method(window.ldr, exposures_of(window), occlusions=False)
            rendered = use_reference(frame, list(window.ldr), exposures_of(window), trust).radiance
            scores = _scores(case, name, window, (rendered, frame))
            if case.kind == "static":
                scores = replace(scores, extras={FLICKER: _flicker(case, sources, method, trust)})
            elif case.kind == "camera":
                scores = replace(scores, extras={RATIO_COST: scores.psnr_t - _mistold(window, method, trust)})
            yield scores
            yield _scores(case, name + ALONE, window, (frame.radiance, frame))


def summary(scores: Sequence[WindowScores]) -> dict[str, dict[str, float]]:
    """By method: the table's rows, each over the windows or pixels that it is about; rows without any are left out.

    ``PSNR_T``, ``PSNR_L`` in dB and ``SSIM_T`` are means over windows, ``PSNR_T`` also by kind of scene, ratio and
    reference. ``PSNR_T`` of a region pools its pixels. ``EPE`` is the mean end-point error in pixels where the surface
    is visible; ``warp error`` the mean absolute mu-law error, in percent, of the neighbors' true light brought onto
    the reference, edges repeated outside. The rest are means over the windows that have them (:class:`WindowScores`).
    """
    names = dict.fromkeys(score.method for score in scores)
    return {name: dict(_rows([score for score in scores if score.method == name])) for name in names}


def _rows(mine: Sequence[WindowScores]) -> Iterator[tuple[str, float]]:
    yield "PSNR_T", _mean(score.psnr_t for score in mine)
    yield "PSNR_L", _mean(score.psnr_l for score in mine)
    yield "SSIM_T", _mean(score.ssim_t for score in mine)
    for name, member in GROUPS.items():
        values = [score.psnr_t for score in mine if member(score.case)]
        if values:
            yield f"PSNR_T {name}", _mean(values)
    for name in dict.fromkeys(name for score in mine for name in score.sums):
        pairs = [score.sums[name] for score in mine if name in score.sums]
        total, count = (sum(pair[part] for pair in pairs) for part in (0, 1))
        if count:
            yield name, _decibels(total / count) if name.startswith("PSNR_T") else total / count
    for name in (FLICKER, RATIO_COST):
        values = [score.extras[name] for score in mine if name in score.extras]
        if values:
            yield name, _mean(values)


def _is(kind: str) -> Callable[[Case], bool]:
    return lambda case: case.kind == kind


def _apart(stops: float) -> Callable[[Case], bool]:
    return lambda case: case.ratio_stops == stops


GROUPS: dict[str, Callable[[Case], bool]] = {
    **{f"({kind})": _is(kind) for kind in STYLES},
    **{f"({stops:g} stops)": _apart(stops) for stops in RATIOS_EV},
    "(long reference)": lambda case: case.long_reference,
    "(short reference)": lambda case: not case.long_reference,
}
"""Kinds of windows that have a row of their own."""


def _scores(
    case: Case,
    method: str,
    window: SyntheticWindow,
    result: tuple[FloatArray, HdrFrame | None],
) -> WindowScores:
    radiance, frame = result
    truth = np.clip(window.radiance[1], 0, 1)
    squares = (tonemap(np.maximum(radiance, 0)) - tonemap(truth)) ** 2
    sums = {f"PSNR_T {name}": _total(squares, selected) for name, selected in _regions(window).items()}
    if frame is not None:
        sums |= _flow_sums(window, frame.flows)
    return WindowScores(
        case,
        method,
        psnr_t=psnr_t(radiance, truth).value,
        psnr_l=psnr_l(radiance, truth).value,
        ssim_t=ssim_t(radiance, truth).value,
        sums=sums,
    )


def _regions(window: SyntheticWindow) -> dict[str, NDArray[np.bool_]]:
    occluded = np.asarray(~window.visible.all(0))
    clipped = _clipped(window)
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
    """End-point errors where visible and warp errors everywhere, of both neighbors together."""
    here, clipped = tonemap(np.clip(window.radiance[1], 0, 1)), _clipped(window)
    sums = {name: (0.0, 0.0) for name in ("EPE", "warp error", "warp error clipped", "warp error occluded")}
    for side, neighbor in enumerate((0, 2)):
        missed = np.hypot(*np.moveaxis(flows[side] - window.flows[side], -1, 0))
        brought = _brought(np.clip(window.radiance[neighbor], 0, 1), flows[side])
        differing = 100 * np.abs(tonemap(brought) - here).mean(-1)
        visible = window.visible[side]
        found = (
            _total(missed, visible),
            _total(differing, np.ones_like(visible)),
            _total(differing, clipped),
            _total(differing, ~visible),
        )
        for name, (total, count) in zip(sums, found, strict=True):
            sums[name] = (sums[name][0] + total, sums[name][1] + count)
    return sums


def _brought(neighbor: FloatArray, flow: FloatArray) -> FloatArray:
    """``(H, W, 3)`` the neighbor along ``(H, W, 2)`` flow, its edge repeated outside.

    With zero outside, a flow that merely stays inside the frame would win over a true one that leaves it.
    """
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(cv2.remap(neighbor, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _flicker(case: Case, sources: Sequence[Source], method: Method, trust: str) -> float:
    """Percent by which the mean radiance of a static scene's well-exposed pixels differs between the two phases."""
    means, windows = [], [case.window(sources, other_phase=other) for other in (False, True)]
    low, high = WELL_EXPOSED
    good = np.logical_and.reduce([((one.ldr[1] > low) & (one.ldr[1] < high)).all(-1) for one in windows])
    if not good.any():
        good = np.logical_or.reduce([((one.ldr[1] > low) & (one.ldr[1] < high)).all(-1) for one in windows])
    for window in windows:
        frame = method(window.ldr, exposures_of(window), occlusions=False)
        means.append(
            use_reference(frame, list(window.ldr), exposures_of(window), trust).radiance[good].mean(dtype=np.float64)
        )
    return float(100 * abs(means[0] / means[1] - 1))


def _mistold(window: SyntheticWindow, method: Method, trust: str) -> float:
    """PSNR_T where the method is told that the neighbors were exposed 10 % longer than they were."""
    previous, reference, following = exposures_of(window)
    told = (previous * MISTOLD, reference, following * MISTOLD)
    frame = method(window.ldr, told, occlusions=False)
    rendered = use_reference(frame, list(window.ldr), told, trust).radiance
    return float(psnr_t(rendered, np.clip(window.radiance[1], 0, 1)).value)


def _bare(window: SyntheticWindow) -> FloatArray:
    """The reference's own radiance."""
    return light_of(window.ldr[1], window.exposures[1])


def exposures_of(window: SyntheticWindow) -> tuple[float, float, float]:
    """Of previous, reference and next, as a method takes them."""
    previous, reference, following = (float(exposure) for exposure in window.exposures)
    return previous, reference, following


def _total(values: NDArray[np.floating], selected: NDArray[np.bool_]) -> tuple[float, float]:
    """Sum and count of the selected pixels' values, all channels."""
    chosen = values[selected]
    return float(chosen.sum()), float(chosen.size)


def _decibels(mean_square: float) -> float:
    return float(10 * np.log10(1 / mean_square)) if mean_square else float("inf")


def _mean(values: Iterable[float]) -> float:
    listed = [value for value in values if np.isfinite(value)]
    if not listed:
        raise ImageError("No window of the suite gave a finite score.", hint="Score more windows.")
    return float(np.mean(listed))
