"""Peak memory of a block of code beyond what the process used before, on the host and on a CUDA device."""

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
    """Context manager that records peak memory; its attributes are valid after the context has ended."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._over = threading.Event()
        self._sampler = threading.Thread(target=self._sample, name="memory", daemon=True)
        self.host_before = 0
        """Resident memory in bytes when the context was entered."""
        self.host_peak = 0
        """Peak of resident memory in bytes."""
        self.device_peak: int | None = None
        """Peak of torch's CUDA memory in bytes, beyond what was allocated before; None on the CPU."""
        self._device_before = 0

    @property
    def host_growth(self) -> int:
        """Growth of resident memory at the peak, in bytes."""
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
    """Return freed memory to the system, so that the next peak is measured in full."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    give_back_freed_memory()
