"""A server for other machines: behind TLS, below its roots, known by its certificate."""

import contextlib
import shutil
import socket
import subprocess

import pytest

from f2hdr_backend.client.jobs import submit
from f2hdr_backend.client.launch import connect
from f2hdr_backend.shot.errors import ServerError, ServerUnreachable
from tests.server.running import LONG_S, Served, make_plate, make_shot


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_remote_client_renders_over_tls_and_accepts_only_the_certificate(tmp_path, monkeypatch):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    plate = make_plate(tmp_path / "shots" / "plate")
    options = ["--host", "0.0.0.0", "--certificate", str(certificate), "--key", str(key)]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    served = Served(tmp_path, *options, "--root", str(tmp_path / "shots"))
    served.start()
    try:
        assert served.facts["address"].startswith("https://0.0.0.0:")
        assert served.connection.address.startswith("unix:")
        stalled = [socket.create_connection(("127.0.0.1", served.port), LONG_S) for _ in range(20)]
        address, token = f"https://localhost:{served.port}", served.facts["token"]
        connection = connect(address=address, token=token)
        job = submit(connection, make_shot(plate, tmp_path / "shots" / "o" / "o.####.exr"))
        assert list(job.watch(LONG_S))[-1]["event"] == "render_finished"
        with pytest.raises(ServerError, match="token"):
            connect(address=address, token="wrong")
        with pytest.raises(ServerError, match="--root"):
            submit(connection, make_shot(plate, tmp_path / "o.####.exr"))
        with pytest.raises(ServerUnreachable):
            connect(address=f"http://localhost:{served.port}", token=token, timeout=10)
        for each in stalled:  # they never start a handshake: the server closes them
            with each, contextlib.suppress(ConnectionResetError):
                assert each.recv(1) == b""
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(ServerUnreachable, match="certificate|CERTIFICATE"):
            connect(address=address, token=token)
    finally:
        served.stop()
