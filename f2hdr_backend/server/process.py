"""The server process: its lock, its connection file, and when it exits."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import uvicorn

from f2hdr_backend.client import runtime
from f2hdr_backend.engine.live import device_names
from f2hdr_backend.server.access_control import Guard, ImpatientProtocol
from f2hdr_backend.server.address import WAITING, ServerOptions, check, open_doors
from f2hdr_backend.server.crash_cleanup import FoldersInUse
from f2hdr_backend.server.log_rate_limit import limit_log
from f2hdr_backend.server.queue import Queue
from f2hdr_backend.server.routes import Listener, build_app
from f2hdr_backend.server.service import Service
from f2hdr_backend.shot.errors import ServerError, ServerUnreachable
from f2hdr_backend.shot.safe_open import confine

HANDSHAKE_S = 5.0
"""Maximum duration of a TLS handshake in seconds."""
LOCK_S = 5.0
"""Seconds to wait for an older server to exit."""
CLOSING_S = 2.0
"""Seconds to wait for the current frame when the server exits."""


def serve(options: ServerOptions, ready: Callable[[str], None]) -> None:
    """Run the server until a signal arrives or it is idle for ``idle_s`` seconds; call ``ready`` with its address.

    Must be called in the main thread. Work outside the queue, such as measuring plates, may still run on return.

    Raises:
        ShotError: invalid or insecure options; see ``check``.
        ServerError: another server of this user is running, or the address is in use.
    """
    check(options)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(runtime.lock(runtime.SERVER_LOCK, LOCK_S))
        except ServerUnreachable as error:
            facts = runtime.read_connection_file() or {}
            raise ServerError(
                f"An F2HDR server is already running here: {facts.get('address')}, process {facts.get('pid')}.",
                hint="Stop it with f2hdr serve --stop.",
            ) from error
        _serve(options, ready)


def _serve(options: ServerOptions, ready: Callable[[str], None]) -> None:
    os.environ.pop("OCIO", None)  # each client sends its own config
    folder = Path(runtime.runtime_folder())
    queue = Queue(device_names())
    confine(options.allowed().folders)
    service = Service(options.allowed(), FoldersInUse(folder / "ledger.json"), queue)
    listener = Listener(service)
    sockets, facts = open_doors(options, folder)
    server = _Server(options, listener, service, str(facts["token"]))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # uvicorn raises the signal again after it stopped
    try:
        runtime.write_connection_file(facts)
        ready(str(facts["address"]))
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets)
    finally:
        runtime.remove_connection_file(os.getpid())
        queue.close(CLOSING_S)


class _Server(uvicorn.Server):
    """Uvicorn server that exits when it is idle or can no longer be found."""

    def __init__(self, options: ServerOptions, listener: Listener, service: Service, token: str) -> None:
        super().__init__(
            uvicorn.Config(
                Guard(build_app(listener), token),
                http=ImpatientProtocol,
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,
                timeout_notify=1,
                callback_notify=self._tend,
                ssl_certfile=options.certificate or None,
                ssl_keyfile=options.key or None,
            )
        )
        self._listener = listener
        self._service = service
        self._idle_s = options.idle_s
        self._busy_at = time.monotonic()
        self._answered = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening: with TLS on the network if there is a certificate, without TLS on the Unix socket."""
        limit_log()
        await super().startup([])
        loop = asyncio.get_running_loop()
        for door in sockets or []:
            tls = None if _is_local(door) else self.config.ssl
            patience = HANDSHAKE_S if tls else None
            server = await loop.create_server(
                self._protocol, sock=door, ssl=tls, ssl_handshake_timeout=patience, backlog=WAITING
            )
            self.servers.append(server)

    def _protocol(self) -> ImpatientProtocol:
        return ImpatientProtocol(self.config, self.server_state, self.lifespan.state)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: remove the connection file, so that new clients start a new server, and end the event streams."""
        runtime.remove_connection_file(os.getpid())
        self._listener.closing = True
        await super().shutdown(sockets)

    async def _tend(self) -> None:
        """Called about once a second: cancels unwatched jobs and decides whether to exit."""
        works = await asyncio.to_thread(self._service.tend)
        state = self.server_state
        if works or state.connections or state.total_requests != self._answered:
            self._busy_at = time.monotonic()
        self._answered = state.total_requests
        if self._idle_s and time.monotonic() - self._busy_at > self._idle_s:
            self.should_exit = True
        if not works and not self._is_found():
            self.should_exit = True

    def _is_found(self) -> bool:
        """Return whether clients can find this server; its runtime folder may have been deleted."""
        try:
            facts = runtime.read_connection_file()
        except ServerError:
            return False
        return facts is not None and facts["pid"] == os.getpid()


def _is_local(door: socket.socket) -> bool:
    """Return whether a socket is a Unix socket."""
    return hasattr(socket, "AF_UNIX") and door.family == socket.AF_UNIX
