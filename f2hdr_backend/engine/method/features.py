"""A frame in the form that networks read, with cached results that several windows use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from f2hdr_backend.engine.method.padding import Padding
from f2hdr_backend.flow.stored import frame_identity
from f2hdr_backend.model.transfer import upload


class NetworkFrame:
    """One frame of a plate. Results cached with it are freed with the frame, when no later window needs it."""

    def __init__(self, number: int, codes: NDArray[np.float32], exposure: float, identity: str = "") -> None:
        self.number = number
        self.codes = codes
        """``(H, W, 3)`` gamma-2.2 codes 0-1."""
        self.exposure = exposure
        """Exposure relative to the shortest of the shot, which is 1."""
        self._identity = identity
        self._kept: dict[Hashable, object] = {}
        self._making: dict[Hashable, threading.Lock] = {}

    @property
    def identity(self) -> str:
        """Digest of the codes; computed on first use."""
        self._identity = self._identity or frame_identity(self.codes)
        return self._identity

    def bare(self) -> NetworkFrame:
        """Return the same frame without cached results, for another device."""
        return NetworkFrame(self.number, self.codes, self.exposure, self._identity)

    def pinned(self) -> NetworkFrame:
        """The same frame without cached results, its codes in pinned memory."""
        return NetworkFrame(self.number, pinned(self.codes), self.exposure, self._identity)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        height, width = self.codes.shape[:2]
        return width, height

    def has(self, key: Hashable) -> bool:
        """Whether a result is kept under ``key``."""
        return key in self._kept

    def keep(self, key: Hashable, value: Any) -> None:
        """Keep ``value`` for later windows."""
        self._kept[key] = value

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The result under ``key``, made by the first thread that needs it while others wait."""
        with self._making.setdefault(key, threading.Lock()):
            if not self.has(key):
                self.keep(key, make())
            return self.kept(key)

    def drop(self, key: Hashable) -> None:
        """Discard the result under ``key``, if there is one."""
        self._kept.pop(key, None)

    def kept(self, key: Hashable) -> Any:
        """Return the result under ``key``. Raises KeyError if there is none."""
        return self._kept[key]

    def forget(self) -> None:
        """Discard all results."""
        self._kept.clear()

    def tensor(self, padding: Padding, device: torch.device) -> Tensor:
        """Return the padded codes ``(1, 3, H, W)`` on the device."""
        key = ("tensor", device)
        if not self.has(key):
            codes = upload(torch.from_numpy(np.ascontiguousarray(self.codes)), device)
            self.keep(key, padding.pad(codes.permute(2, 0, 1).contiguous().unsqueeze(0)))
        tensor: Tensor = self.kept(key)
        return tensor


def pinned(codes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The codes in pinned memory, which a GPU reads directly."""
    array: NDArray[np.float32] = torch.from_numpy(codes).pin_memory().numpy()
    return array
