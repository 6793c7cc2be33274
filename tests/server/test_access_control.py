"""Unauthorized, slow and malformed clients: refused or disconnected in time, without delaying other clients."""

import json
import os
import socket
import struct
import time

import pytest

from f2hdr_backend.client.jobs import info
from tests.server.running import LONG_S, Served, make_plate, make_shot, until


@pytest.fixture(scope="module")
def fenced(tmp_path_factory):
    """A server that may access one folder, with a forbidden one next to it: (server, allowed, forbidden)."""
    folder = tmp_path_factory.mktemp("fenced")
    allowed, forbidden = folder / "shots", folder / "secret"
    make_plate(allowed / "plate")
    make_plate(forbidden / "plate")
    (allowed / "link").symlink_to(forbidden)
    (allowed / "mixed").mkdir()
    for number in (1, 2, 3):
        (allowed / "mixed" / f"p.{number:04d}.tif").hardlink_to(allowed / "plate" / f"p.{number:04d}.tif")
    (allowed / "mixed" / "p.0004.tif").symlink_to(forbidden / "plate" / "p.0004.tif")
    (allowed / "trap").mkdir()
    (allowed / "trap" / "o.0002.exr").symlink_to(forbidden / "written.exr")
    os.mkfifo(allowed / "pipe.mov")
    os.mkfifo(allowed / "buffer-pipe")
    served = Served(folder, "--root", str(allowed)).start()
    yield served, allowed, forbidden
    served.stop()


@pytest.fixture
def untouched(fenced):
    """Nothing outside the root may be read, written or made."""
    _, _, forbidden = fenced
    for path in [forbidden, *forbidden.rglob("*")]:
        os.utime(path, ns=(1, 1), follow_symlinks=False)
    before = sorted(forbidden.rglob("*"))
    yield
    assert sorted(forbidden.rglob("*")) == before
    assert {path.stat().st_mtime_ns for path in [forbidden, *before]} == {1}
    assert {path.stat().st_atime_ns for path in before if path.is_file()} == {1}


