"""``f2hdr weights``: list and verify the installed weights, and import published checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.command import App, Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from f2hdr_backend.weights.manifest import WeightsEntry

_DIGEST_SHOWN = 12


def register(app: typer.Typer) -> None:
    """Add the verb ``weights`` and its three commands to the command line."""
    weights = App(help="List, verify and import network weights.")
    weights.command("list")(list_installed)
    weights.command("verify")(verify)
    weights.command("import")(import_)
    app.add_typer(weights, name="weights", rich_help_panel=Section.MANAGE)


def list_installed(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the installed weights: kind, flow, license, digest and scores."""
    from f2hdr_backend.weights.manifest import entries, weights_folder

    installed = entries()
    if as_json:
        for entry in installed:
            typer.echo(json.dumps(entry.to_json()))
        return
    if installed:
        _print_table(installed)
    else:
        terminal.note("No weights are installed.")
    terminal.note(f"Folder of imported weights: {weights_folder()}")


def verify(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Name of the weights. Default: all.")] = None,
) -> None:
    """Compare the SHA-256 of the weights files with the digests recorded at installation."""
    from f2hdr_backend.shot.errors import WeightsError, WeightsMismatch
    from f2hdr_backend.weights import store

    failures = []
    for entry in [store.find(name)] if name else store.entries():
        try:
            store.verify(entry)
        except WeightsError as error:
            failures.append(error)
            typer.echo(f"{entry.name}: FAILED")
        else:
            typer.echo(f"{entry.name}: ok {entry.sha256}")
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise WeightsMismatch(
            f"{len(failures)} weights files are not intact: {' '.join(error.message for error in failures)}",
            hint="Reinstall F2HDR, or import them again with --force.",
        )


def import_(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="The published .pth file.", exists=True, dir_okay=False)
    ],
    name: Annotated[str, typer.Option(help="Name for the weights. Those of SEA-RAFT are always named sea_raft.")],
    sea_raft: Annotated[
        Path | None, typer.Option(help="SEA-RAFT's .pth file, to import with it.", exists=True, dir_okay=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace installed weights of that name.")] = False,
) -> None:
    """Convert a published checkpoint to safetensors. Code inside the file is never executed."""
    from f2hdr_backend.weights.importer import import_checkpoint

    for entry in import_checkpoint(checkpoint, name, sea_raft, force=force):
        typer.echo(f"{entry.name}: {entry.path}")
        terminal.note(f"  license: {entry.card['license']}")
        terminal.note(f"  sha256:  {entry.sha256}")


def _print_table(installed: list[WeightsEntry]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "kind", "flow", "license", "digest", "scores", box=None, pad_edge=False)
    for entry in installed:
        flow = entry.descriptor.flow if entry.descriptor else ""
        digest = entry.sha256[:_DIGEST_SHOWN]
        table.add_row(
            entry.name, entry.kind, flow, entry.card["license"], digest, _scores(entry.card.get("scores", {}))
        )
    Console(soft_wrap=False).print(table)


def _scores(scores: Mapping[str, object]) -> str:
    return "\n".join(f"{metric} {value}" for metric, value in scores.items())
