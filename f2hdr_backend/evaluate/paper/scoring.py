"""Scores of a frame for the benchmark, and the metrics that a dataset supports."""

from __future__ import annotations

from collections import Counter

import numpy as np

from f2hdr_backend.engine.method.apply_trust import use_reference
from f2hdr_backend.engine.method.frame import HdrFrame
from f2hdr_backend.evaluate.metrics.composite import composite, predicted_pixels
from f2hdr_backend.evaluate.paper.metric import (
    FrameMetric,
    SceneMetric,
    Scored,
    Scores,
    ScoreSettings,
    load_metric,
)
from f2hdr_backend.evaluate.reading.dataset import DatasetReader, Window
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.trust.blend import trust as reference_weight


def with_reference(window: Window, frame: HdrFrame, trust: str, cycle: int) -> FloatArray:
    """Return the radiance to score: the published composite for ``hard``, or else the renderer's blend."""
    if trust == "hard":
        return composite(frame.radiance, window.codes[1], window.exposures[1], exposures=cycle)
    return use_reference(frame, list(window.codes), window.exposures, trust).radiance


def reconstructed_share(window: Window, trust: str, cycle: int) -> FloatArray:
    """Return the weight of the method's own result in the scored radiance, ``(H, W)`` 0-1; the rest is the
    reference.
    """
    codes = window.codes[1]
    if trust == "hard":
        return predicted_pixels(codes, window.exposures[1], cycle).astype(np.float32)
    return 1 - reference_weight(codes, window.exposures, trust)[..., 0]


def score_frame(scored: Scored) -> Scores:
    """Return the scores of a frame by column. Raises ImageError for images that a metric does not accept."""
    scores: Scores = {}
    for metric in map(load_metric, scored.settings.metrics):
        if isinstance(metric, FrameMetric):
            scores |= metric.score(scored)
    return scores


def scene_metrics(names: tuple[str, ...]) -> dict[str, SceneMetric]:
    """Return the named metrics that score whole scenes, by name."""
    return {name: metric for name in names if isinstance(metric := load_metric(name), SceneMetric)}


def default_metrics(reader: DatasetReader) -> tuple[str, ...]:
    """Return the published metrics, or flicker if there is no ground truth."""
    return ("psnr", "ssim", "hdrvdp") if all(files.truth for files in reader.windows) else ("flicker",)


def require_metrics(reader: DatasetReader, scoring: ScoreSettings) -> None:
    """Check that the dataset has the images for the metrics, and that the metrics are installed.

    Raises:
        DocumentError: names the metric and the first frame or scene that lacks something.
    """
    shortest, frames = min(Counter(files.scene for files in reader.windows).items(), key=lambda item: item[1])
    for name in scoring.metrics:
        metric = load_metric(name)
        metric.settings(scoring)  # a metric that is not installed raises here, before any work
        lacking = next((files.name for files in reader.windows if not metric.possible(files)), None)
        if lacking is not None:
            raise DocumentError(
                f'The metric "{name}" needs {metric.needs}; {lacking} has none.', hint="Remove it from --metrics."
            )
        if isinstance(metric, SceneMetric) and frames < metric.frames:
            raise DocumentError(
                f'The metric "{name}" needs scenes of at least {metric.frames} scored frames; {shortest} has {frames}.',
                hint="Remove it from --metrics.",
            )
