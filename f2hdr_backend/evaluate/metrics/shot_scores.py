"""The metrics of a whole scene, taken while its frames pass by once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from f2hdr_backend.evaluate.metrics.color_video_vdp import color_video_vdp
from f2hdr_backend.evaluate.metrics.score import Score
from f2hdr_backend.evaluate.metrics.temporal import Steadiness

FLICKER, VIDEO = "flicker", "cvvdp"
VIDEO_COLUMN = "ColorVideoVDP"


@dataclass(frozen=True)
class ShotMetric:
    """A name of ``--metrics`` that a scene is scored by, and not a frame."""

    frames: int
    """How many it needs."""
    needs_truth: bool


SHOT_METRICS: Mapping[str, ShotMetric] = {FLICKER: ShotMetric(3, False), VIDEO: ShotMetric(2, True)}


@dataclass(frozen=True)
class ShotFrame:
    """What a scene's metrics see of a frame."""

    result: NDArray[np.float32]
    """``(H, W, 3)`` radiance as it is scored."""
    well_exposed: NDArray[np.bool_]
    """``(H, W)``: the reference's pixels that are neither dark nor bright."""
    truth: NDArray[np.float32] | None
    """``(H, W, 3)``, within 0-1; None if the dataset has none."""


def shot_scores(
    frames: Iterator[ShotFrame], count: int, metrics: tuple[str, ...], device: torch.device
) -> dict[str, Score]:
    """The scores of a scene, by column; its frames are read to the end, one at a time.

    Args:
        frames: in order.
        count: how many there are.
        metrics: those of :data:`SHOT_METRICS` are taken; ``cvvdp`` needs a truth of every frame.
        device: where to compute.

    Raises what :class:`Steadiness` and :func:`color_video_vdp` raise.
    """
    steadiness = Steadiness() if FLICKER in metrics else None
    passing = _watched(frames, steadiness)
    scores: dict[str, Score] = {}
    if VIDEO in metrics:
        pairs = ((frame.result, frame.truth) for frame in passing if frame.truth is not None)
        scores[VIDEO_COLUMN] = color_video_vdp(pairs, count, device)
    for _ in passing:
        pass
    if steadiness is not None:
        steady = steadiness.scores()
        scores |= {"flicker": steady.flicker, "odd/even": steady.odd_even}
    return scores


def _watched(frames: Iterator[ShotFrame], steadiness: Steadiness | None) -> Iterator[ShotFrame]:
    for frame in frames:
        if steadiness is not None:
            steadiness.add(frame.result, frame.well_exposed)
        yield frame
