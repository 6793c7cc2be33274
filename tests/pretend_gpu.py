"""A simulated CUDA device: its tensors are on the CPU, and every synchronization, copy and launch is counted.

The code under test has tensors on ``cuda:0`` and uses its CUDA path; the CPU computes the numbers. Counted as waits
are the operations for which the host would wait: reading a value, a copy from or to memory that is not pinned, and an
operation whose result has a size that depends on values. Streams have logical clocks: an operation that uses what
another stream wrote, without having waited for that stream, is a race.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._C import DispatchKey
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from f2hdr_backend.model import transfer

DEVICE = torch.device("cuda:0")
SIZED_BY_VALUES = {"nonzero", "masked_select", "unique", "_unique2", "unique_dim", "is_nonzero", "equal"}
FREE_BYTES = 80 * 2**30


class DeviceTensor(Tensor):
    """A tensor of the simulated device; ``on_cpu`` contains its numbers, on the CPU."""

    on_cpu: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> DeviceTensor:
        with torch.inference_mode(False):
            made: DeviceTensor = Tensor._make_wrapper_subclass(
                cls, inner.shape, strides=inner.stride(), storage_offset=inner.storage_offset(), dtype=inner.dtype,
                layout=inner.layout, device=DEVICE, requires_grad=False,
            )  # fmt: skip
        made.on_cpu = inner
        return made

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"DeviceTensor({self.on_cpu!r})"

    def record_stream(self, stream: Any) -> None:
        """As for any tensor; memory is not reused here."""

    def tolist(self) -> Any:
        """As for any tensor: a download, and a wait."""
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise RuntimeError(f"{func} on a tensor of the pretended device, outside of pretend_gpu().")


@dataclass
class Counted:
    """Operations requested from the device."""

    launches: Counter[str] = field(default_factory=Counter)
    """Operations by name that start a kernel; views and allocations do not."""
    waits: list[str] = field(default_factory=list)
    """Operations for which the host would wait."""
    up_bytes: int = 0
    down_bytes: int = 0
    events: int = 0
    """Events for which the host waited: the ends of downloads."""
    races: list[str] = field(default_factory=list)
    """Operations that used what another stream may not have written yet."""
    order: list[str] = field(default_factory=list)
    """All of these in the order of the host: ``launch``, ``up``, ``down``, and ``event`` where the host waited."""

    def clear(self) -> None:
        """Reset the counters."""
        self.launches.clear()
        self.waits.clear()
        self.races.clear()
        self.order.clear()
        self.up_bytes = self.down_bytes = self.events = 0


class _Stream:
    """A stream; operations have numbers, and ``seen`` is the last one of each stream that later ones here follow."""

    def __init__(self, device: object = None) -> None:
        self.last = 0
        self.seen: dict[_Stream, int] = {}

    def wait_stream(self, other: _Stream) -> None:
        """Let later operations here follow those that are queued in ``other``."""
        for stream, number in (*other.seen.items(), (other, other.last)):
            self.seen[stream] = max(number, self.seen.get(stream, 0))


class _Streams(threading.local):
    """The current stream of each thread."""

    def __init__(self, default: _Stream) -> None:
        self.current = default

    @contextmanager
    def using(self, stream: _Stream) -> Iterator[None]:
        """As ``torch.cuda.stream``."""
        before, self.current = self.current, stream
        try:
            yield
        finally:
            self.current = before


class _Device(TorchDispatchMode):
    """Runs the operations of the simulated device on the CPU."""

    def __init__(
        self, counted: Counted, pinned: dict[int, Tensor], streams: _Streams, written: dict[int, tuple[_Stream, int]]
    ) -> None:
        """``pinned`` contains the pinned memory by its address; it stays allocated, so that addresses remain unique.
        ``written`` has the last operation on each tensor's memory.
        """
        super().__init__()
        self._counted = counted
        self._pinned = pinned
        self._streams = streams
        self._written = written

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = dict(kwargs or {}), func.overloadpacket.__name__
        if name == "is_pinned":
            return self._is_pinned(args[0])
        if name in ("pin_memory", "_pin_memory"):
            return args[0] if self._is_pinned(args[0]) else self._pin(args[0].clone())
        if name in ("_to_copy", "copy_"):
            return self._copied(func, args, kwargs)
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        asked = kwargs.get("device")
        if asked is None:
            on_device = any(isinstance(each, DeviceTensor) for each in tensors)
        else:
            on_device = torch.device(asked).type == "cuda"
        composite = func._can_decompose() and DispatchKey.CompositeImplicitAutograd not in func.py_kernels
        if composite and (on_device or asked is not None):  # torch in Python has others, which are one launch on a GPU
            with self:
                return func.decompose(*args, **kwargs)
        if on_device:
            self._count(func, name, tensors)
        pin = kwargs.pop("pin_memory", False)
        if asked is not None:
            kwargs["device"] = "cpu"
        found = func(*tree_map(_inner, args), **tree_map(_inner, kwargs))
        if pin:
            self._pin(found)
        if not on_device or name == "_local_scalar_dense":
            return found
        if not func.is_view:
            self._queue(name, tensors, tree_leaves(found))
        known = {id(each.on_cpu): each for each in tensors if isinstance(each, DeviceTensor)}
        return tree_map(lambda each: known[id(each)] if id(each) in known else _outer(each), found)

    def _count(self, func: Any, name: str, tensors: list[Tensor]) -> None:
        waits, inputs = self._counted.waits, [each for each in tensors if isinstance(each, DeviceTensor)]
        if name == "_local_scalar_dense" or name in SIZED_BY_VALUES:
            waits.append(name)
        if any(each.dim() for each in tensors if not isinstance(each, DeviceTensor)):
            waits.append(f"{name} with a tensor in host memory")
        if name.startswith("index") and any(each.dtype == torch.bool for each in inputs[1:]):
            waits.append(f"{name} with a mask")
        if not func.is_view and not name.startswith(("empty", "new_empty", "_local_scalar", "detach", "alias")):
            self._counted.launches[name] += 1
            self._counted.order.append("launch")

    def _queue(self, name: str, inputs: list[Any], outputs: list[Any]) -> None:
        """Note an operation in the current stream."""
        stream = self._streams.current
        for each in inputs:
            writer, number = self._written.get(_address(each), (stream, 0))
            if writer is not stream and stream.seen.get(writer, 0) < number:
                self._counted.races.append(name)
        stream.last += 1
        for each in outputs:
            if isinstance(each, Tensor):
                self._written[_address(each)] = stream, stream.last

    def _copied(self, func: Any, args: Any, kwargs: Any) -> Any:
        """A change of type, layout or device."""
        target, source = (args[0], args[1]) if len(args) > 1 else (None, args[0])
        if target is not None:
            there = isinstance(target, DeviceTensor)
        else:
            there = torch.device(kwargs.get("device") or source.device).type == "cuda"
        here, counted = isinstance(source, DeviceTensor), self._counted
        size = source.numel() * source.element_size()
        if here or there:
            counted.order.append("launch" if here and there else "up" if there else "down")
        if here and there:
            counted.launches["copy_"] += 1
        elif here or there:
            host = source if there else target
            in_time = kwargs.get("non_blocking") or len(args) > 2 and args[2]
            if not in_time or host is None or not self._is_pinned(host):
                counted.waits.append(f"a copy of {size} bytes {'to' if there else 'from'} the device")
            counted.up_bytes += size * there
            counted.down_bytes += size * here
        kwargs.pop("pin_memory", None)
        if "device" in kwargs:
            kwargs["device"] = "cpu"
        found = func(*tree_map(_inner, args), **kwargs)
        if here or there:
            self._queue("a copy", [source] * here, [found] * there)
        if target is not None:
            return target
        return _outer(found) if there else found

    def _pin(self, tensor: Tensor) -> Tensor:
        self._pinned[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    def _is_pinned(self, tensor: Tensor) -> bool:
        return not isinstance(tensor, DeviceTensor) and tensor.untyped_storage().data_ptr() in self._pinned


class _Event:
    """An event of a stream: always completed."""

    counted: Counted

    def __init__(self, blocking: bool = False) -> None:
        pass

    def record(self, stream: object = None) -> None:
        pass

    def synchronize(self) -> None:
        self.counted.events += 1
        self.counted.order.append("event")


def _address(tensor: Any) -> int:
    """Of the memory of a tensor or of what it wraps."""
    address: int = _inner(tensor).untyped_storage().data_ptr()
    return address


def _inner(value: Any) -> Any:
    return value.on_cpu if isinstance(value, DeviceTensor) else value


def _outer(value: Any) -> Any:
    return DeviceTensor(value) if isinstance(value, Tensor) and not isinstance(value, DeviceTensor) else value


@contextmanager
def _device_guard() -> Iterator[None]:
    """Torch for CPUs has no guard for CUDA devices; the CPU's guard, which does nothing, replaces it."""
    library = Path(torch.__file__).parent / "lib" / "libc10.so"
    if not library.exists():
        pytest.skip("torch has another layout here than on Linux")
    guards = (ctypes.c_void_p * 2).in_dll(ctypes.CDLL(str(library)), "_ZN3c104impl26device_guard_impl_registryE")
    before = guards[1]
    guards[1] = before or guards[0]
    try:
        yield
    finally:
        guards[1] = before


