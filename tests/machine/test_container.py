"""Limits of a container, read from control groups as written by Linux."""

from __future__ import annotations

import os

import pytest

from f2hdr_backend.machine.container import container_cpus, container_memory_left, usable_cpus


def write(root, **files):
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")


@pytest.mark.parametrize(("text", "cpus"), [("max 100000", None), ("150000 100000", 2), ("50000 100000", 1)])
def test_the_processor_limit_of_a_container_is_read(tmp_path, text, cpus):
    write(tmp_path, cpu_DOT_max=text)
    assert container_cpus(tmp_path) == cpus


def test_limits_of_control_groups_version_1_are_read(tmp_path):
    write(
        tmp_path, cpu__cpu_DOT_cfs_quota_us="200000", cpu__cpu_DOT_cfs_period_us="100000",
        memory__memory_DOT_limit_in_bytes="4000000000", memory__memory_DOT_usage_in_bytes="3000000000",
    )  # fmt: skip
    assert container_cpus(tmp_path) == 2
    assert container_memory_left(tmp_path) == 1_000_000_000


def test_control_groups_version_1_without_limits_give_none(tmp_path):
    write(
        tmp_path, cpu__cpu_DOT_cfs_quota_us="-1", cpu__cpu_DOT_cfs_period_us="100000",
        memory__memory_DOT_limit_in_bytes="9223372036854771712", memory__memory_DOT_usage_in_bytes="3000000000",
    )  # fmt: skip
    assert container_cpus(tmp_path) is None
    assert container_memory_left(tmp_path) is None


def test_used_memory_excludes_file_caches(tmp_path):
    write(tmp_path, memory_DOT_max="4000", memory_DOT_current="3500", memory_DOT_stat="anon 100\ninactive_file 700")
    assert container_memory_left(tmp_path) == 1200


def test_without_a_container_there_are_no_limits(tmp_path):
    assert container_cpus(tmp_path) is None
    assert container_memory_left(tmp_path) is None
    write(tmp_path, memory_DOT_max="max", memory_DOT_current="3500")
    assert container_memory_left(tmp_path) is None


def test_threads_never_exceed_the_processor_limit(tmp_path):
    write(tmp_path, cpu_DOT_max="100000 100000")
    assert usable_cpus(tmp_path) == 1
    assert usable_cpus(tmp_path / "none") == len(os.sched_getaffinity(0))
