"""``flicker``: change of the mean radiance from frame to frame, and between odd and even frames."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from f2hdr_backend.evaluate.metrics.temporal import Steadiness
from f2hdr_backend.evaluate.paper.metric import SceneFrame, SceneMetric, Scores


def _flicker(frames: Iterator[SceneFrame], count: int, device: torch.device) -> Scores:
    steadiness = Steadiness()
    for frame in frames:
        steadiness.add(frame.result, frame.well_exposed)
    scores = steadiness.scores()
    return {"flicker": scores.flicker, "odd/even": scores.odd_even}


METRIC = SceneMetric(_flicker, "frames", lambda files: True, frames=3)
