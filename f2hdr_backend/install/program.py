"""``f2hdr install`` and the scripts in ``installers/``: one host's files installed or removed."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import Optional

from f2hdr_backend.install.backend import find_backend
from f2hdr_backend.install.files import InstallError

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
        One line per change.

    Raises:
        InstallError: see the host's module.
    """
    host = importlib.import_module(f"f2hdr_backend.install.{product}")
    roots = [Path(to).expanduser().absolute()] if to else host.default_folders()
    if uninstall:
        return list(host.uninstall(roots, dry_run=dry_run))
    return list(host.install(roots, find_backend(backend), dry_run=dry_run))


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
