"""``cvvdp``: ColorVideoVDP, the visual quality of a scene over time; needs the extra ``f2hdr[cvvdp]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from f2hdr_backend.evaluate.metrics.color_video_vdp import color_video_vdp, parameters
from f2hdr_backend.evaluate.paper.metric import SceneFrame, SceneMetric, Scores, ScoreSettings


def _cvvdp(frames: Iterator[SceneFrame], count: int, device: torch.device) -> Scores:
    pairs = ((frame.result, frame.truth) for frame in frames if frame.truth is not None)
    return {"ColorVideoVDP": color_video_vdp(pairs, count, device)}


def _settings(settings: ScoreSettings) -> dict[str, Any]:
    return dict(parameters())


METRIC = SceneMetric(_cvvdp, "ground truth", lambda files: files.truth is not None, frames=2, settings=_settings)
