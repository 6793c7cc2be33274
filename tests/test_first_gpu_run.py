"""The script for a first run on a GPU works, tried on the CPU at a small size."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


if shutil.which("timeout") is None or shutil.which("bash") is None:
    pytest.skip("the script needs bash and timeout", allow_module_level=True)


def run(folder, steps, **settings):
    """The outcome of each step, and the printed table."""
    settings = {"TRY": "1", "PYTHON": sys.executable, "STEPS": steps, **settings}
    command = ["bash", str(ROOT / "tools" / "first_gpu_run.sh"), str(folder)]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (folder / "table.txt").read_text() == done.stdout
    measured = json.loads((folder / "measured.json").read_text())
    return {name: code for name, code, _ in measured["steps"]}, done.stdout


def test_every_step_is_a_row_and_its_results_are_in_the_folder(tmp_path):
    steps = ["setup", "compute", "bench_mergenet", "plate", "render_merge"]
    outcomes, table = run(tmp_path / "out", " ".join(steps))
    assert outcomes == dict.fromkeys(steps, "0")
    rows = {line.split()[0]: line for line in table.splitlines()}
    assert "frames/s" in rows["bench_mergenet"] and "8 frames" in rows["render_merge"]
    assert "standard" in rows["compute"] and "mergenet" in rows["compute"]
    figures = json.loads((tmp_path / "out" / "measured.json").read_text())["figures"]
    assert figures["compute, standard on DIS"] > 0 and sum("files to files" in label for label in figures) == 1
    assert "compute, standard on DIS" in table and "half precision against float32: not measured" in table
    assert (tmp_path / "out" / "frames.png").stat().st_size > 0
    assert "frames/s" in (tmp_path / "out" / "logs.txt").read_text()


def test_a_step_that_fails_is_a_row_and_the_next_one_runs(tmp_path):
    outcomes, _ = run(tmp_path, "render_merge setup")  # without a plate
    assert outcomes["render_merge"] != "0" and outcomes["setup"] == "0"


def test_without_its_device_nothing_but_the_setup_runs_and_the_device_is_named(tmp_path):
    outcomes, table = run(tmp_path, "setup compute train", DEVICE="cuda:9")
    assert outcomes == {"setup": "1", "compute": "setup", "train": "setup"}
    assert "cuda:9" in table


def test_steps_for_which_no_time_is_left_are_rows(tmp_path):
    outcomes, _ = run(tmp_path, "compute train", TOTAL="0")
    assert outcomes == {"compute": "time", "train": "time"}
