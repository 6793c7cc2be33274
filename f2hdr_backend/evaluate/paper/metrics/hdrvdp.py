"""``hdrvdp``: HDR-VDP-2, the visual quality of a frame."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from f2hdr_backend.evaluate.hdrvdp.hdrvdp import hdrvdp2
from f2hdr_backend.evaluate.paper.metric import FrameMetric, Scored, Scores, ScoreSettings, with_trust

VARYING = ("pixels_per_degree", "size")
"""Parameters of HDR-VDP that depend on the frame's size; stored as facts of a frame, because sizes may differ."""


def _hdrvdp(scored: Scored) -> Scores:
    score = hdrvdp2(scored.result, scored.truth.radiance, scored.settings.hdrvdp, device=str(scored.device))
    fixed = tuple(item for item in score.parameters if item[0] not in VARYING)
    varying = tuple(item for item in score.parameters if item[0] in VARYING)
    return with_trust({"HDR-VDP-2": replace(score, parameters=fixed, facts=varying)}, scored.settings.reference_trust)


def _settings(settings: ScoreSettings) -> dict[str, Any]:
    return {**vars(settings.hdrvdp), "display": vars(settings.hdrvdp.display)}


METRIC = FrameMetric(_hdrvdp, settings=_settings)
