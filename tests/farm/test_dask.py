"""Dask schedulers that do not answer."""

import socket
import threading
from contextlib import suppress

import pytest

from f2hdr_backend.shot.errors import ServerUnreachable

dask = pytest.importorskip("f2hdr_backend.farm.dask")


def answer(door, words):
    """Accept connections until the socket is shut down; say the words to each and keep it open."""
    held = []
    with suppress(OSError):
        while True:
            held.append(door.accept()[0])
            held[-1].sendall(words)
    for connection in held:
        connection.close()


@pytest.fixture
def peer(request):
    """The address of a port: no program, a silent one, or one that speaks another protocol."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        speaker = None
        if request.param is not None:
            door.listen()
            speaker = threading.Thread(target=answer, args=(door, request.param), daemon=True)
            speaker.start()
        yield f"tcp://127.0.0.1:{door.getsockname()[1]}"
        if speaker is not None:
            with suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            speaker.join(60)


@pytest.mark.parametrize("peer", [None, b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], indirect=True)
def test_a_scheduler_that_does_not_answer_is_named(monkeypatch, peer):
    assert dask.CONNECT_SECONDS <= 10
    monkeypatch.setattr(dask, "CONNECT_SECONDS", 1)
    with pytest.raises(ServerUnreachable, match=peer) as caught, dask.cluster(peer, 1):
        pass
    assert caught.value.exit_code == 6


def test_a_scheduler_that_answers_is_used():
    with (
        dask.LocalCluster(n_workers=0, protocol="tcp://", dashboard_address=None) as local,
        dask.cluster(local.scheduler_address, 1) as client,
    ):
        assert client.scheduler.address == local.scheduler_address
