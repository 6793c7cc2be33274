"""``f2hdr cache``: the size of the flow cache, and how to empty it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.command import App, Section
from f2hdr_backend.shot.sizes import format_size

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the verb ``cache`` and its two commands to the command line."""
    cache = App(help="Show or clear the optical flow that is stored for the next render.")
    cache.command("info")(info)
    cache.command("clear")(clear)
    app.add_typer(cache, name="cache", rich_help_panel=Section.MANAGE)


def info(as_json: AsJson = False) -> None:
    """Show the folder of the flow cache, the number of flows and their size on disk."""
    from f2hdr_backend.flow.cache import open_cache

    cache = open_cache()
    held = cache.contents()
    if as_json:
        facts = {"folder": str(cache.folder), "flows": held.flows, "bytes": held.bytes, "limit_bytes": cache.limit}
        typer.echo(json.dumps({"event": "cache", **facts}))
        return
    typer.echo(f"folder  {cache.folder}")
    typer.echo(f"flows   {held.flows}")
    limit = format_size(cache.limit) if cache.limit else "0: the cache is off"
    typer.echo(f"size    {format_size(held.bytes)} of {limit}")


def clear(as_json: AsJson = False) -> None:
    """Remove all stored flows. Renders compute them again when they need them."""
    from f2hdr_backend.flow.cache import open_cache

    cache = open_cache()
    removed, left = cache.clear(), cache.contents()
    if as_json:
        facts = {"folder": str(cache.folder), "flows": removed.flows, "bytes": removed.bytes, "left": left.flows}
        typer.echo(json.dumps({"event": "cache_cleared", **facts}))
        return
    removed_flows = terminal.count(removed.flows, "flow")
    typer.echo(f"{removed_flows} removed from {cache.folder}, {format_size(removed.bytes)}.")
    if left.flows:
        terminal.warn(f"{terminal.count(left.flows, 'flow')} could not be removed: another program is using the cache.")
