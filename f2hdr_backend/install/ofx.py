"""The OpenFX effect in a plug-in folder that Resolve, Nuke, Natron and other hosts search."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import f2hdr_backend
from f2hdr_backend.install.backend import PACKAGE
from f2hdr_backend.install.files import InstallError, Piece, install_files, remove_files

PRODUCT = "ofx"
WHERE = "a folder of OpenFX plug-ins (default: the first of OFX_PLUGIN_PATH, else the system's, which needs an admin)"
BUNDLE = "F2HDR.ofx.bundle"
SYSTEM_FOLDERS = {
    "linux": "/usr/OFX/Plugins",
    "darwin": "/Library/OFX/Plugins",
    "win32": "C:/Program Files/Common Files/OFX/Plugins",
}
"""Plug-in folders of the OpenFX standard, by ``sys.platform``."""


def default_folders() -> list[Path]:
    """Return the first folder of OFX_PLUGIN_PATH, or the platform's folder of the OpenFX standard."""
    listed = [name for name in os.environ.get("OFX_PLUGIN_PATH", "").split(os.pathsep) if name]
    return [Path(listed[0] if listed else SYSTEM_FOLDERS.get(sys.platform, SYSTEM_FOLDERS["linux"]))]


def bundle() -> Path:
    """Return the built effect: package data of the wheel, or the build folder of the checkout.

    Raises:
        InstallError: it was not built for this platform.
    """
    for folder in (PACKAGE / "host_files", PACKAGE.parent / "build" / "ofx"):
        if any((folder / BUNDLE).glob("Contents/*/F2HDR.ofx")):
            return folder / BUNDLE
    raise InstallError(
        "The OpenFX effect is not part of this installation: it is built separately.",
        hint="In a checkout of F2HDR, with CMake and a C++17 compiler: make ofx, then f2hdr install ofx.",
    )


def install(roots: list[Path], backend: list[str], *, dry_run: bool) -> list[str]:
    """Install into each folder of ``roots`` and return one line per change. Raises InstallError."""
    lines = []
    with tempfile.TemporaryDirectory() as staging:
        start = Path(staging) / "backend.json"
        start.write_text(json.dumps(backend) + "\n", encoding="utf-8")
        pieces = [Piece(bundle(), BUNDLE), Piece(start, f"{BUNDLE}/Contents/Resources/backend.json")]
        for root in roots:
            lines += install_files(pieces, root, product=PRODUCT, version=f2hdr_backend.__version__, dry_run=dry_run)
    return [
        *lines,
        f"backend: {backend[0]}",
        f"Restart the host. If it does not search {roots[0]}, set OFX_PLUGIN_PATH.",
    ]


def uninstall(roots: list[Path], *, dry_run: bool) -> list[str]:
    """Remove from each folder of ``roots`` and return one line per change. Raises InstallError."""
    return [line for root in roots for line in remove_files(root, product=PRODUCT, dry_run=dry_run)]
