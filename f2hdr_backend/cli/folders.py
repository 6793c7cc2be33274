"""Folders that are yet to be made."""

from __future__ import annotations

from pathlib import Path


def innermost_existing(folder: Path) -> Path:
    """The innermost folder of a path that exists, absolute: where the rest of the path would be made."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder
