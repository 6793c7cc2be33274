"""The runtime folder of client and server: private to one user, with locks that are released when a process ends."""

import json
import os
import re
import subprocess
import sys

import pytest

from f2hdr_backend.client import runtime
from f2hdr_backend.shot.errors import ServerError, ServerUnreachable
from tests.server.running import LONG_S, ROOT

FACTS = {"address": "http://127.0.0.1:1", "token": "secret", "version": "0", "pid": 1}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("F2HDR_RUNTIME", str(tmp_path))
    return tmp_path / "f2hdr"


def test_the_runtime_folder_is_that_of_the_environment_or_of_the_system(tmp_path, monkeypatch):
    assert runtime.connection_file() == str(tmp_path / "f2hdr" / "server.json")
    monkeypatch.delenv("F2HDR_RUNTIME")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "mine"))
    (tmp_path / "mine").mkdir()
    assert runtime.runtime_folder() == str(tmp_path / "mine" / "f2hdr")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "not there"))
    assert not runtime.runtime_folder().startswith(str(tmp_path))


def test_the_connection_file_is_readable_by_its_owner_only(folder):
    assert runtime.read_connection_file() is None
    runtime.write_connection_file(FACTS)
    assert runtime.read_connection_file() == FACTS
    assert (folder / "server.json").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert os.listdir(folder) == ["server.json"]


def test_a_connection_file_is_removed_only_by_the_server_that_wrote_it(folder):
    runtime.write_connection_file(FACTS)
    runtime.remove_connection_file(2)
    assert runtime.read_connection_file() == FACTS
    runtime.remove_connection_file(1)
    assert runtime.read_connection_file() is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", '{"address": 1}', json.dumps({**FACTS, "pid": "1"}), "\xff", '{"pid": 1}']
)
def test_an_invalid_connection_file_is_treated_as_missing(folder, content):
    runtime.write_connection_file(FACTS)
    (folder / "server.json").write_text(content, encoding="latin-1")
    assert runtime.read_connection_file() is None


def test_a_connection_file_that_others_can_write_is_not_used(folder):
    runtime.write_connection_file(FACTS)
    (folder / "server.json").chmod(0o622)
    with pytest.raises(ServerError, match=r"server\.json"):
        runtime.read_connection_file()


def test_a_runtime_folder_that_others_can_write_or_that_is_a_link_is_refused(folder, tmp_path):
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(ServerError, match=re.escape(str(folder))):
        runtime.make_runtime_folder()
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ServerError, match=re.escape(str(folder))):
        runtime.make_runtime_folder()


def test_a_lock_has_one_owner_and_is_released_when_its_process_ends():
    code = (
        "import sys, time; from f2hdr_backend.client.runtime import lock\n"
        "with lock('x.lock', 1):\n print('held', flush=True); time.sleep(1000)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(ServerUnreachable, match=r"x\.lock"), runtime.lock("x.lock", 0.1):
            pass
        with runtime.lock("y.lock", 0.1):
            pass
    finally:
        holder.kill()
        holder.wait()
    with runtime.lock("x.lock", LONG_S):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="needs file modes")
def test_a_runtime_folder_whose_parent_others_can_change_is_refused(folder, tmp_path, monkeypatch):
    parent = tmp_path / "open"
    parent.mkdir()
    (parent / "mine").mkdir(mode=0o700)
    monkeypatch.setenv("F2HDR_RUNTIME", str(parent / "mine"))
    parent.chmod(0o777)
    with pytest.raises(ServerError) as caught:
        runtime.make_runtime_folder()
    assert str(parent) in caught.value.message
    parent.chmod(0o1777)
    assert runtime.make_runtime_folder() == str(parent / "mine" / "f2hdr")


def test_the_server_process_is_the_one_that_holds_the_lock(folder):
    assert runtime.server_process() is None
    with runtime.lock(runtime.SERVER_LOCK, 1):
        code = "from f2hdr_backend.client import runtime; print(runtime.server_process())"
        ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert int(ran.stdout) == os.getpid()
    assert runtime.server_process() is None


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of file sizes")
@pytest.mark.parametrize("act", ["runtime.write_connection_file(FACTS)", "runtime.lock('a', 1).__enter__()"])
def test_a_runtime_folder_that_cannot_be_written_is_named(folder, act):
    program = f"""
import resource
from f2hdr_backend.client import runtime
from f2hdr_backend.shot.errors import ServerError
FACTS = {FACTS!r}
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    {act}
except ServerError as error:
    print(error.path, error.hint != "")
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=LONG_S)
    assert ran.stdout.split() == [str(folder), "True"], ran.stderr
