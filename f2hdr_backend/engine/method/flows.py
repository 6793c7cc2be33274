"""Flows between the frames of a window: each frame is encoded once, each pair estimated once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from f2hdr_backend.engine.method.features import NetworkFrame
from f2hdr_backend.engine.method.frame import WindowFrames
from f2hdr_backend.engine.method.padding import Padding
from f2hdr_backend.flow.estimator import Estimator
from f2hdr_backend.flow.stored import StoredFlows
from f2hdr_backend.flow.window import shown_exposures
from f2hdr_backend.model.radiance import re_expose
from f2hdr_backend.model.transfer import pinned_for, upload
from f2hdr_backend.shot.cancellation import check_stop

Pair = tuple[NetworkFrame, NetworkFrame]
"""Reference and neighbor frame."""
KnownFlows = Mapping[tuple[int, int], Tensor]
"""Flows computed ahead on the host, ``(1, 2, H, W)`` each, by the numbers of reference and neighbor."""


def pairs_of(frames: WindowFrames, *, back: bool = False) -> list[Pair]:
    """The pairs of a window: the reference with its neighbors, or ``back`` from them."""
    previous, reference, following = frames
    pairs = [(reference, previous), (reference, following)]
    return [(neighbor, reference) for _, neighbor in pairs] if back else pairs


class WindowFlows:
    """Estimates flows between frames of one size; features and flows are kept with the frames for later windows."""

    def __init__(self, estimator: Estimator, stored: StoredFlows, padding: Padding, at_once: int) -> None:
        """``at_once`` pairs are estimated as one batch."""
        self._estimator = estimator
        self._stored = stored
        self._padding = padding
        self._at_once = at_once

    def __call__(self, pairs: Sequence[Pair], known: KnownFlows, device: torch.device) -> list[Tensor]:
        """``(1, 2, H, W)`` float32 pixels on ``device``, reference to neighbor, for each pair; those ``known`` are
        not estimated."""
        missing = [pair for pair in dict.fromkeys(pairs) if not pair[0].has(_key(pair))]
        found = {pair: known[_numbers(pair)] for pair in missing if _numbers(pair) in known}
        for batch in self._batches([pair for pair in missing if pair not in found]):
            found |= zip(batch, self._recalled(batch), strict=True)
        for pair, flow in found.items():
            pair[0].keep(_key(pair), upload(flow, device))
        return [pair[0].kept(_key(pair)) for pair in pairs]

    def ahead(self, pairs: Sequence[Pair], device: torch.device) -> KnownFlows:
        """The flows of ``pairs`` that the host can provide ahead: cached ones, and those of an estimator that runs on
        the host; in memory that ``device`` reads directly.

        Thread-safe: windows share pairs, and each pair is computed once, by the first thread that needs it.
        """
        found = {_numbers(pair): pair[0].once(_key(pair), partial(self._provided, pair, device)) for pair in pairs}
        return {numbers: flow for numbers, flow in found.items() if flow is not None}

    def _provided(self, pair: Pair, device: torch.device) -> Tensor | None:
        """The flow of a pair on the host; None if the device has to compute it."""
        recall = self._recalled if self._estimator.on_host else self._kept
        flows = recall([pair])
        return None if flows is None else pinned_for(flows[0], device)

    def _kept(self, batch: Sequence[Pair]) -> list[Tensor] | None:
        return self._stored.kept(batch, self._size(batch))

    def _batches(self, pairs: Sequence[Pair]) -> list[Sequence[Pair]]:
        return [pairs[start : start + self._at_once] for start in range(0, len(pairs), self._at_once)]

    def _recalled(self, batch: Sequence[Pair]) -> list[Tensor]:
        check_stop()
        return self._stored.recall(batch, self._size(batch), partial(self._estimated, batch))

    def _size(self, batch: Sequence[Pair]) -> tuple[int, int]:
        return self._padding.padded(batch[0][0].size)

    def _estimated(self, pairs: Sequence[Pair]) -> Tensor:
        """``(B, 2, H, W)`` flows of several pairs."""
        encoded = [self._encoded(*pair) for pair in pairs]
        references, neighbors = zip(*encoded, strict=True)
        return self._estimator.estimate(self._estimator.batch(references), self._estimator.batch(neighbors))

    def _encoded(self, reference: NetworkFrame, neighbor: NetworkFrame) -> tuple[Any, Any]:
        shown = shown_exposures(_scalar(reference.exposure), _scalar(neighbor.exposure), self._stored.alignment)
        return self._features(reference, shown[0]), self._features(neighbor, shown[1])

    def _features(self, frame: NetworkFrame, shown: Tensor) -> Any:
        """The estimator's features of a frame shown at another exposure."""
        key = ("flow features", *shown.tolist())
        if not frame.has(key):
            device = self._stored.device
            codes = frame.tensor(self._padding, device)
            codes = re_expose(codes, upload(_scalar(frame.exposure), device), upload(shown, device))
            frame.keep(key, self._estimator.encode(codes))
        return frame.kept(key)


def _scalar(exposure: float) -> Tensor:
    """An exposure as a tensor on the host: reading it from a GPU would wait for the GPU."""
    return torch.tensor([exposure], dtype=torch.float32)


def _numbers(pair: Pair) -> tuple[int, int]:
    return pair[0].number, pair[1].number


def _key(pair: Pair) -> tuple[str, int]:
    return "flow", pair[1].number
