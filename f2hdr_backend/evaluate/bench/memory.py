"""The most memory that something takes beyond what the process held before, on the host and on its device."""

from __future__ import annotations

import gc
import threading
from types import TracebackType

import torch

from f2hdr_backend.machine.cpu_setup import give_back_freed_memory
from f2hdr_backend.machine.device import used_memory

SAMPLED_EVERY_S = 0.01
_CPU = torch.device("cpu")


class MemoryPeak:
    """A context that watches memory; its facts hold once it is over."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._over = threading.Event()
        self._sampler = threading.Thread(target=self._sample, name="memory", daemon=True)
        self.host_before = 0
        """Bytes of resident memory when the context began."""
        self.host_peak = 0
        """Most bytes of resident memory that were seen."""
        self.device_peak: int | None = None
        """Bytes that torch held on a CUDA device at most, beyond what it held before; None on the CPU."""
        self._device_before = 0

    @property
    def host_growth(self) -> int:
        """Bytes of resident memory at the peak beyond those before."""
        return self.host_peak - self.host_before

    def __enter__(self) -> MemoryPeak:
        _start_afresh()
        self.host_before = self.host_peak = used_memory(_CPU)
        if self._device.type == "cuda":
            torch.cuda.init()
            torch.cuda.reset_peak_memory_stats(self._device)
            self._device_before = torch.cuda.memory_allocated(self._device)
        self._sampler.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._sampler.join()
        self._note()
        if self._device.type == "cuda":
            self.device_peak = torch.cuda.max_memory_allocated(self._device) - self._device_before

    def _sample(self) -> None:
        while not self._over.wait(SAMPLED_EVERY_S):
            self._note()

    def _note(self) -> None:
        self.host_peak = max(self.host_peak, used_memory(_CPU))


def _start_afresh() -> None:
    """Return what is freed to the system, so that the next peak does not hide in it."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    give_back_freed_memory()
