"""Scores the frames of a scene with several metrics in one pass; each metric reads the frames at its own pace."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Queue

import torch

from f2hdr_backend.evaluate.paper.metric import SceneFrame, SceneMetric, Scores


class _Feed:
    """The frames for one metric: an iterator over a queue of at most one frame."""

    def __init__(self) -> None:
        self.queue: Queue[SceneFrame | None] = Queue(maxsize=1)
        self._ended = False

    def __iter__(self) -> Iterator[SceneFrame]:
        return self

    def __next__(self) -> SceneFrame:
        frame = None if self._ended else self.queue.get()
        if frame is None:
            self._ended = True
            raise StopIteration
        return frame


def score_scene(frames: Iterator[SceneFrame], count: int, metrics: list[SceneMetric], device: torch.device) -> Scores:
    """Return the scores of a scene for all ``metrics``; the frames are read to the end, one at a time.

    Args:
        frames: in order.
        count: number of frames.
        metrics: at least one.
        device: torch device that computes the metrics.

    Raises:
        The error of reading a frame, or else that of the first metric that fails.
    """
    feeds = [_Feed() for _ in metrics]

    def run(metric: SceneMetric, feed: _Feed) -> Scores:
        try:
            return metric.score(feed, count, device)
        finally:
            for _ in feed:  # so that a metric that stops early does not block the others
                pass

    with ThreadPoolExecutor(len(metrics)) as pool:
        futures = [pool.submit(run, metric, feed) for metric, feed in zip(metrics, feeds, strict=True)]
        try:
            for frame in frames:
                for feed in feeds:
                    feed.queue.put(frame)
        finally:
            for feed in feeds:
                feed.queue.put(None)
        scores: Scores = {}
        for future in futures:
            scores |= future.result()
    return scores
