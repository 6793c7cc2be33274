"""Options of a server and its listening sockets. Imports no slow library, so that wrong options are reported at
once.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

import f2hdr_backend
from f2hdr_backend.server.connection_limit import BoundedSocket, reserve_files
from f2hdr_backend.server.roots import Roots
from f2hdr_backend.shot.errors import ServerError, ShotError

WAITING = 64
"""Backlog of connections that are not accepted yet."""
LONGEST_SOCKET_PATH = 100
"""Maximum length of a Unix socket's path in bytes that every supported system accepts."""


@dataclass(frozen=True)
class ServerOptions:
    """The options a server is started with; see ``check``."""

    host: str = "127.0.0.1"
    port: int = 0
    """TCP port; 0 selects a free one."""
    roots: tuple[str, ...] = ()
    """Folders whose files the server may read and write; empty allows every file that its user may access."""
    idle_s: float = 900.0
    """Seconds without work and requests after which the server exits; 0 disables the limit."""
    certificate: str = ""
    key: str = ""

    def allowed(self) -> Roots:
        """Return the allowed folders. Raises ShotError if one of them is not a folder."""
        return Roots.of(self.roots or (os.path.abspath(os.sep),))


def check(options: ServerOptions) -> None:
    """Raise ShotError for invalid options, and for an address that other machines reach without TLS or without
    roots.
    """
    options.allowed()
    if not _is_loopback(options.host):
        if not options.certificate or not options.key:
            raise ShotError(
                f"Other machines can reach the address {options.host}, so the server needs a certificate.",
                hint="Give --certificate and --key, or omit --host.",
            )
        if not options.roots:
            raise ShotError(
                f"Other machines can reach the address {options.host}, so the server needs a folder to limit access "
                "to.",
                hint="Give --root with the folder of your shots.",
            )
    if options.certificate:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(options.certificate, options.key or None)
        except OSError as error:
            raise ShotError(
                f'The certificate "{options.certificate}" and its key could not be loaded: {error}.',
                hint="Give a certificate and its matching key, both as PEM files.",
            ) from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def open_doors(options: ServerOptions, folder: Path) -> tuple[list[socket.socket], dict[str, object]]:
    """Open the TCP socket and, where supported, the Unix socket.

    Returns the listening sockets and the contents of the connection file. Raises ServerError if the address is in use.
    """
    most = reserve_files()
    net = _net_socket(options)
    net.most = most
    host, port = net.getsockname()[:2]
    scheme = "https" if options.certificate else "http"
    facts: dict[str, object] = {
        "address": f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}",
        "token": secrets.token_urlsafe(32),
        "version": f2hdr_backend.__version__,
        "pid": os.getpid(),
        "started": time.time(),
    }
    path = folder / "server.sock"
    if not hasattr(socket, "AF_UNIX") or len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        return [net], facts
    local = _unix_socket(path)
    local.most = most
    return [net, local], {**facts, "socket": str(path)}


def _net_socket(options: ServerOptions) -> BoundedSocket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    door = BoundedSocket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((options.host, options.port))
        door.listen(WAITING)
    except OSError as error:
        door.close()
        raise ServerError(
            f"The server could not listen on address {options.host}, port {options.port}: {error.strerror}.",
            hint="Choose another port, or omit --port to use a free one.",
        ) from error
    return door


def _unix_socket(path: Path) -> BoundedSocket:
    """Open the socket in the user's private runtime folder; the server lock is held, so an existing file is stale."""
    path.unlink(missing_ok=True)
    door = BoundedSocket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(str(path))
    door.listen(WAITING)
    return door
