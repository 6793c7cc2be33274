"""Plan to compute a frame in the available memory: chosen before the first one, and again if memory runs out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from f2hdr_backend.engine.method.staging import ON_CPU
from f2hdr_backend.machine.cpu_setup import give_back_freed_memory
from f2hdr_backend.machine.device import free_memory, lanes_on, used_memory
from f2hdr_backend.model.bands import ROWS_MULTIPLE, Bands, Over, whole
from f2hdr_backend.model.descriptor import AnyDescriptor, MergeNetDescriptor
from f2hdr_backend.model.fusion import WIDEST as FUSION_WIDEST
from f2hdr_backend.model.mergenet import INPUTS as MERGENET_INPUTS
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import OutOfMemory
from f2hdr_backend.shot.sizes import format_size, parse_size

BAND_ROWS = (1024, 512, 256, 128, 64)
"""Band heights in rows that a plan chooses from when a whole frame needs too much memory."""
CACHED_ROWS = (128, 64)
"""Band heights at which a network's intermediate images fit a processor's cache: half the time of whole frames."""
MERGE_BYTES, MERGE_BAND_BYTES = 240, 400
"""Bytes per pixel of the merge's images that the correcting network reads, and of the additional memory of a band."""
WASTE_KEPT, WASTE_BANDS, WASTE = 1.5, 1.25, 1.1
"""Process memory per byte in use at the peak: with freed memory kept, in bands, and otherwise. Measured."""
STAGED_KEPT = 3
"""The same for staged frames where freed memory is kept; measured with one memory arena for each thread."""
LARGEST_TENSOR = 2**31 - 1
"""Maximum number of elements of a tensor on a GPU: above it, cuDNN does not use its fast convolutions."""
SHARE_OF_FREE = 0.8
"""Maximum share of the free memory for a plan."""


@dataclass(frozen=True)
class Plan:
    """The plan for frames of one size."""

    rows: int | None
    """Rows per band; None for whole frames."""
    keep_features: bool
    """Whether stage II's features of a frame are kept for the next window."""
    pairs_at_once: int
    """Pairs of frames that the flow network processes as one batch."""
    bytes: int = 0
    """Expected peak in bytes, beyond what the process used before."""
    keeps_freed: bool = False
    """Whether the C library keeps freed memory, which is faster and needs more memory."""

    @property
    def over(self) -> Over:
        """Returns how the network's layers run: on whole frames or in bands."""
        return whole if self.rows is None else Bands(self.rows)

    def __str__(self) -> str:
        size = "whole frames" if self.rows is None else f"bands of {self.rows} rows"
        return f"{size}, {format_size(self.bytes)}"


