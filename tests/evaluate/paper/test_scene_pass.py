"""Several metrics of a scene share one reading of its frames."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from f2hdr_backend.evaluate.metrics.score import Score
from f2hdr_backend.evaluate.paper.metric import SceneFrame, SceneMetric
from f2hdr_backend.evaluate.paper.scene_pass import score_scene
from f2hdr_backend.shot.errors import ImageError

CPU = torch.device("cpu")


def _frames(count: int, read: list[int]) -> Iterator[SceneFrame]:
    for number in range(count):
        read.append(number)
        yield SceneFrame(np.full((2, 2, 3), number, np.float32), np.ones((2, 2), bool), None)


def _metric(name: str, most: int = 99) -> SceneMetric:
    def score(frames, count, device):
        seen = [float(frame.result[0, 0, 0]) for _, frame in zip(range(most), frames, strict=False)]
        return {name: Score(name, sum(seen), "", (("frames", count),))}

    return SceneMetric(score, "frames", lambda files: True, frames=1)


def _failing(frames, count, device):
    next(frames)
    raise ImageError("It cannot be judged.")


def test_each_metric_gets_every_frame_and_frames_are_read_once() -> None:
    read: list[int] = []
    scores = score_scene(_frames(6, read), 6, [_metric("a"), _metric("b")], CPU)
    assert read == list(range(6))
    assert (scores["a"].value, scores["b"].value) == (15.0, 15.0)


def test_a_metric_that_stops_early_or_fails_does_not_stop_the_reading() -> None:
    read: list[int] = []
    assert score_scene(_frames(6, read), 6, [_metric("a", 2), _metric("b")], CPU)["b"].value == 15.0
    with pytest.raises(ImageError, match="judged"):
        score_scene(_frames(6, read), 6, [SceneMetric(_failing, "", bool, 1), _metric("b")], CPU)
    assert read == [*range(6), *range(6)]


def test_a_frame_that_cannot_be_read_ends_the_pass() -> None:
    def frames() -> Iterator[SceneFrame]:
        yield from _frames(2, [])
        raise ImageError("Frame 3 is broken.")

    with pytest.raises(ImageError, match="Frame 3"):
        score_scene(frames(), 6, [_metric("a"), _metric("b")], CPU)
