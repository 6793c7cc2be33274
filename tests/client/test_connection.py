"""One request, one answer: every error as the one it is, and no wait without an end."""

import socket
import threading

import pytest

from f2hdr_backend.client.connection import Connection, rebuilt
from f2hdr_backend.shot import errors
from f2hdr_backend.shot.errors import DocumentError, F2HDRError, MissingFrames, ServerError, ServerUnreachable


def family(kind=F2HDRError):
    return [kind] + [each for child in kind.__subclasses__() for each in family(child)]


@pytest.fixture
def say():
    """A server that accepts one connection, reads the head of a request, and sends the given answer."""
    doors = []

    def serve(*parts, hold=False):
        door = socket.create_server(("127.0.0.1", 0))
        doors.append(door)

        def answer():
            guest, _ = door.accept()
            doors.append(guest)
            guest.recv(65536)
            for part in parts:
                guest.sendall(part)
            if not hold:
                guest.close()

        threading.Thread(target=answer, daemon=True).start()
        return Connection(f"http://127.0.0.1:{door.getsockname()[1]}", "token")

    yield serve
    for door in doors:
        door.close()


def reply(body, status="200 OK"):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.mark.parametrize("kind", family(), ids=lambda kind: kind.__name__)
def test_every_error_is_raised_with_its_own_class(kind):
    error = kind("a sentence", hint="a hint", frames=(1, 2), path="/p")
    again = rebuilt(error.to_json())
    assert type(again) is kind
    assert (again.message, again.hint, again.frames, again.path) == ("a sentence", "a hint", [1, 2], "/p")


def test_an_unknown_error_of_a_later_version_is_raised_as_the_closest_known_class():
    document = {
        "code": "from_the_future",
        "message": "m",
        "hint": "h",
        "facts": {"message": "x", "self": 1},
        "exit_code": 3,
    }
    again = rebuilt(document)
    assert type(again) is errors.ImageError and again.message == "m"
    assert type(rebuilt({"code": "unheard_of", "exit_code": 99})) is ServerError


def test_a_response_is_returned_and_an_error_raised(say):
    assert say(reply('{"a": 1}')).request("GET", "/") == {"a": 1}
    with pytest.raises(MissingFrames) as caught:
        say(reply('{"code": "missing_frames", "message": "gone", "facts": {"frames": [7]}}', "404 X")).request(
            "GET", "/"
        )
    assert caught.value.frames == [7]


@pytest.mark.parametrize("body", ["", "nonsense", "[1]", '"text"', "<html>"])
def test_a_response_that_is_not_a_json_object_is_an_error(say, body):
    with pytest.raises(ServerError, match="JSON"):
        say(reply(body)).request("GET", "/")


@pytest.mark.parametrize("parts", [(), (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",), (b"garbage\r\n\r\n",)])
def test_a_server_that_closes_the_connection_is_unreachable(say, parts):
    with pytest.raises(ServerUnreachable):
        say(*parts).request("GET", "/")


def test_a_silent_server_is_unreachable_after_the_timeout(say):
    with pytest.raises(ServerUnreachable):
        say(hold=True).request("GET", "/", timeout=0.2)


def test_a_port_without_a_server_is_unreachable():
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    door.close()
    for address in (f"http://127.0.0.1:{port}", "unix:/nowhere/server.sock", f"https://127.0.0.1:{port}"):
        with pytest.raises(ServerUnreachable) as caught:
            Connection(address, "token").request("GET", "/", timeout=1)
        assert caught.value.address == address


def test_a_stream_yields_events_and_ignores_heartbeats(say):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    stream = say(head, b'data: {"event": "a"}\n\n', b": alive\n\n", b'data: {"ev', b'ent": "b"}\n\n').stream("/")
    assert [event["event"] for event in stream] == ["a", "b"]


def test_a_stream_that_falls_silent_is_unreachable(say):
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    stream = say(head, b'data: {"event": "a"}\n\n', hold=True).stream("/", timeout=0.2)
    assert next(stream)["event"] == "a"
    with pytest.raises(ServerUnreachable):
        next(stream)


def test_a_stream_that_is_refused_raises_the_error(say):
    with pytest.raises(MissingFrames):
        list(say(reply('{"code": "missing_frames", "message": "gone"}', "404 X")).stream("/"))


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1:80", "ftp://host", "file:///etc/passwd", "http://host:port", "http://host:99999", "http://[::1"],
)
def test_invalid_addresses_are_refused(address):
    with pytest.raises(DocumentError):
        Connection(address, "token")


@pytest.mark.parametrize("token", ["secret\n", "secret\r\nX: y", "geheimnis\u00e4"])
def test_a_token_of_invalid_format_is_refused_and_not_shown(token):
    with pytest.raises(DocumentError, match="(?i)token") as caught:
        Connection("http://127.0.0.1:9", token)
    assert "secret" not in str(caught.value)


def test_an_impossible_host_name_is_unreachable():
    with pytest.raises(ServerUnreachable):
        Connection(f"http://{'x' * 80}.org", "token").request("GET", "/")
