"""A second user of the machine: what he can write or connect to changes nothing. Needs root to become him."""

import hashlib
import os
import socket
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from f2hdr_backend.client import runtime
from f2hdr_backend.client.jobs import submit
from f2hdr_backend.client.launch import connect as connect_client
from f2hdr_backend.flow.cache import FlowCache
from f2hdr_backend.shot.errors import ServerError
from f2hdr_backend.shot.safe_open import confine, open_file
from tests.server.running import LONG_S, make_plate, make_shot

NOBODY = 65534
if sys.platform == "win32" or os.geteuid() != 0:
    pytest.skip("becomes another user, which needs root", allow_module_level=True)


@pytest.fixture
def shared():
    """A folder where everybody may write, as a studio's scratch storage is."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        yield Path(name)


def as_nobody(action):
    """Call a function as the other user; return 0, 7 if he lacks the permission, 1 for other errors."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            action()
            code = 0
        except PermissionError:
            code = 7
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_the_runtime_folder_of_another_user_is_refused(shared, monkeypatch):
    monkeypatch.setenv("F2HDR_RUNTIME", str(shared / "run"))
    folder = shared / "run" / "f2hdr"

    def plant():
        folder.mkdir(parents=True)
        (folder / "server.json").write_text("{}")

    assert as_nobody(plant) == 0
    for attempt in (runtime.make_runtime_folder, runtime.read_connection_file):
        with pytest.raises(ServerError):
            attempt()


def test_a_runtime_folder_below_a_folder_of_another_user_is_refused(shared, monkeypatch):
    (shared / "run").mkdir(mode=0o700)
    monkeypatch.setenv("F2HDR_RUNTIME", str(shared / "run"))
    with pytest.raises(ServerError) as caught:
        runtime.make_runtime_folder()
    assert str(shared) in caught.value.message


def test_flows_of_another_user_in_a_shared_cache_are_not_used(shared, monkeypatch):
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_: shared.parent / f"{shared.name}-key")
    cache, key = FlowCache(shared, 10**9), "0" * 64
    cache.put(key, b"ours")
    (path,) = [path for path in shared.rglob("*.flow")]
    for folder in (path.parent, path.parent.parent):
        folder.chmod(0o777)
    forged = path.read_bytes()[:8] + hashlib.sha256(key.encode() + b"evil").digest() + b"evil"

    def forge():
        path.unlink()
        path.write_bytes(forged)

    assert as_nobody(forge) == 0
    assert FlowCache(shared, 10**9).get(key) is None


def test_a_link_of_another_user_below_a_root_does_not_lead_out(shared):
    (shared / "root").mkdir()
    (shared / "root").chmod(0o777)
    (shared / "secret").write_text("secret")
    assert as_nobody(lambda: (shared / "root" / "a").symlink_to(shared / "secret")) == 0
    confine([str(shared / "root")])
    try:
        with pytest.raises(OSError):
            open_file(shared / "root" / "a")
    finally:
        confine([])


def test_connections_of_another_user_do_not_block_the_owner(server, tmp_path):
    ready, until_closed = os.pipe(), os.pipe()

    def connect():
        os.close(until_closed[1])
        held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(400)]
        os.write(ready[1], b"x")
        os.read(until_closed[0], 1)
        assert held

    waiting = threading.Thread(target=as_nobody, args=(connect,))
    waiting.start()
    try:
        assert os.read(ready[0], 1) == b"x"
        shot = make_shot(make_plate(tmp_path / "plate"), tmp_path / "o" / "o.####.exr")
        with server.as_client():
            job = submit(connect_client(start=False), shot)
            assert list(job.watch(LONG_S))[-1]["event"] == "render_finished"
    finally:
        for end in (*ready, *until_closed):
            os.close(end)
        waiting.join()


def test_a_named_pipe_of_another_user_instead_of_a_frame_is_refused(server, shared):
    shared.joinpath("plate").mkdir()
    plate = make_plate(shared / "plate")
    (shared / "plate").chmod(0o777)

    def exchange():
        (shared / "plate" / "p.0002.tif").unlink()
        os.mkfifo(shared / "plate" / "p.0002.tif")

    assert as_nobody(exchange) == 0
    with server.as_client():
        job = submit(connect_client(start=False), make_shot(plate, shared / "o" / "o.####.exr"))
        last = list(job.watch(LONG_S))[-1]
    assert last["code"] == "unreadable_frame" and str(shared / "plate" / "p.0002.tif") in last["message"]


def test_another_user_cannot_connect_to_the_unix_socket(shared, monkeypatch):
    with tempfile.TemporaryDirectory() as home:
        monkeypatch.setenv("F2HDR_RUNTIME", home)
        path = os.path.join(runtime.make_runtime_folder(), "server.sock")
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(path)
            door.listen(1)
            client = socket.socket(socket.AF_UNIX)
            assert as_nobody(lambda: client.connect(path)) == 7
            client.connect(path)
            client.close()