def talk(served, content, *, end=False, patience=LONG_S):
    """Send bytes and return all received bytes until the server closes."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=patience) as door:
        try:
            door.sendall(content)
            if end:
                door.shutdown(socket.SHUT_WR)
            answer = b""
            while part := door.recv(65536):
                answer += part
        except (ConnectionResetError, BrokenPipeError):
            return answer if "answer" in locals() else b""
    return answer


def head(served, method="GET", path="/v1/info", *more, token=None):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"Authorization: Bearer {served.facts['token'] if token is None else token}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.mark.parametrize("path", ["/v1/info", "/v1/jobs", "/openapi.json", "/docs", "/", "/v1/nothing"])
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic {token}", "{token}", "bearer {token}", "Bearer {token}x"],
)
def test_every_path_requires_the_token(server, path, authorization):
    lines = f"GET {path} HTTP/1.1\r\nHost: x\r\n"
    if authorization is not None:
        lines += f"Authorization: {authorization.format(token=server.facts['token'])}\r\n"
    answer = talk(server, (lines + "\r\n").encode())
    assert answer.startswith(b"HTTP/1.1 401"), answer
    assert server.facts["version"].encode() not in answer


def test_two_tokens_are_refused(server):
    answer = talk(server, head(server, "GET", "/v1/info", "Authorization: Bearer wrong"))
    assert answer.startswith(b"HTTP/1.1 401")


def test_the_connection_file_is_readable_by_its_user_only(server):
    folder = server.runtime / "f2hdr"
    assert (folder / "server.json").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def escapes(allowed, forbidden):
    """Plates that lead out of the root in one way or another."""
    return [
        f"{forbidden}/plate/p.####.tif",
        f"{allowed}/../secret/plate/p.####.tif",
        f"{allowed}/link/plate/p.####.tif",
        f"{allowed}/link/../secret/plate/p.####.tif",
        f"{allowed}/mixed/p.####.tif",
        f"/proc/self/root{forbidden}/plate/p.####.tif",
        "/etc/passwd",
        "/proc/self/environ",
        "/dev/zero",
        "//etc/passwd",
    ]


@pytest.mark.usefixtures("untouched")
def test_no_plate_outside_the_roots_is_read(fenced):
    served, allowed, forbidden = fenced
    for plate in escapes(allowed, forbidden):
        status, answer = served.ask("POST", "/v1/detect", {"plate": plate})
        assert status == 403, (plate, answer)
        shot = make_shot(plate, allowed / "out" / "o.####.exr").to_json()
        status, answer = served.ask("POST", "/v1/jobs", {"shot": shot})
        if status == 201:
            job = f"/v1/jobs/{answer['id']}"
            until(lambda job=job: served.ask("GET", job)[1]["state"] == "failed")
            assert served.ask("GET", job)[1]["error"]["facts"]["status"] == 403
        else:
            assert status == 403, (plate, answer)
    assert not (allowed / "out").exists()


@pytest.mark.usefixtures("untouched")
def test_no_frame_is_written_outside_the_roots(fenced):
    served, allowed, forbidden = fenced
    plate = f"{allowed}/plate/p.####.tif"
    for output in (
        f"{forbidden}/o.####.exr",
        f"{allowed}/link/o.####.exr",
        f"{allowed}/../secret/o.####.exr",
        f"{allowed}/../secret/new/deep/o.####.exr",
    ):
        status, answer = served.ask("POST", "/v1/jobs", {"shot": make_shot(plate, output).to_json()})
        assert status == 403, (output, answer)
    status, answer = served.ask("POST", "/v1/jobs", {"shot": make_shot(plate, f"{allowed}/trap/o.####.exr").to_json()})
    assert status == 201
    job = f"/v1/jobs/{answer['id']}"
    until(lambda: served.ask("GET", job)[1]["state"] == "failed")
    assert served.ask("GET", job)[1]["error"]["facts"]["status"] == 403


@pytest.mark.usefixtures("untouched")
def test_no_buffer_and_no_config_outside_the_roots_is_touched(fenced):
    served, allowed, forbidden = fenced
    shot = make_shot(f"{allowed}/plate/p.####.tif", f"{allowed}/o.####.exr").to_json()
    good = [f"{allowed}/b{side}" for side in range(3)]
    outside = f"{allowed}/link/plate/p.0001.tif"
    config = {**shot, "color": {"config": f"{forbidden}/config.ocio"}}
    for body in (
        {"shot": shot, "buffers": [outside, *good[1:]], "output": f"{allowed}/out"},
        {"shot": shot, "buffers": good, "output": f"{forbidden}/out"},
        {"shot": shot, "buffers": good, "output": f"{allowed}/link/out"},
        {"shot": config, "buffers": good, "output": f"{allowed}/out"},
    ):
        status, answer = served.ask("POST", "/v1/frames", body)
        assert status == 403, (body, answer)
    assert served.ask("POST", "/v1/jobs", {"shot": config})[0] == 403


def test_named_pipes_are_refused_without_blocking(fenced):
    served, allowed, _ = fenced
    assert served.ask("POST", "/v1/detect", {"plate": f"{allowed}/pipe.mov"})[0] == 422
    shot = make_shot(f"{allowed}/pipe.mov", f"{allowed}/o.####.exr").to_json()
    job = f"/v1/jobs/{served.ask('POST', '/v1/jobs', {'shot': shot})[1]['id']}"
    until(lambda: served.ask("GET", job)[1]["state"] == "failed")
    buffers = [f"{allowed}/buffer-pipe"] * 3
    shot = make_shot(f"{allowed}/plate/p.####.tif", f"{allowed}/o.####.exr").to_json()
    assert served.ask("POST", "/v1/frames", {"shot": shot, "buffers": buffers, "output": f"{allowed}/out"})[0] == 422


def test_a_buffer_with_a_false_header_is_an_error_and_the_server_continues(fenced):
    served, allowed, _ = fenced
    shot = make_shot(f"{allowed}/plate/p.####.tif", f"{allowed}/o.####.exr").to_json()
    lies = [
        struct.pack("<8sIIIIQq24x", b"F2HDRPIX", 1, 2**31, 2**31, 4, 2**35, 1),
        struct.pack("<8sIIIIQq24x", b"F2HDRPIX", 1, 8000, 4000, 4, 8000 * 16, 1),
        struct.pack("<8sIIIIQq24x", b"F2HDRPIX", 1, 64, 64, 4, 0, 1),
        struct.pack("<8sIIIIQq24x", b"F2HDRPIX", 1, 64, 64, 2**30, 2**63, -(2**63)),
        b"F2HDRPIX",
        b"",
    ]
    for index, lie in enumerate(lies):
        path = allowed / f"lie{index}"
        path.write_bytes(lie)
        status, answer = served.ask(
            "POST", "/v1/frames", {"shot": shot, "buffers": [str(path)] * 3, "output": f"{allowed}/out"}
        )
        assert status == 422 and answer["code"] == "unreadable_frame", answer
    assert info(served.connection)["pid"] == served.process.pid


BODIES = {
    "empty": b"",
    "no JSON": b"{'shot': 1}",
    "not UTF-8": b'{"shot": "\xff\xfe"}',
    "a list": b"[]",
    "null": b"null",
    "deep": b"[" * 100_000,
    "deep objects": b'{"shot":' * 50_000,
    "NaN": b'{"shot": {"plate": "/p.####.exr", "handles": NaN}}',
    "infinite": b'{"shot": {"plate": "/p.####.exr", "exposures": {"cycle": [0, 1e999], "start": 1}}}',
    "huge number": b'{"shot": {"plate": "/p.####.exr", "handles": ' + b"9" * 5000 + b"}}",
    "many frames": b'{"shot": {"plate": "/p.####.exr"}, "frames": "' + b"1-999999," * 2000 + b'1"}',
    "more frames": b'{"shot": {"plate": "/p.####.exr", "frames": "' + b"1-999999," * 90_000 + b'1"}}',
    "zero byte": b'{"shot": {"plate": "/p\\u0000.####.exr", "output": {"pattern": "/o.####.exr"}}}',
    "half a surrogate": b'{"shot": {"plate": "/\\ud800.####.exr", "output": {"pattern": "/o.####.exr"}}}',
    "unknown field": b'{"shot": {"plate": "/p.####.exr"}, "exec": "rm"}',
    "flag as text": b'{"shot": {"plate": "/p.####.exr"}, "keep": "yes"}',
    "flag as number": b'{"shot": {"plate": "/p.####.exr"}, "force": 1}',
    "wrong types": b'{"shot": [], "frames": {}, "client": 7}',
    "whole number too large for a float": b'{"shot": {"plate": "/p.####.exr", "exposures": {"cycle": [1'
    + b"0" * 400
    + b"]}}}",
    "long name": b'{"shot": {"plate": "/p.####.exr"}, "client": "' + b"x" * 5000 + b'"}',
    "too large": b'{"shot": "' + b"x" * 1_100_000 + b'"}',
}


@pytest.mark.parametrize("name", BODIES)
def test_an_invalid_request_body_is_refused_with_a_message(server, name):
    for path in ("/v1/jobs", "/v1/frames", "/v1/detect"):
        status, answer = server.ask("POST", path, raw=BODIES[name])
        assert status in (400, 413, 422), answer
        assert answer["message"] and answer["exit_code"] in (2, 6)


@pytest.mark.parametrize(
    "content",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00" * 1000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 5_000_000,
        b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["TLS", "no path", "version", "zeros", "headers", "path", "header", "length", "smuggle", "HTTP/2"],
)
def test_invalid_http_is_refused(server, content):
    answer = talk(server, content)
    assert answer == b"" or answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 431")
    assert info(server.connection)["pid"] == server.process.pid


def test_a_truncated_body_is_refused(server):
    start = head(server, "POST", "/v1/jobs", "Content-Length: 1000") + b'{"shot": '
    answer = talk(server, start, end=True)
    assert b"HTTP/1.1 2" not in answer and b"HTTP/1.1 5" not in answer
    with socket.create_connection(("127.0.0.1", server.port)) as door:
        door.sendall(start)
    assert info(server.connection)["pid"] == server.process.pid


def test_an_upgrade_to_websockets_is_ignored_or_refused(server):
    more = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: eA==", "Sec-WebSocket-Version: 13")
    answer = talk(server, head(server, "GET", "/v1/info", *more))
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 400"))


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "HEAD", "BREW"])
def test_other_http_methods_are_not_allowed(server, method):
    answer = talk(server, head(server, method, "/v1/jobs"))
    assert answer[:12] in (b"HTTP/1.1 405", b"HTTP/1.1 400"), answer
    assert b"text/html" not in answer


def test_silent_and_slow_clients_do_not_delay_others_and_are_disconnected(server):
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(30)]
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(10)]
    stuck = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(10)]
    try:
        for door in slow:
            door.sendall(b"GET /v1/in")
        for door in stuck:
            door.sendall(head(server, "POST", "/v1/jobs", "Content-Length: 1000") + b"{")
        began = time.monotonic()
        for _ in range(20):
            assert info(server.connection)["pid"] == server.process.pid
        assert time.monotonic() - began < LONG_S
        for door in (*silent, *slow):
            door.settimeout(LONG_S)
            assert door.recv(1000) == b""
        for door in stuck:
            door.settimeout(LONG_S)
            assert door.recv(1000).startswith(b"HTTP/1.1 408")
    finally:
        for door in (*silent, *slow, *stuck):
            door.close()


def test_the_openapi_description_declares_the_token_and_status_422(server):
    status, described = server.ask("GET", "/openapi.json")
    assert status == 200 and described["security"] == [{"token": []}]
    assert json.dumps(described["paths"]).count("422") >= 3
