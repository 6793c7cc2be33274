"""Signals stop a verb without leaving a temporary file, for any sequence of signals."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.server.running import LONG_S, ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")
PROGRAM = """
import sys, time
from f2hdr_backend.cli.batch_mode import Progress, task
from f2hdr_backend.shot.atomic import atomic_file
with task(Progress.JSON), atomic_file(sys.argv[1]) as file:
    file.write(b"half")
    try:
        print("writing", flush=True)
        time.sleep(1000)
    finally:
        print("stopping", flush=True)
        time.sleep(float(sys.argv[2]))
"""


def started(path, cleanup_s):
    child = subprocess.Popen([sys.executable, "-c", PROGRAM, path, str(cleanup_s)], cwd=ROOT, stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"writing\n"
    return child


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_one_signal_stops_a_task_without_partial_files(tmp_path, name):
    child = started(tmp_path / "a", 0)
    child.send_signal(getattr(signal, name))
    assert child.wait(LONG_S) != 0
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("names", [("SIGINT", "SIGINT"), ("SIGTERM", "SIGTERM"), ("SIGTERM", "SIGHUP")])
def test_a_second_signal_ends_a_task_at_once_without_partial_files(tmp_path, names):
    child = started(tmp_path / "a", 1000)
    child.send_signal(getattr(signal, names[0]))
    assert child.stdout.readline() == b"stopping\n"
    began = time.monotonic()
    child.send_signal(getattr(signal, names[1]))
    assert child.wait(LONG_S) == 130 and time.monotonic() - began < LONG_S
    assert os.listdir(tmp_path) == []
