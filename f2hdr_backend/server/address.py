"""Options of a server and the sockets it listens on. Imports nothing slow, so that wrong options fail at once."""

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
from f2hdr_backend.server.bounded import BoundedSocket, reserve_files
from f2hdr_backend.server.roots import Roots
from f2hdr_backend.shot.errors import ServerError, ShotError

WAITING = 64
"""Connections that wait to be accepted."""
LONGEST_SOCKET_PATH = 100
"""Bytes of a Unix socket's path that every system takes."""


@dataclass(frozen=True)
class ServerOptions:
    """How a server is started."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 for one that is free."""
    roots: tuple[str, ...] = ()
    """Folders whose files it may touch; none for all that its user may."""
    idle_s: float = 900.0
    """Seconds without work and requests after which it ends; 0 to stay."""
    certificate: str = ""
    key: str = ""

    def allowed(self) -> Roots:
        """The roots; ShotError if one is no folder."""
        return Roots.of(self.roots or (os.path.abspath(os.sep),))


def check(options: ServerOptions) -> None:
    """Raise ShotError for options that cannot be, or that would open the door to strangers."""
    options.allowed()
    if not _is_loopback(options.host):
        if not options.certificate or not options.key:
            raise ShotError(
                f"The address {options.host} can be reached from other machines, so it needs a certificate.",
                hint="Give --certificate and --key, or leave --host out.",
            )
        if not options.roots:
            raise ShotError(
                f"The address {options.host} can be reached from other machines, so it needs a limit.",
                hint="Give --root with the folder of your shots.",
            )
    if options.certificate:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(options.certificate, options.key or None)
        except OSError as error:
            raise ShotError(
                f'The certificate "{options.certificate}" and its key cannot be used: {error}.',
                hint="Give both as PEM files that fit.",
            ) from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def open_doors(options: ServerOptions, folder: Path) -> tuple[list[socket.socket], dict[str, object]]:
    """Sockets that listen, and what the connection file says of them. ServerError if the address is taken."""
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
            f"The address {options.host}, port {options.port} cannot be had: {error.strerror}.",
            hint="Choose another, or leave --port out for one that is free.",
        ) from error
    return door


def _unix_socket(path: Path) -> BoundedSocket:
    """A socket in the runtime folder, which is this user's alone; the lock is held, so an old one is stale."""
    path.unlink(missing_ok=True)
    door = BoundedSocket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(str(path))
    door.listen(WAITING)
    return door
