"""Limits of a container: Linux control groups, versions 1 and 2. Imports no large library."""

from __future__ import annotations

import math
import os
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
UNLIMITED = 1 << 60
"""Limits of at least this value mean unlimited (version 1 uses a number near 2 ** 63)."""


def container_cpus(root: Path = ROOT) -> int | None:
    """Return the number of processors of the container, rounded up; None if there is no limit."""
    quota, period = _words(root / "cpu.max") or _version_1_quota(root)
    if quota in ("", "max", "-1"):
        return None
    return max(1, math.ceil(int(quota) / int(period)))


def container_memory_left(root: Path = ROOT) -> int | None:
    """Return the unused bytes below the container's limit; None if there is no limit."""
    for folder, limit_name, used_name in (
        (root, "memory.max", "memory.current"),
        (root / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        limit, used = _words(folder / limit_name), _words(folder / used_name)
        if limit and used and limit[0] != "max" and int(limit[0]) < UNLIMITED:
            return max(0, int(limit[0]) - int(used[0]) + _reclaimable(folder))
    return None


def usable_cpus(root: Path = ROOT) -> int:
    """Return the number of processors that this process may use: its affinity, limited by the container's share."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = container_cpus(root)
    return allowed if share is None else min(allowed, share)


def _version_1_quota(root: Path) -> tuple[str, str]:
    quota = _words(root / "cpu" / "cpu.cfs_quota_us")
    period = _words(root / "cpu" / "cpu.cfs_period_us")
    return (quota[0], period[0]) if quota and period else ("", "")


def _reclaimable(folder: Path) -> int:
    """Return the bytes of cached files that the group would release."""
    words = _words(folder / "memory.stat")
    for name in ("inactive_file", "total_inactive_file"):
        if name in words:
            return int(words[words.index(name) + 1])
    return 0


def _words(path: Path) -> list[str]:
    """Return the words of a small file; empty if it cannot be read."""
    try:
        return path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return []
