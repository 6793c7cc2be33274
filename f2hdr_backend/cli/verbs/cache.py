"""``f2hdr cache``: how much room the kept flows take, and how to have it back."""

from __future__ import annotations

import json
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the verb ``cache`` and its two commands to the command line."""
    cache = typer.Typer(help="Show or clear the flows that are kept for the next render.", no_args_is_help=True)
    cache.command("info")(info)
    cache.command("clear")(clear)
    app.add_typer(cache, name="cache")


def info(as_json: AsJson = False) -> None:
    """Show where flows are kept, how many, and how much room they take."""
    from f2hdr_backend.flow.cache import open_cache

    cache = open_cache()
    held = cache.contents()
    if as_json:
        facts = {"folder": str(cache.folder), "flows": held.flows, "bytes": held.bytes, "limit_bytes": cache.limit}
        typer.echo(json.dumps({"event": "cache", **facts}))
        return
    typer.echo(f"folder  {cache.folder}")
    typer.echo(f"flows   {held.flows}")
    typer.echo(f"size    {_size(held.bytes)} of {_size(cache.limit) if cache.limit else '0: the cache is off'}")


def clear(as_json: AsJson = False) -> None:
    """Remove every kept flow; they are computed again when a render needs them."""
    from f2hdr_backend.flow.cache import open_cache

    cache = open_cache()
    removed, left = cache.clear(), cache.contents()
    if as_json:
        facts = {"folder": str(cache.folder), "flows": removed.flows, "bytes": removed.bytes, "left": left.flows}
        typer.echo(json.dumps({"event": "cache_cleared", **facts}))
        return
    typer.echo(f"{removed.flows} flows removed from {cache.folder}, {_size(removed.bytes)}.")
    if left.flows:
        typer.echo(f"{left.flows} flows are still there: another program reads or writes them.", err=True)


def _size(count: int) -> str:
    """A number of bytes in words, as F2HDR_CACHE_SIZE takes it: 1 GB is 1,000,000,000 bytes."""
    for unit, size in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
