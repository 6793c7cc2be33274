"""Freed memory stays in the process: on CPUs, fresh pages for large pictures cost more than the arithmetic."""

from __future__ import annotations

import ctypes
import os
import sys

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
_TOP_PAD_BYTES = 64 << 20


def keep_freed_memory() -> bool:
    """Let the C library keep what is freed, and torch ask for huge pages; True where that could be set.

    Call it before torch is imported: torch reads its setting (``THP_MEM_ALLOC_ENABLE``) at its first allocation. A
    setting that the user made stands. Only glibc has the knobs (mallopt(3)); elsewhere nothing is changed.
    """
    if not sys.platform.startswith("linux"):
        return False
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, _TOP_PAD_BYTES))
    return all(mallopt(name, value) == 1 for name, value in settings)
