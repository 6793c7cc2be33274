"""No process that F2HDR starts imports modules from the current folder, where plates of strangers are."""

import ast
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.server.running import LONG_S, ROOT, write_backend

PLANTED = "import pathlib; pathlib.Path(__file__).with_name('RAN').touch()\n"
NAMES = ("json", "runpy", "types", "typing", "logging", "multiprocessing", "rich", "typer", "numpy", "f2hdr_backend")


@pytest.fixture
def planted(tmp_path):
    """A folder as a stranger could deliver it, with modules that every Python program imports."""
    folder = tmp_path / "plate"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.py").write_text(PLANTED)
    (folder / "s.json").write_text('{"plate": "plate.####.tif"}')
    return folder


def f2hdr(planted, *words):
    environment = {
        **os.environ, "F2HDR_RUNTIME": str(planted.parent), "F2HDR_BACKEND": str(planted / "missing"), "PYTHONPATH": "",
    }  # fmt: skip
    backend = write_backend(planted.parent)
    return subprocess.run([str(backend), *words], cwd=planted, env=environment, capture_output=True, text=True)


def test_the_process_that_watches_a_detached_job_runs_no_file_of_the_current_folder(planted):
    assert f2hdr(planted, "submit", "s.json", "--detach", "--status", "st.json").returncode == 0
    end = time.monotonic() + LONG_S
    while json.loads((planted / "st.json").read_text())["state"] != "failed" and time.monotonic() < end:
        time.sleep(0.1)
    assert json.loads((planted / "st.json").read_text())["state"] == "failed"
    assert not (planted / "RAN").exists()


def test_spawned_workers_run_no_file_of_the_current_folder(planted):
    code = (
        "import multiprocessing, os, sys\n"
        f"sys.path.append({str(ROOT)!r})\n"
        "import f2hdr_backend.cli.main as command\n"
        "command.set_up_cpu = command.build_app = lambda: None\n"
        "command.run = lambda app: None\n"
        "if __name__ == '__main__':\n"
        "    command.main()\n"
        "    worker = multiprocessing.get_context('spawn').Process(target=os.getpid)\n"
        "    worker.start(); worker.join(); sys.exit(worker.exitcode)\n"
    )
    script = planted.parent / "spawning.py"
    script.write_text(code)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    assert subprocess.run([sys.executable, str(script)], cwd=planted, env=environment).returncode == 0
    assert not (planted / "RAN").exists()


def test_every_python_child_is_started_without_the_current_folder():
    """``-c`` and ``-m`` put the current folder first, unless ``-P`` or ``-I`` is given."""
    found = []
    for path in sorted((Path(ROOT) / "f2hdr_backend").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.List) and node.elts and ast.unparse(node.elts[0]) == "sys.executable":
                words = [item.value for item in node.elts if isinstance(item, ast.Constant)]
                if {"-c", "-m"} & set(words) and not {"-P", "-I"} & set(words):
                    found.append(f"{path.name}:{node.lineno}")
    assert found == []


@pytest.mark.parametrize("place", [".", ""])
def test_a_command_in_the_current_folder_is_not_the_backend(planted, monkeypatch, place):
    from f2hdr_backend.client import launch

    fake = planted / "f2hdr"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    monkeypatch.chdir(planted)
    monkeypatch.delenv("F2HDR_BACKEND", raising=False)
    monkeypatch.setenv("PATH", os.pathsep.join([place, str(planted.parent)]))
    assert launch._on_path("f2hdr") == ""
    write_backend(planted.parent)
    assert launch._on_path("f2hdr") == str(planted.parent / "f2hdr")
