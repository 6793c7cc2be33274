"""``f2hdr install``: the files that Nuke, Resolve and OpenFX hosts load."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.command import Section
from f2hdr_backend.cli.own_command import own_command
from f2hdr_backend.install.program import run


class Host(StrEnum):
    """The hosts that files can be installed for."""

    NUKE = "nuke"
    RESOLVE = "resolve"
    OFX = "ofx"


def register(app: typer.Typer) -> None:
    """Add the verb ``install`` to the command line."""
    app.command("install", rich_help_panel=Section.START)(install)


def install(
    host: Annotated[Host, typer.Argument(metavar="nuke|resolve|ofx", help="The host to install for.")],
    to: Annotated[
        str | None,
        typer.Option(help="Folder of the host. Default: ~/.nuke, every Fusion folder found, or the OpenFX folder."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; print what would be done.")] = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Remove the installed files.")] = False,
    backend: Annotated[
        str | None, typer.Option(help="The f2hdr command that the host starts. Default: this one.")
    ] = None,
) -> None:
    """Install the Nuke node, the Resolve Fuse and scripts, or the OpenFX effect; again after an update.

    Nothing is installed into the host's own Python. Files that you changed are kept as .bak.
    """
    lines = run(host.value, to, backend or own_command() or None, dry_run=dry_run, uninstall=uninstall)
    terminal.show("\n".join(lines))