@dataclass(frozen=True)
class Workload:
    """Work per frame: its padded size, the network, its precision and the flow's memory."""

    width: int
    height: int
    descriptor: AnyDescriptor | None
    """The network; None for the classical merge, which does not use bands."""
    precision: torch.dtype
    flow_bytes_per_pixel: int
    on_host: bool
    """Whether the CPU computes."""

    def plans(self, tile: str) -> Iterator[Plan]:
        """Yield plans from the fastest to the one that needs the least memory.

        ``tile`` is ``auto``, ``off`` or the rows of a band.
        """
        heights: tuple[int | None, ...] = (None, *BAND_ROWS)
        if self.on_host and isinstance(self.descriptor, MergeNetDescriptor):
            heights = CACHED_ROWS
        elif not self.on_host and self.width * self.height * self._widest > LARGEST_TENSOR:
            heights = BAND_ROWS
        chosen = tuple(rows for rows in heights if rows is None or rows < self.height) or (None,)
        if tile == "off" or self.descriptor is None:
            chosen = (None,)
        elif tile != "auto":
            rows = -(-int(tile) // ROWS_MULTIPLE) * ROWS_MULTIPLE
            chosen = (rows if rows < self.height else None,)
        fastest = Plan(chosen[0], True, 1, keeps_freed=True) if self.on_host else Plan(chosen[0], True, 2)
        yield self._counted(fastest)
        for keep_features in (True, False):
            for height in chosen:
                yield self._counted(Plan(height, keep_features, 1))

    @property
    def _widest(self) -> float:
        """Channels of the network's largest tensor, per pixel of the frame."""
        network = self.descriptor
        if network is None:
            return 3.0
        if isinstance(network, MergeNetDescriptor):
            return max(MERGENET_INPUTS, network.channels[0] / 4)
        on_cells = max(network.adapter_channels * network.adapter, 2 * network.refine_channels * network.refine)
        return max(FUSION_WIDEST, on_cells / network.cell_px**2)

    def _counted(self, plan: Plan) -> Plan:
        return replace(plan, bytes=self._bytes(plan))

    def _bytes(self, plan: Plan) -> int:
        """Expected peak of a plan in bytes: the parts in memory at the same time, scaled by measured factors (see
        docs).
        """
        pixels = self.width * self.height
        band = 1.0 if plan.rows is None else min(1.0, (plan.rows + 2 * ROWS_MULTIPLE) / self.height)
        flow = self.flow_bytes_per_pixel * plan.pairs_at_once
        frames = 3 * 3 * 4 * 4
        used = frames + self._network_bytes(flow, band, plan.keep_features)
        if plan.keeps_freed:  # blocks freed by the flow do not fit the network's buffers
            used += flow
        waste = WASTE_KEPT if plan.keeps_freed else WASTE if plan.rows is None else WASTE_BANDS
        staged = ON_CPU.bytes_per_pixel * (STAGED_KEPT if plan.keeps_freed else 1) if self.on_host else 0
        return int(pixels * (used * waste + staged))

    def _network_bytes(self, flow: int, band: float, keep_features: bool) -> float:
        """Bytes per pixel of the network and the flow at their peak, for bands of this share of the frame."""
        network = self.descriptor
        element = 4 if self.precision == torch.float32 else 2
        if network is None:
            return max(flow, MERGE_BYTES)
        if isinstance(network, MergeNetDescriptor):
            features = element * network.channels[0] / 4
            return max(flow, MERGE_BYTES + 3 * features + MERGE_BAND_BYTES * band)
        cells = network.cell_px**2
        features = element * network.refine_channels / cells
        carried = 3 * features * network.refine * keep_features
        adapter = element * network.adapter_channels / cells * (2 + 3 * band) * network.adapter
        fusion = 4 * 90 * band
        refine = features * (6 + 4 * band) * network.refine
        return max(flow + carried, adapter + carried, fusion + carried, refine)


def make_plan(workload: Workload, engine: Engine, device: torch.device) -> Plan:
    """Return the fastest plan that fits.

    Raises:
        OutOfMemory: ``engine.memory`` is less than the smallest plan needs.
    """
    give_back_freed_memory()
    limit = _limit(engine.memory, device) // lanes_on(device, engine.device)
    for plan in workload.plans(engine.tile):
        if plan.bytes <= limit:
            return plan
    if not engine.memory:
        return plan
    raise OutOfMemory(
        f"{workload.width} x {workload.height} pixels need at least {format_size(plan.bytes)}; "
        f"--memory {engine.memory} leaves {format_size(max(limit, 0))}.",
        hint="Give more memory, render with --precision bf16, or use --method merge.",
        needed=plan.bytes, limit=limit,
    )  # fmt: skip


def leaner(workload: Workload, plan: Plan) -> Plan | None:
    """Return the next plan that needs less memory than ``plan``, or None. A given ``tile`` is ignored."""
    later = [other for other in workload.plans("auto") if other.bytes < plan.bytes]
    return later[0] if later else None


def _limit(memory: str, device: torch.device) -> int:
    if memory:
        return parse_size(memory) - used_memory(device)
    return int(free_memory(device) * SHARE_OF_FREE)
