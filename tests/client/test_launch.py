"""The server is found without configuration: started once by the first client, restarted after a crash."""

import json
import os
import re
import signal
import stat
import subprocess
import sys

import pytest

import f2hdr_backend
from f2hdr_backend.client import launch, runtime
from f2hdr_backend.client.jobs import info
from f2hdr_backend.shot.errors import ServerUnreachable, VersionMismatch
from tests.server.running import LONG_S, ROOT, Served, until, write_backend


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty runtime folder, and this checkout as the backend; whatever server was started is ended."""
    monkeypatch.setenv("F2HDR_RUNTIME", str(tmp_path / "run"))
    monkeypatch.setenv("F2HDR_BACKEND", str(write_backend(tmp_path)))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield tmp_path
    facts = runtime.read_connection_file()
    if facts is not None and facts["pid"] != os.getpid():
        with_end = [signal.SIGTERM, signal.SIGKILL]
        for number in with_end:
            try:
                os.kill(facts["pid"], number)
            except ProcessLookupError:
                break


def test_many_simultaneous_clients_start_one_server_and_reach_it(home, monkeypatch):
    for name in ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        monkeypatch.setenv(name, "/nowhere/of/the/host")
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from f2hdr_backend.client.launch import connect\nfrom f2hdr_backend.client.jobs import info\n"
        f"print(info(connect(timeout={LONG_S}))['pid'])"
    )
    plain = {**os.environ}
    for name in ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        del plain[name]
    command = [sys.executable, "-I", "-c", code]
    clients = [subprocess.Popen(command, env=plain, stdout=subprocess.PIPE) for _ in range(4)]
    pids = {client.communicate(timeout=LONG_S)[0] for client in clients}
    assert len(pids) == 1 and pids != {b""}
    connection = launch.connect(start=False)
    assert connection.version == f2hdr_backend.__version__
    assert info(connection)["pid"] == int(pids.pop())


def test_the_server_does_not_inherit_the_python_environment_of_a_host(monkeypatch):
    for name in ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "DYLD_X"):
        monkeypatch.setenv(name, "of the host")
    monkeypatch.setenv("OCIO", "of the host")
    clean = launch.clean_environment()
    assert "of the host" not in clean.values()
    assert clean["PATH"] == os.environ["PATH"]


def test_a_stale_connection_file_is_replaced(home):
    """Its process has ended or is not a server; a killed server is replaced as well."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    facts = {"address": "http://127.0.0.1:9", "token": "t", "version": f2hdr_backend.__version__}
    for pid in (gone.pid, os.getpid()):
        runtime.write_connection_file({**facts, "pid": pid})
        with pytest.raises(ServerUnreachable, match="f2hdr serve"):
            launch.connect(start=False)
    connection = launch.connect(timeout=LONG_S)
    first = info(connection)["pid"]
    assert first == runtime.read_connection_file()["pid"] != os.getpid()
    os.kill(first, signal.SIGKILL)
    assert info(launch.connect(timeout=LONG_S))["pid"] != first


def test_without_a_backend_the_error_names_the_variable_or_the_missing_path(tmp_path, monkeypatch):
    monkeypatch.setenv("F2HDR_RUNTIME", str(tmp_path))
    monkeypatch.delenv("F2HDR_BACKEND", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerUnreachable, match="F2HDR_BACKEND"):
        launch.connect()
    monkeypatch.setenv("F2HDR_BACKEND", str(tmp_path / "not there"))
    with pytest.raises(ServerUnreachable, match="not there"):
        launch.connect()


def test_the_output_of_a_backend_that_ends_at_once_is_in_the_error(tmp_path, monkeypatch):
    script = tmp_path / "f2hdr"
    script.write_text("#!/bin/sh\necho the disk is on fire >&2\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setenv("F2HDR_RUNTIME", str(tmp_path / "run"))
    monkeypatch.setenv("F2HDR_BACKEND", str(script))
    with pytest.raises(ServerUnreachable, match="code 3: the disk is on fire"):
        launch.connect(timeout=LONG_S)


def test_the_backend_recorded_by_an_installer_is_used_before_the_path(tmp_path, monkeypatch):
    laid = tmp_path / "backend.json"
    monkeypatch.setattr(launch, "__file__", str(tmp_path / "launch.py"))
    monkeypatch.delenv("F2HDR_BACKEND", raising=False)
    script = tmp_path / "f2hdr"
    script.write_text("")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert launch.backend_command() == [str(script)]
    laid.write_text(json.dumps(["/opt/f2hdr/bin/f2hdr"]))
    assert launch.backend_command() == ["/opt/f2hdr/bin/f2hdr"]
    monkeypatch.setenv("F2HDR_BACKEND", "/mine/f2hdr")
    assert launch.backend_command() == ["/mine/f2hdr"]
    monkeypatch.delenv("F2HDR_BACKEND")
    for content in ("{", "[]", "[1]", '"f2hdr"'):
        laid.write_text(content)
        with pytest.raises(ServerUnreachable, match=re.escape(str(laid))):
            launch.backend_command()


def test_an_idle_server_exits_and_removes_its_connection_file(tmp_path):
    served = Served(tmp_path, "--idle", "0.02").start()
    assert served.process.wait(LONG_S) == 0
    assert not (served.runtime / "f2hdr" / "server.json").exists()


def test_there_is_one_server_per_user_and_its_version_is_checked(tmp_path, monkeypatch):
    served = Served(tmp_path).start()
    try:
        with served.as_client(), monkeypatch.context() as changed, pytest.raises(VersionMismatch) as caught:
            changed.setattr(f2hdr_backend, "__version__", "99.0")
            launch.connect()
        assert caught.value.client == "99.0" and caught.value.server == f2hdr_backend.__version__
        assert "99.0" in caught.value.message and f2hdr_backend.__version__ in caught.value.message
        second = serve_in(served.environment)
        assert second.returncode == 6
        assert str(served.process.pid) in second.stderr and served.facts["address"] in second.stderr
        assert serve_in(served.environment, "--stop").returncode == 0
        served.process.wait(LONG_S)
        until(lambda: not (served.runtime / "f2hdr" / "server.json").exists())
        assert "o server" in serve_in(served.environment, "--stop").stderr
    finally:
        served.stop()


def serve_in(environment, *options):
    command = [environment["F2HDR_BACKEND"], "serve", *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONG_S)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--host", "0.0.0.0"), "needs a certificate"),
        (("--host", "0.0.0.0", "--certificate", "c.pem", "--key", "k.pem"), "limit access"),
        (("--root", "/nowhere"), '"/nowhere"'),
        (("--certificate", "/nowhere.pem", "--key", "/nowhere.pem"), "/nowhere.pem"),
        (("--host", "192.0.2.1", "--certificate", "x", "--key", "x", "--root", "/"), '"x"'),
    ],
)
def test_unsafe_or_invalid_options_of_serve_are_refused_with_the_reason(tmp_path, options, words):
    backend = str(write_backend(tmp_path))
    ran = serve_in({**os.environ, "F2HDR_RUNTIME": str(tmp_path / "run"), "F2HDR_BACKEND": backend}, *options)
    assert ran.returncode == 2 and words in ran.stderr
