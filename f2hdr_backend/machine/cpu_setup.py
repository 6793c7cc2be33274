"""What a process needs before torch is imported to be fast on a CPU.

Freed memory stays in the process, because fresh pages for large pictures cost more than the arithmetic; and there are
no more threads than the container may keep busy, because the others only wait for each other.
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
    """Keep freed memory, let torch ask for huge pages, and bound the threads.

    Call it before torch and OpenCV are imported, which read the environment. A setting that the user made there stands.
    """
    keep_freed_memory()
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    if is_busy():
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if container_cpus() is not None:
        os.environ.setdefault("OMP_NUM_THREADS", str(usable_cpus()))
        os.environ.setdefault("OPENCV_FOR_THREADS_NUM", os.environ["OMP_NUM_THREADS"])


def is_busy() -> bool:
    """Return whether other processes keep more than half of the processors busy.

    Threads that spin while they wait for each other then take the processors from those they wait for: small frames
    took 4 to 10 times as long (40 frames of 96 x 64, 2 processors, load 12).
    """
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > usable_cpus() / 2


def give_back_freed_memory() -> None:
    """Hand what was freed and kept back to the system, so that the free memory can be measured (malloc_trim(3))."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:
        trim(0)


def keep_freed_memory(keep: bool = True) -> bool:
    """Let the C library keep what is freed, or give large blocks back at once; True where that could be set.

    Kept memory is faster and takes about half as much again, as it is not always where it is needed. All threads share
    one store of it: with one each, a render grows for hundreds of frames. Only glibc has the knobs (mallopt(3));
    elsewhere nothing is changed.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None
    if mallopt is None:
        return False
    settings = _KEEP if keep else _GIVE_BACK
    return all(mallopt(name, value) == 1 for name, value in settings)
