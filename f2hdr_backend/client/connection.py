"""HTTP requests to the server; every error is raised as an F2HDRError."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any, Optional
from urllib.parse import urlsplit

import f2hdr_backend
from f2hdr_backend.shot.errors import DocumentError, F2HDRError, ServerError, ServerUnreachable
from f2hdr_backend.shot.read_text import json_value

LARGEST_ANSWER = 64 * 1024 * 1024
"""Maximum size of a response in bytes."""


class Connection:
    """The address of a server and its token.

    Every call opens a new connection, so an object can be shared by several threads.
    """

    def __init__(self, address: str, token: str, version: str = "") -> None:
        """``address`` is ``http://host:port``, ``https://host:port`` or ``unix:/path``.

        Raises DocumentError for other addresses, and for a token with characters that no token has.
        """
        self.address = address
        self.version = version
        self._token = token
        try:
            self._parts = urlsplit(address)
            known = self._parts.scheme in ("http", "https", "unix") and self._parts.port != 0
        except ValueError:
            known = False
        if not known:
            raise DocumentError(
                f'"{address}" is not a server address.',
                hint="Give an address such as http://127.0.0.1:8000.",
                address=address,
            )
        if not token.isascii() or not token.isprintable():
            raise DocumentError(
                "The token contains a line break or other invalid characters.", hint="Copy it from the connection file."
            )

    def request(
        self, method: str, path: str, body: Optional[dict[str, Any]] = None, *, timeout: float = 10.0
    ) -> dict[str, Any]:
        """Send one request and return the JSON object of the response.

        ``timeout`` in seconds limits each wait for the server, not the whole request.

        Raises:
            ServerUnreachable: the server does not respond in time.
            F2HDRError: the server's error, as an instance of the same class.
        """
        door = self._open(timeout)
        try:
            answer = self._send(door, method, path, body)
            content = answer.read(LARGEST_ANSWER)
            if answer.length:
                raise http.client.IncompleteRead(content, answer.length)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._unreachable(error) from error
        finally:
            door.close()
        return _checked(answer.status, content)

    def stream(self, path: str, *, timeout: float = 5.0) -> Iterator[dict[str, Any]]:
        """Yield each server-sent event of ``path`` as an object; ends when the server closes the stream.

        The server is considered unreachable after ``timeout`` seconds without data, heartbeats included.
        Raises the errors of ``request``.
        """
        door = self._open(timeout)
        try:
            answer = self._send(door, "GET", path, None)
            if answer.status != 200:
                _checked(answer.status, answer.read(LARGEST_ANSWER))
            for line in iter(lambda: answer.readline(LARGEST_ANSWER), b""):
                if line.startswith(b"data:"):
                    yield json_value(line[len(b"data:") :])
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._unreachable(error) from error
        finally:
            door.close()

    def close(self) -> None:
        """Do nothing: no connection stays open between calls."""

    def _open(self, timeout: float) -> http.client.HTTPConnection:
        if self._parts.scheme == "unix":
            return _UnixConnection(self._parts.path, timeout)
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())
        return http.client.HTTPConnection(host, port, timeout=timeout)

    def _send(
        self, door: http.client.HTTPConnection, method: str, path: str, body: Optional[dict[str, Any]]
    ) -> http.client.HTTPResponse:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "User-Agent": f"f2hdr/{f2hdr_backend.__version__}",
            "Connection": "close",
        }
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        door.request(method, path, content, headers)
        return door.getresponse()

    def _unreachable(self, error: Exception) -> ServerUnreachable:
        reason = str(error) or type(error).__name__
        return ServerUnreachable(
            f"The F2HDR server at {self.address} does not answer ({reason}).",
            hint="Submit again: finished frames are kept and the others are rendered.",
            address=self.address,
        )


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            door.settimeout(self.timeout)
            door.connect(self._path)
        except OSError:
            door.close()
            raise
        self.sock = door


def rebuilt(document: dict[str, Any]) -> F2HDRError:
    """Return the error from its JSON, as an instance of its class, or else of the nearest class known here."""
    kinds = _family(F2HDRError)
    code, exit_code = document.get("code"), document.get("exit_code")
    kind = next((kind for kind in kinds if kind.code == code), None)
    kind = kind or next((kind for kind in kinds if kind.exit_code == exit_code), ServerError)
    facts = document.get("facts")
    named = {name: value for name, value in facts.items() if name not in ("self", "message", "hint")} if facts else {}
    return kind(str(document.get("message", "")), hint=str(document.get("hint", "")), **named)


def _family(kind: type[F2HDRError]) -> list[type[F2HDRError]]:
    found = [kind]
    for child in kind.__subclasses__():
        found += _family(child)
    return found


def _checked(status: int, content: bytes) -> dict[str, Any]:
    """Return the JSON object of a response, or raise the error in it."""
    try:
        answer = json_value(content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        text = content[:200].decode("utf-8", "replace").strip()
        raise ServerError(f"The response of the server, status {status}, is not a JSON object: {text}", status=status)
    if status >= 400:
        raise rebuilt(answer)
    return answer
