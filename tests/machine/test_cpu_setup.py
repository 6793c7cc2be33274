"""The C library's memory by its own statistics, in a separate process."""

import os
import subprocess
import sys

import pytest

from f2hdr_backend.machine import cpu_setup

PROGRAM = """
import ctypes, sys, threading
import numpy as np
if sys.argv[1] == "set up":
    from f2hdr_backend.machine.cpu_setup import set_up_cpu
    set_up_cpu()
together = threading.Barrier(4)
def work():
    together.wait()
    for _ in range(50):
        np.ones(3000)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def heaps(setting):
    """How many stores of freed memory four busy threads leave."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, setting], capture_output=True, text=True, check=True)
    return done.stdout.count("<heap nr=")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's own")
def test_threads_share_one_memory_arena():
    assert heaps("as it is") > 1
    assert heaps("set up") == 1


@pytest.mark.skipif(not hasattr(os, "getloadavg"), reason="this system has no load average")
@pytest.mark.parametrize(("load", "policy"), [(0.0, None), (1e6, "PASSIVE")])
def test_waiting_threads_do_not_spin_on_a_busy_machine(monkeypatch, load, policy):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setattr(os, "getloadavg", lambda: (load, load, load))
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(cpu_setup, "keep_freed_memory", lambda: True)
    cpu_setup.set_up_cpu()
    assert os.environ.get("OMP_WAIT_POLICY") == policy
