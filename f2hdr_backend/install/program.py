"""``f2hdr install`` and the scripts in ``installers/``: one host's files installed or removed."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from itertools import groupby
from pathlib import Path
from typing import Optional

from f2hdr_backend.install.backend import find_backend
from f2hdr_backend.install.files import InstallError

_COUNTED = ("install", "update", "remove")

PRODUCTS = ("nuke", "resolve", "ofx")
"""The hosts; each has a module in this package."""


def run(product: str, to: Optional[str], backend: Optional[str], *, dry_run: bool, uninstall: bool) -> list[str]:
    """Install or remove the files of one host.

    Args:
        product: one of PRODUCTS.
        to: the host's folder; by default the module's ``default_folders()``.
        backend: the f2hdr command or the folder of its environment; by default see ``find_backend``.
        dry_run: change nothing.
        uninstall: remove the files.

    Returns:
        One line per change; with ``dry_run`` one per file, else the number of files in a folder.

    Raises:
        InstallError: see the host's module.
    """
    host = importlib.import_module(f"f2hdr_backend.install.{product}")
    roots = [Path(to).expanduser().absolute()] if to else host.default_folders()
    if uninstall:
        lines = list(host.uninstall(roots, dry_run=dry_run))
    else:
        lines = list(host.install(roots, find_backend(backend), dry_run=dry_run))
    return lines if dry_run else _counted(lines, roots)


def _counted(lines: list[str], roots: list[Path]) -> list[str]:
    """Replace successive lines about single files of one root by their number and the folder that has them all."""
    short: list[str] = []
    for (change, root), group in groupby(lines, lambda line: _change_and_root(line, roots)):
        own = list(group)
        if root is not None and len(own) > 1:
            own = [f"{change} {len(own)} files in {os.path.commonpath([line.partition(' ')[2] for line in own])}"]
        short += own
    return short


def _change_and_root(line: str, roots: list[Path]) -> tuple[str, Optional[Path]]:
    """What a line says is done with one file, and the root that has it; the root is None for other lines."""
    change, _, path = line.partition(" ")
    root = next((root for root in roots if root in Path(path).parents), None)
    return (change, root) if change in _COUNTED and root is not None else (line, None)


def main(product: str, arguments: list[str]) -> int:
    """Run as a standalone script, in any Python from 3.9; return the exit code."""
    host = importlib.import_module(f"f2hdr_backend.install.{product}")
    parser = argparse.ArgumentParser(description=(host.__doc__ or "").partition("\n")[0])
    parser.add_argument("--to", help=host.WHERE)
    parser.add_argument("--backend", help="the f2hdr command, or the folder of its environment (default: found)")
    parser.add_argument("--dry-run", action="store_true", help="change nothing, print what would be done")
    parser.add_argument("--uninstall", action="store_true", help="remove the files")
    asked = parser.parse_args(arguments)
    try:
        lines = run(product, asked.to, asked.backend, dry_run=asked.dry_run, uninstall=asked.uninstall)
    except InstallError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print("\n".join(lines))
    return 0
