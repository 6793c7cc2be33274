"""What a container leaves to this process: Linux control groups, versions 1 and 2. Imports nothing heavy."""

from __future__ import annotations

import math
import os
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
UNLIMITED = 1 << 60
"""Limits from here on stand for none (version 1 writes a number near 2 ** 63)."""


def container_cpus(root: Path = ROOT) -> int | None:
    """Processors that the container may keep busy, rounded up; None where there is no limit."""
    quota, period = _words(root / "cpu.max") or _version_1_quota(root)
    if quota in ("", "max", "-1"):
        return None
    return max(1, math.ceil(int(quota) / int(period)))


def container_memory_left(root: Path = ROOT) -> int | None:
    """Bytes below the container's limit that nobody uses; None where there is no limit."""
    for folder, limit_name, used_name in (
        (root, "memory.max", "memory.current"),
        (root / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        limit, used = _words(folder / limit_name), _words(folder / used_name)
        if limit and used and limit[0] != "max" and int(limit[0]) < UNLIMITED:
            return max(0, int(limit[0]) - int(used[0]) + _reclaimable(folder))
    return None


def usable_cpus(root: Path = ROOT) -> int:
    """Processors that this process may use: its affinity, cut to the container's share."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = container_cpus(root)
    return allowed if share is None else min(allowed, share)


def _version_1_quota(root: Path) -> tuple[str, str]:
    quota = _words(root / "cpu" / "cpu.cfs_quota_us")
    period = _words(root / "cpu" / "cpu.cfs_period_us")
    return (quota[0], period[0]) if quota and period else ("", "")


def _reclaimable(folder: Path) -> int:
    """Bytes of files that the group holds in memory and would give up."""
    words = _words(folder / "memory.stat")
    for name in ("inactive_file", "total_inactive_file"):
        if name in words:
            return int(words[words.index(name) + 1])
    return 0


def _words(path: Path) -> list[str]:
    """The words of a small file; none where it cannot be read."""
    try:
        return path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return []