@contextmanager
def pretend_gpu() -> Iterator[Counted]:
    """Within the block, ``cuda:0`` exists for this thread and those that start; yields the counters."""
    counted, streams, run = Counted(), _Streams(_Stream()), threading.Thread.run
    memory = dict[int, Tensor](), streams, dict[int, tuple[_Stream, int]]()

    def run_with_device(thread: threading.Thread) -> None:
        with _Device(counted, *memory):
            run(thread)

    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setattr(threading.Thread, "run", run_with_device)
        patch.setattr(torch.cuda, "_lazy_init", lambda: None)
        patch.setattr(torch.cuda, "is_available", lambda: True)
        patch.setattr(torch.amp.autocast_mode, "amp_definitely_not_available", lambda: False, raising=False)
        patch.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
        patch.setattr(torch.cuda, "Event", type("Event", (_Event,), {"counted": counted}))
        patch.setattr(torch.cuda, "Stream", _Stream)
        patch.setattr(torch.cuda, "stream", streams.using)
        patch.setattr(torch.cuda, "current_stream", lambda device=None: streams.current)
        patch.setattr(transfer, "_streams", cache(transfer._streams.__wrapped__))
        patch.setattr(torch.cuda, "mem_get_info", lambda device=None: (FREE_BYTES, FREE_BYTES))
        patch.setattr(torch.cuda, "memory_reserved", lambda device=None: 0)
        patch.setattr(torch.cuda, "memory_allocated", lambda device=None: 0)
        patch.setattr(torch.cuda, "get_device_name", lambda device=None: "no GPU")
        patch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
        patch.setattr(torch.cuda, "empty_cache", lambda: None)
        patch.setattr(torch.cuda, "init", lambda: None)
        patch.setattr(torch.cuda, "synchronize", lambda device=None: counted.waits.append("synchronize"))
        patch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device=None: None)
        patch.setattr(torch.cuda, "max_memory_allocated", lambda device=None: 0)
        for name in ("torch.optim.optimizer", "torch.utils._foreach_utils"):  # one launch for many tensors
            module = sys.modules[name]  # torch.optim deletes its name
            patch.setattr(module, "_foreach_supported_types", [*module._foreach_supported_types, DeviceTensor])
        before = torch._C._only_lift_cpu_tensors()
        torch._C._set_only_lift_cpu_tensors(True)
        stack.callback(torch._C._set_only_lift_cpu_tensors, before)
        stack.callback(  # otherwise modules keep their own parameters, which are on the CPU, and only exchange the data
            torch.__future__.set_overwrite_module_params_on_conversion,
            torch.__future__.get_overwrite_module_params_on_conversion(),
        )
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        stack.enter_context(_device_guard())
        stack.enter_context(_Device(counted, *memory))
        yield counted
