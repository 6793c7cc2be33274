"""Flows that were estimated before, for the same two pictures in the same way, are not estimated again."""

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
"""Raised when the bytes of a kept flow, its rounding, or the padding of frames change."""
WRITES_PENDING = 4
"""Flows that may wait to be packed and written before an estimate waits for them."""


class SeenFrame(Protocol):
    """A frame of a pair, as far as its flow depends on it."""

    @property
    def identity(self) -> str:
        """What :func:`frame_identity` says of its code values; asked for only where the cache is on."""
        ...

    @property
    def exposure(self) -> float:
        """Relative to the shot's shortest, which is 1."""
        ...


Pair = tuple[SeenFrame, SeenFrame]
"""Reference and neighbor."""


def frame_identity(codes: NDArray[np.float32]) -> str:
    """SHA-256 of ``(H, W, 3)`` code values and their size: equal pictures are equal wherever they came from."""
    content = np.ascontiguousarray(codes)
    digest = hashlib.sha256(f"{content.dtype.str} {content.shape}".encode())
    digest.update(content.data)
    return digest.hexdigest()


class StoredFlows:
    """The flows of one estimator on one device: from the cache, or estimated and kept for the next time.

    Every flow is rounded to what the cache can hold, also where it has just been estimated and where the cache is
    off: pixels never depend on what a cache holds. Safe among threads.
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
        """The flows of a batch of pairs. If the cache lacks one of them, all are estimated: in half precision and on
        GPUs the last bits depend on what else is in a batch.

        Args:
            pairs: what the flows lead from and to.
            size: (height, width) of the frames as the estimator sees them, borders included.
            estimate: ``(B, 2, *size)`` pixels, the flows of all pairs; called at most once, and not at all if all
                flows are in the cache.

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
        """The flows of a batch of pairs on the host, as :meth:`recall` gives them; None if the cache lacks one."""
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
        """The flow as :meth:`_found` will give it; it is packed and written while the render goes on."""
        pixels, rounded = _rounded(flow)
        writing = self._writer.submit(self._write, key, Download(rounded.steps, rounded.unit))
        with self._counting:
            self._pending.append(writing)
        self._wait_for_writer(WRITES_PENDING)
        return pixels

    def _wait_for_writer(self, pending: int) -> None:
        """Wait until no more flows than that are to be written."""
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
        """Everything that the numbers of a flow depend on, as 64 hexadecimal digits; neither paths nor times."""
        one, other = (torch.tensor([frame.exposure], dtype=torch.float32) for frame in pair)
        shown = shown_exposures(one, other, self.alignment)
        gains = float(shown[0] / one), float(shown[1] / other)
        seen = [f"{frame.identity} {gain.hex()}" for frame, gain in zip(pair, gains, strict=True)]
        facts = [FORMAT, self._estimator, _arithmetic(self.device), f"{size}", *seen]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _rounded(flow: Tensor) -> tuple[Tensor, RoundedFlow]:
    """``(2, H, W)`` pixels as ``(1, 2, H, W)`` in steps that can be kept; as they are if a value is not finite."""
    rounded = RoundedFlow.of(flow)
    return torch.where(rounded.unit.isfinite(), rounded.pixels(), flow.float()).unsqueeze(0), rounded


def _arithmetic(device: torch.device) -> str:
    """What the last bits of an estimate depend on besides its inputs: the library, the processor, the number type."""
    kind = device.type
    processor = torch.cuda.get_device_name(device) if kind == "cuda" else torch.backends.cpu.get_cpu_capability()
    return f"torch {torch.__version__}, {kind} {processor}, {autocast_precision(device)}"
