"""Flows among the frames of a window: each frame is encoded once, each pair estimated once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from f2hdr_backend.engine.features import NetworkFrame
from f2hdr_backend.engine.padding import Padding
from f2hdr_backend.flow.estimator import Estimator
from f2hdr_backend.flow.stored import StoredFlows
from f2hdr_backend.flow.window import shown_exposures
from f2hdr_backend.model.radiance import re_expose

Pair = tuple[NetworkFrame, NetworkFrame]
"""Reference and neighbor."""


class WindowFlows:
    """Estimates flows between frames of one size; features and flows stay with the frames, for coming windows."""

    def __init__(self, estimator: Estimator, stored: StoredFlows, padding: Padding) -> None:
        self._estimator = estimator
        self._stored = stored
        self._alignment = stored.alignment
        self._padding = padding
        self._device = stored.device

    def __call__(self, pairs: Sequence[Pair], at_once: int) -> list[Tensor]:
        """``(1, 2, H, W)`` float32 pixels, reference to neighbor, for each pair; ``at_once`` are one batch."""
        missing = [pair for pair in dict.fromkeys(pairs) if not pair[0].has(_key(pair))]
        for start in range(0, len(missing), at_once):
            batch = missing[start : start + at_once]
            size = self._padding.padded(batch[0][0].size)
            flows = self._stored.recall(batch, size, partial(self._estimated, batch))
            for pair, flow in zip(batch, flows, strict=True):
                pair[0].keep(_key(pair), flow)
        return [pair[0].kept(_key(pair)) for pair in pairs]

    def _estimated(self, pairs: Sequence[Pair]) -> Tensor:
        """``(B, 2, H, W)`` flows of several pairs."""
        encoded = [self._encoded(*pair) for pair in pairs]
        references, neighbors = zip(*encoded, strict=True)
        return self._estimator.estimate(self._estimator.batch(references), self._estimator.batch(neighbors))

    def _encoded(self, reference: NetworkFrame, neighbor: NetworkFrame) -> tuple[Any, Any]:
        shown = shown_exposures(_scalar(reference.exposure), _scalar(neighbor.exposure), self._alignment)
        return self._features(reference, shown[0]), self._features(neighbor, shown[1])

    def _features(self, frame: NetworkFrame, shown: Tensor) -> Any:
        """The estimator's features of a frame shown at another exposure."""
        key = ("flow features", float(shown))
        if not frame.has(key):
            codes = frame.tensor(self._padding, self._device)
            recorded = _scalar(frame.exposure)
            codes = re_expose(codes, recorded.to(self._device), shown.to(self._device))
            frame.keep(key, self._estimator.encode(codes))
        return frame.kept(key)


def _scalar(exposure: float) -> Tensor:
    """An exposure as the host has it: to look at it there, a GPU would have to be waited for."""
    return torch.tensor([exposure], dtype=torch.float32)


def _key(pair: Pair) -> tuple[str, int]:
    return "flow", pair[1].number
