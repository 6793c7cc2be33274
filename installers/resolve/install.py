"""Lay F2HDR into DaVinci Resolve and Fusion: ``python installers/resolve/install.py [--to FOLDER] [--dry-run] ...``.

Any Python from 3.9 on will do, on Linux, macOS and Windows. The Fuse, the Lua modules and the scripts go into the
``Fusion`` folder of every Resolve and Fusion of this user; folders of the whole system are never written.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lay import ROOT, InstallError, Piece, door, find_backend, lay, own_version, unlay  # noqa: E402

PRODUCT = "resolve"
_MODULES = "Modules/Lua"
_OUTSIDE = "F2HDR"
"""Folder of the Python script that drives Resolve from outside, with its door."""


def main(arguments: list[str]) -> int:
    """Install or uninstall and tell what was done; returns the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        roots = [Path(asked.to).expanduser().absolute()] if asked.to else fusion_folders(sys.platform, Path.home())
        if not roots:
            raise InstallError(
                "No DaVinci Resolve or Fusion of this user was found; start it once, "
                "or name its Fusion folder with --to."
            )
        lines = _uninstall(roots, asked.dry_run) if asked.uninstall else _install(roots, asked.backend, asked.dry_run)
    except InstallError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


@dataclass(frozen=True)
class _Host:
    """One application: its folder in the user's home and, seen from there, where the Fusion folder may be.

    ``installed`` is a place that shows that it is installed for all users, though this user never started it.
    """

    home: Path
    fusion: tuple[str, ...]
    installed: tuple[Path, ...] = ()


def fusion_folders(platform: str, home: Path) -> list[Path]:
    """Return the ``Fusion`` folder of every Resolve and Fusion found, as Blackmagic's manuals place them.

    ``platform`` is as ``sys.platform`` has it. A folder need not exist yet if its application is installed.
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
    """Of macOS: the usual folders, and those inside the sandbox of the App Store's edition."""
    vendor = Path("Library") / "Application Support" / "Blackmagic Design"
    yield _Host(
        home / vendor / "DaVinci Resolve", ("Support/Fusion", "Fusion"), (Path("/Applications/DaVinci Resolve"),)
    )
    yield _Host(home / vendor / "Fusion", (".",))
    boxes = home / "Library" / "Containers"
    for box in sorted(boxes.glob("com.blackmagic-design.DaVinciResolve*")):
        yield _Host(box / "Data" / vendor / "DaVinci Resolve", ("Support/Fusion", "Fusion"), (box,))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Lay F2HDR's Fuse and scripts into DaVinci Resolve and Fusion.")
    parser.add_argument("--to", help="a Fusion folder, the one that has Fuses and Scripts in it (default: all found)")
    parser.add_argument("--backend", help="the f2hdr command, or the folder of its environment (default: found)")
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be done")
    parser.add_argument("--uninstall", action="store_true", help="take everything away again")
    return parser


def _install(roots: list[Path], backend: str | None, dry_run: bool) -> list[str]:
    command = find_backend(backend)
    lines = []
    with tempfile.TemporaryDirectory() as staging:
        pieces = list(_pieces(command, Path(staging)))
        for root in roots:
            lines += lay(pieces, root, product=PRODUCT, version=own_version(), dry_run=dry_run)
    return [*lines, f"backend: {command[0]}", "Restart Resolve: F2HDR is in Fusion's tools and Workspace > Scripts."]


def _pieces(command: list[str], staging: Path) -> Iterator[Piece]:
    folder = ROOT / "resolve_fuse"
    yield Piece(folder / "F2HDR.fuse", "Fuses/F2HDR.fuse")
    yield Piece(folder / "F2HDR_timeline.lua", "Scripts/Utility/F2HDR_timeline.lua")
    for module in sorted(folder.glob("f2hdr*.lua")):
        yield Piece(module, f"{_MODULES}/{module.name}")
    settled = staging / "f2hdr_install.lua"
    settled.write_text(_lua_table(command, own_version()), encoding="utf-8")
    yield Piece(settled, f"{_MODULES}/{settled.name}")
    yield Piece(folder / "drive_resolve.py", f"{_OUTSIDE}/drive_resolve.py")
    yield Piece(folder / "f2hdr_resolve", f"{_OUTSIDE}/f2hdr_resolve")
    yield from door(command, staging, _OUTSIDE)


def _lua_table(command: list[str], version: str) -> str:
    """What the Lua door reads: how the backend is started and the version that these files go with."""
    words = ", ".join(_lua_text(word) for word in command)
    return f"return {{backend = {{{words}}}, version = {_lua_text(version)}}}\n"


def _lua_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _uninstall(roots: list[Path], dry_run: bool) -> list[str]:
    laid = [root for root in roots if (root / f"{PRODUCT}.f2hdr-installed.json").exists()]
    if not laid:
        raise InstallError(f"F2HDR is not installed in {', '.join(map(str, roots))}; name the folder with --to.")
    return [line for root in laid for line in unlay(root, product=PRODUCT, dry_run=dry_run)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
