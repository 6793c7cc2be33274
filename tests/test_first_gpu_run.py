"""The script for a first run on a GPU works, tried on the CPU at a small size."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


if shutil.which("timeout") is None or shutil.which("bash") is None:
    pytest.skip("the script needs bash and timeout", allow_module_level=True)


def run(folder, steps):
    """The rows of the table by step; a step's second word is its outcome."""
    settings = {"TRY": "1", "PYTHON": sys.executable, "STEPS": steps}
    command = ["bash", str(ROOT / "tools" / "first_gpu_run.sh"), str(folder)]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {line.split()[0]: line for line in done.stdout.splitlines()}


def test_every_step_is_a_row_of_the_table(tmp_path):
    rows = run(tmp_path / "out", "bench_mergenet fused plate render_merge")
    assert list(rows) == ["bench_mergenet", "fused", "plate", "render_merge"]
    assert all(row.split()[1] == "ok" for row in rows.values())
    assert "frames/s" in rows["bench_mergenet"] and "4 frames" in rows["render_merge"]
    assert "standard" in rows["fused"] and "mergenet" in rows["fused"]


def test_a_step_that_fails_is_a_row_of_the_table(tmp_path):
    rows = run(tmp_path, "render_merge render_lite")  # without a plate
    assert [row.split()[1] for row in rows.values()] == ["exit", "exit"]
