"""Access control and limits of requests: token, time to arrive, size of the body, time to read the response."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect
from uvicorn.protocols.http.h11_impl import H11Protocol

from f2hdr_backend.server.passed_files import files_over
from f2hdr_backend.shot.errors import DocumentError, ServerError

LARGEST_BODY = 1024 * 1024
"""Maximum size of a request's body in bytes."""
REQUEST_S = 10.0
"""Maximum time in seconds for the header of a request to arrive, and again for its body."""
STUCK_S = 20.0
"""Maximum time in seconds for which a client may leave a response unread."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 protocol that closes a connection which sends no request, or does not read its response."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timeout for a request, and pass on the files that arrive with it."""
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        files = [] if connection is None else files_over(connection.fileno())
        self.app_state = {**self.app_state, "passed_files": files}
        self._wait(REQUEST_S, self._drop_unasked)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timeout."""
        self._stop_waiting()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Start the timeout for the client to read its response."""
        super().pause_writing()
        self._wait(STUCK_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Cancel the timeout: the client reads again."""
        super().resume_writing()
        self._stop_waiting()

    def _wait(self, seconds: float, then: Callable[[], object]) -> None:
        self._stop_waiting()
        self._patience = self.loop.call_later(seconds, then)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _drop_unasked(self) -> None:
        if self.cycle is None:
            self.transport.abort()


class Guard:
    """ASGI middleware that rejects requests without the token and closes the connection after each request."""

    def __init__(self, app: App, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Forward one request to the application, or reject it with status 401."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_and_close(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"connection", b"close")]
            await send(message)

        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) == 1 and hmac.compare_digest(given[0], self._expected):
            await self._app(scope, receive, send_and_close)
        else:
            await _refuse(send_and_close)


async def _refuse(send: Send) -> None:
    error = ServerError(
        "The token is missing or wrong.",
        hint="Send the header Authorization: Bearer with the token of the connection file.",
        status=401,
    )
    content = json.dumps(error.to_json()).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"www-authenticate", b"Bearer"),
    ]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def body_of(request: Request) -> bytes:
    """Return the whole body of a request.

    Raises:
        ServerError: it is larger than ``LARGEST_BODY`` bytes, or takes longer than ``REQUEST_S`` seconds.
        DocumentError: the client disconnected before the end.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(REQUEST_S):
            async for part in request.stream():
                size += len(part)
                if size <= LARGEST_BODY:
                    parts.append(part)
                elif size > 16 * LARGEST_BODY:
                    break
    except TimeoutError:
        raise ServerError(f"The body did not arrive within {REQUEST_S:g} s.", status=408) from None
    except ClientDisconnect as error:
        raise DocumentError("The body is incomplete.") from error
    if size > LARGEST_BODY:
        raise ServerError(
            f"The body is larger than {LARGEST_BODY} bytes.",
            hint="Pass pixels in files, not in requests.",
            status=413,
        )
    return b"".join(parts)
