"""The table of a suite: one row per measure, one column per method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from f2hdr_backend.evaluate.suite.scoring import WindowScores
from f2hdr_backend.evaluate.suite.suite import Case
from f2hdr_backend.shot.errors import ImageError


def summary(scores: Sequence[WindowScores]) -> dict[str, dict[str, float]]:
    """Return the rows by method; each is over the windows or pixels that it applies to, and omitted if there are none.

    ``PSNR_T``, ``PSNR_L`` in dB and ``SSIM_T`` are means over windows, ``PSNR_T`` also by kind of scene or clip, ratio
    and reference. ``PSNR_T`` of a region pools its pixels. ``EPE`` is the mean end-point error in pixels where the
    surface is visible; ``warp error`` the mean absolute mu-law error, in percent, of the neighbors' true radiance
    warped to the reference, edges repeated outside. The rest are means over the windows that have them
    (:class:`~f2hdr_backend.evaluate.suite.scoring.WindowScores`).

    Raises:
        ImageError: no window has a finite score.
    """
    names = dict.fromkeys(score.method for score in scores)
    groups = list(dict.fromkeys(group for score in scores for group in _groups(score.case)))
    groups.sort(key=_rank)
    return {name: dict(_rows([score for score in scores if score.method == name], groups)) for name in names}


def _rank(group: str) -> tuple[int, str]:
    """Sort key: kinds in the order of the windows, then ratios, then references."""
    if group.endswith(" stops)"):
        return 1, group
    return (2, group) if group.endswith(" reference)") else (0, "")


def _groups(case: Case) -> tuple[str, str, str]:
    reference = "long" if case.long_reference else "short"
    return f"({case.kind})", f"({case.ratio_stops:g} stops)", f"({reference} reference)"


def _rows(mine: Sequence[WindowScores], groups: Sequence[str]) -> Iterator[tuple[str, float]]:
    yield "PSNR_T", _mean(score.psnr_t for score in mine)
    yield "PSNR_L", _mean(score.psnr_l for score in mine)
    yield "SSIM_T", _mean(score.ssim_t for score in mine)
    for group in groups:
        values = [score.psnr_t for score in mine if group in _groups(score.case)]
        if values:
            yield f"PSNR_T {group}", _mean(values)
    for name in dict.fromkeys(name for score in mine for name in score.sums):
        pairs = [score.sums[name] for score in mine if name in score.sums]
        total, count = (sum(pair[part] for pair in pairs) for part in (0, 1))
        if count:
            yield name, _decibels(total / count) if name.startswith("PSNR_T") else total / count
    for name in sorted({name for score in mine for name in score.extras}):
        yield name, _mean(score.extras[name] for score in mine if name in score.extras)


def _decibels(mean_square: float) -> float:
    return float(10 * np.log10(1 / mean_square)) if mean_square else float("inf")


def _mean(values: Iterable[float]) -> float:
    listed = [value for value in values if np.isfinite(value)]
    if not listed:
        raise ImageError("No window of the suite has a finite score.", hint="Score more windows.")
    return float(np.mean(listed))
