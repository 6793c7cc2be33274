"""Options of a server, and its sockets."""

import json
import os
import socket

import pytest

from f2hdr_backend.server.address import ServerOptions, check, open_doors
from f2hdr_backend.shot.errors import ServerError, ShotError


@pytest.mark.parametrize("host", ["127.0.0.1", "127.5.5.5", "::1", "localhost"])
def test_a_local_address_needs_no_certificate(host):
    check(ServerOptions(host))


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.7", "::", "render-01"])
def test_other_addresses_need_a_certificate_and_allowed_folders(host, tmp_path):
    with pytest.raises(ShotError) as caught:
        check(ServerOptions(host, roots=(str(tmp_path),)))
    assert host in caught.value.message and "--certificate" in caught.value.hint
    with pytest.raises(ShotError) as caught:
        check(ServerOptions(host, certificate="c.pem", key="k.pem"))
    assert host in caught.value.message and "--root" in caught.value.hint


def test_a_missing_folder_or_invalid_certificate_is_named(tmp_path):
    with pytest.raises(ShotError) as caught:
        check(ServerOptions(roots=(str(tmp_path / "none"),)))
    assert str(tmp_path / "none") in caught.value.message
    (tmp_path / "c.pem").write_text("no certificate")
    with pytest.raises(ShotError) as caught:
        check(ServerOptions(certificate=str(tmp_path / "c.pem")))
    assert "c.pem" in caught.value.message


def test_sockets_listen_where_the_connection_file_says(tmp_path):
    doors, facts = open_doors(ServerOptions(), tmp_path)
    try:
        port = int(facts["address"].rsplit(":", 1)[1])
        assert doors[0].getsockname() == ("127.0.0.1", port) and facts["pid"] == os.getpid()
        assert len(facts["token"]) >= 32
        socket.create_connection(("127.0.0.1", port)).close()
        with pytest.raises(ServerError) as caught:
            open_doors(ServerOptions(port=port), tmp_path)
        assert str(port) in caught.value.message and "--port" in caught.value.hint
        assert json.dumps(facts)
    finally:
        for door in doors:
            door.close()


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no Unix sockets here")
def test_a_stale_unix_socket_is_replaced_and_a_path_that_is_too_long_skipped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    short = tmp_path.relative_to(tmp_path)
    for _ in range(2):
        doors, facts = open_doors(ServerOptions(), short)
        assert facts["socket"] == "server.sock" and len(doors) == 2
        for door in doors:
            door.close()
    doors, facts = open_doors(ServerOptions(), tmp_path / ("x" * 200))
    assert "socket" not in facts and len(doors) == 1
    doors[0].close()
