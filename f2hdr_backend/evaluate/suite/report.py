"""The report page of a suite: two methods, the truth with its flow, and the scores of all windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from f2hdr_backend.engine.method.apply_trust import use_reference
from f2hdr_backend.engine.method.base import Method
from f2hdr_backend.evaluate.metrics.score import Parameters, Score
from f2hdr_backend.evaluate.page import choose_frames as interesting
from f2hdr_backend.evaluate.page import page
from f2hdr_backend.evaluate.page.page import Grouping, Page, PageFrame, Plane, ScoreRow, Source
from f2hdr_backend.evaluate.suite.scoring import WindowScores, exposures_of
from f2hdr_backend.evaluate.suite.suite import Case, Suite
from f2hdr_backend.shot.equations import MU

VALUES = 27
"""Values per pixel on a page: two results and the truth (3 each), six flows (2 each) and six masks."""
SIDES = ("backward", "forward")
GROUPINGS: Mapping[str, Callable[[Case], str]] = {
    "kind": lambda case: case.kind,
    "ratio": lambda case: f"{case.ratio_stops:g} stops",
    "reference": lambda case: "long" if case.long_reference else "short",
}
COLUMNS: Mapping[str, tuple[str, Parameters, Callable[[WindowScores], float]]] = {
    "PSNR_T": ("dB", (("mu", MU),), lambda score: score.psnr_t),
    "PSNR_L": ("dB", (), lambda score: score.psnr_l),
    "SSIM_T": ("", (("mu", MU),), lambda score: score.ssim_t),
}
TRUTH = Source("truth", "true radiance", "not clipped")


def suite_page(
    suite: Suite, scores: Sequence[WindowScores], methods: Mapping[str, Method], trust: str, most: int
) -> Page:
    """Return the page of a finished suite: A is the first of ``methods``, B the second.

    Args:
        suite: the windows.
        scores: of every window and method.
        methods: two or more, by the names in ``scores``.
        trust: reference trust of the methods.
        most: maximum number of windows.

    Raises:
        ShotError: ``most`` is less than 1.
    """
    names = dict(zip("AB", methods, strict=False))
    cases = {score.case.index: score.case for score in scores}
    groupings = tuple(Grouping.of(title, cases, name) for title, name in GROUPINGS.items())
    count = page.frames_that_fit(len(cases), 2 * VALUES * suite.size[0] * suite.size[1], most)
    first = {score.case.index: score.psnr_t for score in scores if score.method == names["A"]}
    shown = interesting.choose(first, groupings[0].groups.values(), count)
    rendering = {name: methods[method] for name, method in names.items()}
    return Page(
        f"Test suite: {' and '.join(names.values())}",
        (*(Source(name, method, f"reference trust {trust}") for name, method in names.items()), TRUTH),
        (_picture(suite, cases[index], rendering, trust) for index in shown),
        tuple(_score_rows(scores, names, trust)),
        notes=(
            interesting.words(count, len(cases), "PSNR_T of A", "kind"),
            "The truth of the scores is clipped at the clip level of the short exposure.",
        ),
        names={index: _name(case) for index, case in cases.items()},
        groupings=groupings,
    )


def _name(case: Case) -> str:
    return f"{case.index} {case.kind}, " + ", ".join(GROUPINGS[title](case) for title in ("ratio", "reference"))


def _score_rows(scores: Sequence[WindowScores], names: Mapping[str, str], trust: str) -> Iterator[ScoreRow]:
    common: Parameters = (("truth", "clipped to 0-1"), ("reference_trust", trust))
    for column, (unit, parameters, value) in COLUMNS.items():
        for name, method in names.items():
            mine = [score for score in scores if score.method == method]
            by_window = {score.case.index: Score(column, value(score), unit, (*parameters, *common)) for score in mine}
            yield ScoreRow(name, "truth", by_window)


def _picture(suite: Suite, case: Case, methods: Mapping[str, Method], trust: str) -> PageFrame:
    window = suite.window(case)
    exposures = exposures_of(window)
    planes: dict[str, Plane] = {}
    for name, method in methods.items():
        frame = method(window.ldr, exposures, occlusions=False)
        planes[name] = use_reference(frame, list(window.ldr), exposures, trust).radiance
        planes |= {f"{name}/{side}": frame.flows[place] for place, side in enumerate(SIDES)}
        planes |= {f"{name}/motion.{side}": frame.masks[place] for place, side in enumerate(SIDES)}
    planes["truth"] = window.radiance[1]
    for place, side in enumerate(SIDES):
        planes[f"truth/{side}"] = window.flows[place]
        planes[f"truth/occlusion.{side}"] = 1 - window.visible[place].astype(np.float32)
    return PageFrame(case.index, planes)
