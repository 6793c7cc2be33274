"""Connections are bounded at accept, by socket, and leave files for rendering."""

import logging
import os
import socket
import subprocess
import sys
import time

import pytest

from f2hdr_backend.server.connection_limit import LEAST, BoundedSocket
from f2hdr_backend.server.log_rate_limit import MOST, FewLines
from tests.server.running import LONG_S, Served, write_backend


@pytest.fixture
def door():
    with BoundedSocket(socket.AF_INET, socket.SOCK_STREAM) as door:
        door.bind(("127.0.0.1", 0))
        door.listen(64)
        door.most = 3
        yield door


def opened(door):
    return socket.create_connection(door.getsockname())


def test_more_connections_than_allowed_are_closed_at_once_and_closing_makes_room(door):
    clients = [opened(door) for _ in range(4)]
    accepted = [door.accept()[0] for _ in range(3)]
    with pytest.raises(ConnectionAbortedError):
        door.accept()
    assert clients[3].recv(1) == b""
    accepted[0].close()
    accepted[0].close()
    again = opened(door)
    accepted.append(door.accept()[0])
    accepted[-1].sendall(b"x")
    assert again.recv(1) == b"x"
    for each in (*clients, *accepted, again):
        each.close()


def test_a_log_has_few_lines_of_each_kind():
    few = FewLines()
    record = {"name": "asyncio", "levelno": 40, "pathname": "", "lineno": 1, "args": (), "exc_info": None}
    kept = [few.filter(logging.makeLogRecord({**record, "msg": "out of files"})) for _ in range(10_000)]
    assert sum(kept) == MOST
    assert few.filter(logging.makeLogRecord({**record, "msg": "something else"}))


@pytest.mark.skipif(sys.platform == "win32", reason="needs Unix sockets and ulimit")
def test_hundreds_of_tcp_connections_do_not_block_the_owner(tmp_path):
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    served = Served(tmp_path)
    script = write_backend(tmp_path)
    script.write_text(
        script.read_text().replace(
            "import sys\n", "import sys, resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))\n", 1
        )
    )
    served.start()
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, before[1]), before[1]))
    address = ("127.0.0.1", int(served.facts["address"].rpartition(":")[2]))
    strangers = []
    try:
        for _ in range(800):
            with served.as_client():
                if len(strangers) % 200 == 199:
                    assert served.connection.request("GET", "/v1/info", timeout=LONG_S)["pid"] == served.process.pid
            strangers.append(socket.create_connection(address))
        time.sleep(1)
        files = len(os.listdir(f"/proc/{served.process.pid}/fd")) if os.path.isdir("/proc/self/fd") else 0
        assert files < 160
        assert (tmp_path / "server.log").stat().st_size < 100_000
        stop = subprocess.run([str(script), "serve", "--stop"], env=served.environment, capture_output=True, text=True)
        assert str(served.process.pid) in stop.stderr
        assert served.process.wait(LONG_S) == 0
    finally:
        for each in strangers:
            each.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait()
    assert LEAST <= 64
