"""``f2hdr serve``: the shared server of this user's hosts."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.command import Section
from f2hdr_backend.client import runtime
from f2hdr_backend.client.launch import connect
from f2hdr_backend.shot.errors import ServerError, ServerUnreachable


def register(app: typer.Typer) -> None:
    """Add the verb ``serve`` to the command line."""
    app.command("serve", rich_help_panel=Section.SHARE)(serve)


def serve(
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on. An address that other machines can reach needs --certificate, --key and --root."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 for a free one.", min=0, max=65535)] = 0,
    root: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FOLDER", help="Folder that jobs may read and write; may be repeated. Default: all folders."
        ),
    ] = None,
    idle: Annotated[
        float, typer.Option(help="Minutes without work after which the server exits; 0 for never.", min=0)
    ] = 15.0,
    certificate: Annotated[str, typer.Option(help="PEM file of the certificate; switches TLS on.")] = "",
    key: Annotated[str, typer.Option(help="PEM file of the certificate's private key.")] = "",
    stop: Annotated[bool, typer.Option("--stop", help="Stop the running server and exit.")] = False,
) -> None:
    """Run the server that Nuke, Resolve and the panel share: one process uses the device and renders their jobs.

    Hosts start this server when they need it. Run it yourself to choose its address, folders or idle time.
    """
    if stop:
        _stop()
        return
    from f2hdr_backend.server.address import ServerOptions, check

    options = ServerOptions(host, port, tuple(root or ()), idle * 60, certificate, key)
    check(options)
    _refuse_a_second()
    terminal.note("starting the server")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # the load of the machine changes while a server runs
    from f2hdr_backend.server.process import serve

    serve(options, lambda address: terminal.note(f"serving at {address}; connection file {runtime.connection_file()}"))
    sys.stderr.flush()
    os._exit(0)  # do not wait for plates that are still being measured


def _refuse_a_second() -> None:
    """Raise ServerError if a server of this user answers, before anything slow is loaded."""
    try:
        running = connect(start=False)
    except ServerUnreachable:
        return
    facts = runtime.read_connection_file() or {}
    raise ServerError(
        f"An F2HDR server is already running at {facts.get('address', running.address)}, process {facts.get('pid')}.",
        hint="Stop it: f2hdr serve --stop.",
    )


def _stop() -> None:
    """Stop the server of this user. The server's lock shows that it runs, however busy it is."""
    pid = runtime.server_process()
    if pid is None:
        terminal.note("No server is running.")
        return
    os.kill(pid, signal.SIGTERM)
    terminal.note(f"The server, process {pid}, is stopping.")
