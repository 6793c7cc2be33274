"""Process settings for fast computation on a CPU; applied before torch is imported.

Freed memory stays in the process, because new pages for large images take longer than the arithmetic. The number of
threads is limited to the container's processors, because additional threads only wait for each other.
"""

from __future__ import annotations

import ctypes
import os
import sys

from f2hdr_backend.machine.container import container_cpus, usable_cpus

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8
_KEEP = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 64 << 20), (_M_ARENA_MAX, 1))
_GIVE_BACK = ((_M_MMAP_MAX, 65536), (_M_TRIM_THRESHOLD, 128 << 10), (_M_TOP_PAD, 128 << 10))


def set_up_cpu() -> None:
    """Keep freed memory, let torch request huge pages, and limit the number of threads.

    Must be called before torch and OpenCV are imported, because they read the environment. Variables set by the user
    are not changed.
    """
    keep_freed_memory()
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    if is_busy():
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if container_cpus() is not None:
        os.environ.setdefault("OMP_NUM_THREADS", str(usable_cpus()))
        os.environ.setdefault("OPENCV_FOR_THREADS_NUM", os.environ["OMP_NUM_THREADS"])


def is_busy() -> bool:
    """Return whether other processes use more than half of the processors.

    Threads that spin while they wait for each other would then take processors from the threads they wait for: small
    frames took 4 to 10 times as long (40 frames of 96 x 64, 2 processors, load 12).
    """
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > usable_cpus() / 2


def give_back_freed_memory() -> None:
    """Return freed memory to the system, so that the free memory can be measured (malloc_trim(3))."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:
        trim(0)


def keep_freed_memory(keep: bool = True) -> bool:
    """Let the C library keep freed memory, or return large blocks at once; return whether this was possible.

    Keeping memory is faster and needs about half as much again, because of fragmentation. All threads share one arena:
    with one each, the memory of a render grows for hundreds of frames. Only glibc supports this (mallopt(3)); elsewhere
    nothing is changed.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None
    if mallopt is None:
        return False
    settings = _KEEP if keep else _GIVE_BACK
    return all(mallopt(name, value) == 1 for name, value in settings)
