"""``f2hdr serve``: the shared backend of this user's hosts."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from f2hdr_backend.client import runtime
from f2hdr_backend.client.launch import connect
from f2hdr_backend.shot.errors import F2HDRError, ServerUnreachable


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(serve)


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; one beyond this machine needs a certificate and a root.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 for a free one.", min=0, max=65535)] = 0,
    root: Annotated[
        list[str] | None,
        typer.Option(help="Folder whose files it may touch; may be repeated. Not given: all of yours."),
    ] = None,
    idle: Annotated[float, typer.Option(help="Minutes without work after which it ends; 0 to stay.", min=0)] = 15.0,
    certificate: Annotated[str, typer.Option(help="PEM file of the certificate: makes it TLS.")] = "",
    key: Annotated[str, typer.Option(help="PEM file of the certificate's key.")] = "",
    stop: Annotated[bool, typer.Option("--stop", help="End the server that runs, and do nothing else.")] = False,
) -> None:
    """Serve this user's hosts: one process owns the device and renders for all of them in turn.

    Hosts find it by its connection file and start it themselves; this command is for servers of your own making.
    """
    if stop:
        _stop()
        return
    from f2hdr_backend.server.address import ServerOptions, check

    options = ServerOptions(host, port, tuple(root or ()), idle * 60, certificate, key)
    check(options)
    from f2hdr_backend.server.process import serve

    serve(options, lambda address: print(f"serving at {address}, see {runtime.connection_file()}", file=sys.stderr))
    sys.stderr.flush()
    os._exit(0)  # Python itself would wait for plates that are still being measured, for nobody


def _stop() -> None:
    """End the server that the connection file names, once it has answered: its number may be another's by now."""
    facts = runtime.read_connection_file()
    try:
        connect(start=False).close()
    except ServerUnreachable:
        print("no server runs", file=sys.stderr)
        return
    except F2HDRError as error:
        if error.code != "version_mismatch":
            raise
    if facts is not None:
        os.kill(facts["pid"], signal.SIGTERM)
        print(f"server {facts['pid']} told to end", file=sys.stderr)
