"""The metrics of the benchmark, found by name: each module of ``paper/metrics`` defines ``METRIC``."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from f2hdr_backend.engine.method.frame import HdrFrame
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
    """The metrics, and everything besides the frames that their values depend on."""

    metrics: tuple[str, ...]
    """Names from ``metrics.names``; empty to measure only time and memory."""
    reference_trust: str = "hard"
    """``hard`` is the published composite; ``soft`` and ``off`` are the renderer's."""
    hdrvdp: HdrVdpSettings = field(default_factory=HdrVdpSettings)
    label_flow: str = "dis"
    """The flow estimator that computes the labels of EPE on tone-mapped ground truth."""

    def __post_init__(self) -> None:
        for name in self.metrics:
            _require_known(name)
        if self.reference_trust not in TRUSTS:
            raise DocumentError(
                f"There is no reference trust {self.reference_trust!r}.", hint=f"Use {', '.join(TRUSTS)}."
            )


@dataclass(frozen=True)
class Scored:
    """A reconstructed window, the input of the metrics."""

    reader: DatasetReader
    files: WindowFiles
    window: Window
    frame: HdrFrame
    result: FloatArray
    """``(H, W, 3)`` radiance, including the reference's trusted pixels."""
    settings: ScoreSettings
    device: torch.device
    reading: Literal["exact", "released"]
    """The method's own warping along its flows."""

    @property
    def truth(self) -> GroundTruth:
        """The ground truth; :func:`require_metrics` has checked that there is one."""
        if self.window.truth is None:
            raise DocumentError(f"{self.files.name} has no ground truth.")
        return self.window.truth


@dataclass(frozen=True)
class SceneFrame:
    """A scored frame, the input of the metrics of whole scenes."""

    result: FloatArray
    """``(H, W, 3)`` the scored radiance."""
    well_exposed: NDArray[np.bool_]
    """``(H, W)`` True where the reference's pixel is neither dark nor bright."""
    truth: FloatArray | None
    """``(H, W, 3)`` within 0-1; None if the dataset has none."""


def _no_settings(settings: ScoreSettings) -> Any:
    return None


@dataclass(frozen=True)
class FrameMetric:
    """A metric of single frames."""

    score: Callable[[Scored], Scores]
    needs: str = "ground truth"
    """Required data of the dataset, for messages."""
    possible: Callable[[WindowFiles], bool] = lambda files: files.truth is not None
    settings: Callable[[ScoreSettings], Any] = _no_settings
    """Everything besides the frames that the value depends on, as JSON; None if nothing."""


@dataclass(frozen=True)
class SceneMetric:
    """A metric of whole scenes, computed while the frames are read once."""

    score: Callable[[Iterator[SceneFrame], int, torch.device], Scores]
    """Called with the frames in order, their number, and the device that computes."""
    needs: str
    possible: Callable[[WindowFiles], bool]
    frames: int
    """Minimum number of frames of a scene."""
    settings: Callable[[ScoreSettings], Any] = _no_settings


def _require_known(name: str) -> None:
    if name not in metrics.names():
        raise DocumentError(f'There is no metric "{name}".', hint=f"Use {', '.join(metrics.names())}.")


def load_metric(name: str) -> FrameMetric | SceneMetric:
    """Return the metric of a name. Raises DocumentError if there is none."""
    _require_known(name)
    metric: FrameMetric | SceneMetric = importlib.import_module(f"{metrics.__name__}.{name.replace('-', '_')}").METRIC
    return metric


def with_trust(scores: Scores, trust: str) -> Scores:
    """Return the scores with the reference trust added to their parameters."""
    named = ("reference_trust", trust)
    return {column: replace(score, parameters=(*score.parameters, named)) for column, score in scores.items()}


def mean_of_sides(sides: list[Score]) -> Score:
    """Return the mean over both neighbors, noted in the parameters."""
    parameters = (*sides[0].parameters, ("sides", "mean of both neighbors"))
    return replace(sides[0], value=fmean(side.value for side in sides), parameters=parameters, facts=())
