"""The log of commands: written, rotated, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from f2hdr_backend.cli.log import ROTATE_BYTES


def f2hdr(*words: str, logs: Path) -> subprocess.CompletedProcess[str]:
    code = "from f2hdr_backend.cli.main import main; main()"
    environment = {**os.environ, "F2HDR_LOGS": str(logs)}
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_command_and_its_error_are_logged_without_extra_output(tmp_path: Path) -> None:
    ran = f2hdr("render", "no.####.tif", "-o", "x.####.exr", logs=tmp_path)
    text = (tmp_path / "f2hdr.log").read_text()
    assert "render no.####.tif" in text and "missing_frames" in text and "missing_frames" not in ran.stderr
    assert "missing_frames" in f2hdr("render", "-v", "no.####.tif", "-o", "x.####.exr", logs=tmp_path).stderr


def test_a_large_log_is_renamed_and_a_new_one_started(tmp_path: Path) -> None:
    (tmp_path / "f2hdr.log").write_text("x" * (ROTATE_BYTES + 1))
    assert f2hdr("info", "--help", logs=tmp_path).returncode == 0
    assert (tmp_path / "f2hdr.1.log").stat().st_size > ROTATE_BYTES
    assert (tmp_path / "f2hdr.log").stat().st_size < ROTATE_BYTES


@pytest.mark.skipif(os.name == "nt", reason="a file as a folder is another error there")
def test_a_log_that_cannot_be_written_does_not_stop_a_command(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = f2hdr("--version", logs=tmp_path / "file")
    assert ran.returncode == 0 and ran.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="needs pipes and links")
@pytest.mark.parametrize("kind", ["pipe", "link", "device"])
def test_a_log_that_is_no_file_is_left_alone(tmp_path: Path, kind: str) -> None:
    log, other = tmp_path / "f2hdr.log", tmp_path / "other"
    other.write_text("mine")
    if kind == "pipe":
        os.mkfifo(log)
    else:
        log.symlink_to(other if kind == "link" else "/dev/full")
    ran = f2hdr("--version", logs=tmp_path)
    assert ran.returncode == 0 and ran.stderr == ""
    assert other.read_text() == "mine"


def test_an_argument_cannot_add_lines_to_the_log(tmp_path: Path) -> None:
    f2hdr("render", "a\n2026-01-01 00:00:00 1 ERROR forged.####.tif", "-o", "x.####.exr", logs=tmp_path)
    assert not [line for line in (tmp_path / "f2hdr.log").read_text().splitlines() if line.startswith("2026-01-01")]
