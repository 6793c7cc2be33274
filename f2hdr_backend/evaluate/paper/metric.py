"""What a metric of the benchmark is, and how one is found by name: modules of ``paper/metrics`` define ``METRIC``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from f2hdr_backend.engine.method.base import HdrFrame
from f2hdr_backend.evaluate.hdrvdp.hdrvdp import HdrVdpSettings
from f2hdr_backend.evaluate.metrics.score import Score
from f2hdr_backend.evaluate.paper import metrics
from f2hdr_backend.evaluate.reading.dataset import DatasetReader, Window, WindowFiles
from f2hdr_backend.evaluate.reading.ground_truth import GroundTruth
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.errors import DocumentError

Scores = dict[str, Score]
"""Scores by column of the table."""
TRUSTS = ("hard", "soft", "off")


@dataclass(frozen=True)
class ScoreSettings:
    """Which metrics, and all that their numbers depend on beside the frames."""

    metrics: tuple[str, ...]
    """Of :func:`metric_names`; none to measure time and memory alone."""
    reference_trust: str = "hard"
    """``hard`` is the published composite; ``soft`` and ``off`` are the renderer's."""
    hdrvdp: HdrVdpSettings = field(default_factory=HdrVdpSettings)
    label_flow: str = "dis"
    """The flow estimator that labels EPE, on tone-mapped ground truth."""

    def __post_init__(self) -> None:
        for name in self.metrics:
            if name not in metric_names():
                raise DocumentError(f"There is no metric {name!r}.", hint=f"Use {', '.join(metric_names())}.")
        if self.reference_trust not in TRUSTS:
            raise DocumentError(
                f"There is no reference trust {self.reference_trust!r}.", hint=f"Use {', '.join(TRUSTS)}."
            )


@dataclass(frozen=True)
class Scored:
    """A reconstructed window as the metrics see it."""

    reader: DatasetReader
    files: WindowFiles
    window: Window
    frame: HdrFrame
    result: FloatArray
    """``(H, W, 3)`` radiance with the reference's trusted pixels."""
    settings: ScoreSettings
    device: torch.device
    reading: Literal["exact", "released"]
    """How the method itself warps along its flows."""

    @property
    def truth(self) -> GroundTruth:
        """:func:`require_metrics` has made sure that there is one."""
        if self.window.truth is None:
            raise DocumentError(f"{self.files.name} has no ground truth.")
        return self.window.truth


@dataclass(frozen=True)
class SceneFrame:
    """A scored frame as the metrics of whole scenes see it."""

    result: FloatArray
    """``(H, W, 3)`` radiance as it is scored."""
    well_exposed: NDArray[np.bool_]
    """``(H, W)``: the reference's pixels that are neither dark nor bright."""
    truth: FloatArray | None
    """``(H, W, 3)``, within 0-1; None if the data set has none."""


def _no_settings(settings: ScoreSettings) -> Any:
    return None


@dataclass(frozen=True)
class FrameMetric:
    """A metric of single frames."""

    score: Callable[[Scored], Scores]
    needs: str = "ground truth"
    """What a data set must have, in words."""
    possible: Callable[[WindowFiles], bool] = lambda files: files.truth is not None
    settings: Callable[[ScoreSettings], Any] = _no_settings
    """What the number depends on beside the frames, as JSON; None for nothing."""


@dataclass(frozen=True)
class SceneMetric:
    """A metric of whole scenes, computed while the frames are read once."""

    score: Callable[[Iterator[SceneFrame], int, torch.device], Scores]
    """Takes the frames in order, their count, and the device to compute on."""
    needs: str
    possible: Callable[[WindowFiles], bool]
    frames: int
    """Number of frames a scene must have."""
    settings: Callable[[ScoreSettings], Any] = _no_settings


def metric_names() -> list[str]:
    """Names that ``--metrics`` takes, sorted."""
    return sorted(found.name.replace("_", "-") for found in pkgutil.iter_modules(metrics.__path__))


def load_metric(name: str) -> FrameMetric | SceneMetric:
    """The metric of a name. Raises DocumentError if there is none."""
    if name not in metric_names():
        raise DocumentError(f'There is no metric "{name}".', hint=f"Use {', '.join(metric_names())}.")
    metric: FrameMetric | SceneMetric = importlib.import_module(f"{metrics.__name__}.{name.replace('-', '_')}").METRIC
    return metric


def with_trust(scores: Scores, trust: str) -> Scores:
    """The scores with the reference trust among their parameters."""
    named = ("reference_trust", trust)
    return {column: replace(score, parameters=(*score.parameters, named)) for column, score in scores.items()}


def mean_of_sides(sides: list[Score]) -> Score:
    """The mean over both neighbors, stated among the parameters."""
    parameters = (*sides[0].parameters, ("sides", "mean of both neighbors"))
    return replace(sides[0], value=fmean(side.value for side in sides), parameters=parameters, facts=())
