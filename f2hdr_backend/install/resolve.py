"""Install the Fuse, the Lua modules and the scripts into the folders of DaVinci Resolve and Fusion.

The target is the ``Fusion`` folder of every Resolve and Fusion of this user. System-wide folders are never written.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import f2hdr_backend
from f2hdr_backend.install.backend import client_files, host_files
from f2hdr_backend.install.files import InstallError, Piece, install_files, manifest_path, remove_files

PRODUCT = "resolve"
WHERE = "a Fusion folder, the one that contains Fuses and Scripts (default: all that are found)"
_MODULES = "Modules/Lua"
_OUTSIDE = "F2HDR"
"""Folder of the Python script that controls Resolve from outside, with the package that it imports."""


def default_folders() -> list[Path]:
    """Return the Fusion folder of every Resolve and Fusion of this user. Raises InstallError if there is none."""
    roots = fusion_folders(sys.platform, Path.home())
    if not roots:
        raise InstallError(
            "No DaVinci Resolve or Fusion of this user was found.",
            hint="Start it once, or set its Fusion folder with --to.",
        )
    return roots


def install(roots: list[Path], backend: list[str], *, dry_run: bool) -> list[str]:
    """Install into each folder of ``roots`` and return one line per change. Raises InstallError."""
    lines = []
    with tempfile.TemporaryDirectory() as staging:
        pieces = list(_pieces(backend, Path(staging)))
        for root in roots:
            lines += install_files(pieces, root, product=PRODUCT, version=f2hdr_backend.__version__, dry_run=dry_run)
    return [*lines, f"backend: {backend[0]}", "Restart Resolve. F2HDR is in Fusion's tools and Workspace > Scripts."]


def uninstall(roots: list[Path], *, dry_run: bool) -> list[str]:
    """Remove from each folder of ``roots`` that has it; return one line per change. Raises InstallError."""
    installed = [root for root in roots if manifest_path(root, PRODUCT).exists()]
    if not installed:
        names = ", ".join(map(str, roots))
        raise InstallError(f"F2HDR for resolve is not installed in {names}.", hint="Set its folder with --to.")
    return [line for root in installed for line in remove_files(root, product=PRODUCT, dry_run=dry_run)]


@dataclass(frozen=True)
class _Host:
    """One application: its folder in the user's home and, below it, the possible Fusion folders.

    ``installed`` are paths that exist if it is installed for all users, even if this user never started it.
    """

    home: Path
    fusion: tuple[str, ...]
    installed: tuple[Path, ...] = ()


def fusion_folders(platform: str, home: Path) -> list[Path]:
    """Return the ``Fusion`` folder of every Resolve and Fusion found, at the paths of Blackmagic's manuals.

    ``platform`` is a value of ``sys.platform``. The folder of an installed application may not exist yet.
    """
    found = []
    for host in _hosts(platform, home):
        if host.home.is_dir() or any(place.exists() for place in host.installed):
            places = [host.home / name for name in host.fusion]
            found.append(next((place for place in places if place.is_dir()), places[-1]))
    return found


def _hosts(platform: str, home: Path) -> Iterator[_Host]:
    if platform == "darwin":
        yield from _mac_hosts(home)
    elif platform == "win32":
        base = Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "Blackmagic Design"
        programs = Path(os.environ.get("PROGRAMDATA") or "C:/ProgramData") / "Blackmagic Design"
        yield _Host(base / "DaVinci Resolve", ("Fusion", "Support/Fusion"), (programs / "DaVinci Resolve",))
        yield _Host(base / "Fusion", (".",))
    else:
        share = home / ".local" / "share" / "DaVinciResolve"
        yield _Host(share, ("Support/Fusion", "Fusion"), (Path("/opt/resolve"), Path("/home/resolve")))
        yield _Host(home / ".fusion" / "BlackmagicDesign" / "Fusion", (".",))


def _mac_hosts(home: Path) -> Iterator[_Host]:
    """Yield the usual folders of macOS, and those inside the sandbox of the App Store edition."""
    vendor = Path("Library") / "Application Support" / "Blackmagic Design"
    yield _Host(
        home / vendor / "DaVinci Resolve", ("Support/Fusion", "Fusion"), (Path("/Applications/DaVinci Resolve"),)
    )
    yield _Host(home / vendor / "Fusion", (".",))
    boxes = home / "Library" / "Containers"
    for box in sorted(boxes.glob("com.blackmagic-design.DaVinciResolve*")):
        yield _Host(box / "Data" / vendor / "DaVinci Resolve", ("Support/Fusion", "Fusion"), (box,))


def _pieces(command: list[str], staging: Path) -> Iterator[Piece]:
    folder = host_files("resolve_fuse")
    yield Piece(folder / "F2HDR.fuse", "Fuses/F2HDR.fuse")
    yield Piece(folder / "F2HDR_timeline.lua", "Scripts/Utility/F2HDR_timeline.lua")
    yield Piece(folder / "F2HDR.setting", "Templates/Edit/Effects/F2HDR.setting")
    for module in sorted(folder.glob("f2hdr*.lua")):
        yield Piece(module, f"{_MODULES}/{module.name}")
    settled = staging / "f2hdr_install.lua"
    settled.write_text(_lua_table(command, f2hdr_backend.__version__), encoding="utf-8")
    yield Piece(settled, f"{_MODULES}/{settled.name}")
    yield Piece(folder / "drive_resolve.py", f"{_OUTSIDE}/drive_resolve.py")
    yield Piece(folder / "f2hdr_resolve", f"{_OUTSIDE}/f2hdr_resolve")
    yield from client_files(command, staging, _OUTSIDE)


def _lua_table(command: list[str], version: str) -> str:
    """Return the Lua module with the command that starts the backend and the version of these files."""
    words = ", ".join(_lua_text(word) for word in command)
    return f"return {{backend = {{{words}}}, version = {_lua_text(version)}}}\n"


def _lua_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
