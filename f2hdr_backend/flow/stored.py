"""Reuses cached flows of the same two images and settings."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from f2hdr_backend.flow.cache import FlowCache
from f2hdr_backend.flow.packing import RoundedFlow, pack, unpack
from f2hdr_backend.flow.window import shown_exposures
from f2hdr_backend.model.precision import autocast_precision
from f2hdr_backend.model.transfer import Download, upload

FORMAT = "flow-1"
"""Changed when the bytes of a cached flow, its rounding, or the padding of frames change."""
WRITES_PENDING = 4
"""Maximum number of flows that wait to be written; further estimates then wait."""


class SeenFrame(Protocol):
    """The properties of a frame that its flow depends on."""

    @property
    def identity(self) -> str:
        """The result of :func:`frame_identity` for its code values; only used if the cache is enabled."""
        ...

    @property
    def exposure(self) -> float:
        """Exposure relative to the shot's shortest, which is 1."""
        ...


Pair = tuple[SeenFrame, SeenFrame]
"""Reference and neighbor."""


def frame_identity(codes: NDArray[np.float32]) -> str:
    """Return the SHA-256 of ``(H, W, 3)`` code values and their size; it does not depend on the source of the frame."""
    content = np.ascontiguousarray(codes)
    digest = hashlib.sha256(f"{content.dtype.str} {content.shape}".encode())
    digest.update(content.data)
    return digest.hexdigest()


class StoredFlows:
    """The flows of one estimator on one device: from the cache, or estimated and added to the cache.

    Every flow is rounded to the precision of the cache, also if it was just estimated or the cache is disabled, so that
    pixels never depend on the contents of the cache. Thread-safe.
    """

    def __init__(self, cache: FlowCache, estimator: str, alignment: str, device: torch.device) -> None:
        """``estimator`` is the estimator's digest, ``alignment`` the descriptor's ``exposure_alignment``."""
        self.cache = cache
        self._estimator = estimator
        self.alignment = alignment
        self.device = device
        self._writer = ThreadPoolExecutor(1, "flow-cache")
        self._pending: deque[Future[None]] = deque()
        self._counting = threading.Lock()

    def recall(self, pairs: Sequence[Pair], size: tuple[int, int], estimate: Callable[[], Tensor]) -> list[Tensor]:
        """Return the flows of a batch of pairs. If the cache lacks one of them, all are estimated, because in half
        precision and on GPUs the last bits depend on the batch.

        Args:
            pairs: reference and neighbor of each flow.
            size: (height, width) of the frames as the estimator sees them, including borders.
            estimate: returns ``(B, 2, *size)`` pixels, the flows of all pairs; called at most once, and not at all if
                all flows are cached.

        Returns:
            ``(1, 2, *size)`` float32 pixels on the device for each pair, reference to neighbor.
        """
        kept = self.kept(pairs, size)
        if kept is not None:
            return [upload(flow, self.device) for flow in kept]
        if not self.cache.limit:
            return [_rounded(flow)[0] for flow in estimate()]
        return [self._keep(self._key(pair, size), flow) for pair, flow in zip(pairs, estimate(), strict=True)]

    def kept(self, pairs: Sequence[Pair], size: tuple[int, int]) -> list[Tensor] | None:
        """Return the cached flows of a batch of pairs on the host, as :meth:`recall` does; None if the cache lacks
        one.
        """
        if not self.cache.limit:
            return None
        found = [self._found(self._key(pair, size), size) for pair in pairs]
        flows = [flow for flow in found if flow is not None]
        return flows if len(flows) == len(pairs) else None

    def disable_cache(self) -> None:
        """Estimate every flow from now on and store none, for timing."""
        self.cache.limit = 0

    def finish(self) -> None:
        """Wait until every flow is written."""
        self._wait_for_writer(0)

    def _found(self, key: str, size: tuple[int, int]) -> Tensor | None:
        content = self.cache.get(key)
        if content is None:
            return None
        try:
            return unpack(content, size).pixels().unsqueeze(0)
        except ValueError:
            self.cache.drop(key)
            return None

    def _keep(self, key: str, flow: Tensor) -> Tensor:
        """Return the flow as :meth:`_found` would; it is written in the background."""
        pixels, rounded = _rounded(flow)
        writing = self._writer.submit(self._write, key, Download(rounded.steps, rounded.unit))
        with self._counting:
            self._pending.append(writing)
        self._wait_for_writer(WRITES_PENDING)
        return pixels

    def _wait_for_writer(self, pending: int) -> None:
        """Wait until at most ``pending`` flows remain to be written."""
        while True:
            with self._counting:
                if len(self._pending) <= pending:
                    return
                first = self._pending.popleft()
            first.result()

    def _write(self, key: str, rounded: Download) -> None:
        steps, unit = rounded.wait()
        if unit.isfinite():
            self.cache.put(key, pack(RoundedFlow(steps, unit)))

    def _key(self, pair: Pair, size: tuple[int, int]) -> str:
        """Return the cache key, 64 hexadecimal digits: a hash of everything that a flow depends on, without paths
        and times.
        """
        one, other = (torch.tensor([frame.exposure], dtype=torch.float32) for frame in pair)
        shown = shown_exposures(one, other, self.alignment)
        gains = float(shown[0] / one), float(shown[1] / other)
        seen = [f"{frame.identity} {gain.hex()}" for frame, gain in zip(pair, gains, strict=True)]
        facts = [FORMAT, self._estimator, _arithmetic(self.device), f"{size}", *seen]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _rounded(flow: Tensor) -> tuple[Tensor, RoundedFlow]:
    """Round ``(2, H, W)`` pixels to ``(1, 2, H, W)`` in steps of the cache; not rounded if a value is not finite."""
    rounded = RoundedFlow.of(flow)
    return torch.where(rounded.unit.isfinite(), rounded.pixels(), flow.float()).unsqueeze(0), rounded


def _arithmetic(device: torch.device) -> str:
    """Return what the last bits of an estimate depend on besides its inputs: library, processor, number type."""
    kind = device.type
    processor = torch.cuda.get_device_name(device) if kind == "cuda" else torch.backends.cpu.get_cpu_capability()
    return f"torch {torch.__version__}, {kind} {processor}, {autocast_precision(device)}"
