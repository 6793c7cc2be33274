"""Lay F2HDR's node into Nuke's folder: ``python installers/nuke/install.py [--to FOLDER] [--dry-run] [--uninstall]``.

Any Python from 3.9 on will do, on Linux, macOS and Windows. Nuke finds the node by one line in the folder's init.py.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lay import ROOT, InstallError, Piece, door, find_backend, lay, own_version, unlay  # noqa: E402

PRODUCT = "nuke"
FOLDER = "f2hdr"
"""The plug-in's folder below Nuke's."""
PARTS = ("init.py", "menu.py", "f2hdr_farm.py", "F2HDR.gizmo", "f2hdr_nuke")
BEGIN, END = "# F2HDR begin (its installer wrote this)", "# F2HDR end"
BLOCK = f"{BEGIN}\nimport nuke\n\nnuke.pluginAddPath('./{FOLDER}')\n{END}\n"


def main(arguments: list[str]) -> int:
    """Install or uninstall and tell what was done; returns the exit code."""
    asked = _parser().parse_args(arguments)
    root = Path(asked.to).expanduser().absolute()
    try:
        lines = _uninstall(root, asked.dry_run) if asked.uninstall else _install(root, asked.backend, asked.dry_run)
    except InstallError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Lay F2HDR's node into Nuke's folder.")
    parser.add_argument("--to", default="~/.nuke", help="Nuke's folder, or one in NUKE_PATH (default: ~/.nuke)")
    parser.add_argument("--backend", help="the f2hdr command, or the folder of its environment (default: found)")
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be done")
    parser.add_argument("--uninstall", action="store_true", help="take everything away again")
    return parser


def _install(root: Path, backend: str | None, dry_run: bool) -> list[str]:
    command = find_backend(backend)
    with tempfile.TemporaryDirectory() as staging:
        pieces = [Piece(ROOT / "nuke_plugin" / part, f"{FOLDER}/{part}") for part in PARTS]
        pieces += door(command, Path(staging), FOLDER)
        lines = lay(pieces, root, product=PRODUCT, version=own_version(), dry_run=dry_run)
    lines += _with_block(root / "init.py", dry_run)
    return [*lines, f"backend: {command[0]}", "Start Nuke and find F2HDR in the toolbar."]


def _uninstall(root: Path, dry_run: bool) -> list[str]:
    lines = _without_block(root / "init.py", dry_run)
    return lines + unlay(root, product=PRODUCT, dry_run=dry_run)


def _with_block(path: Path, dry_run: bool) -> list[str]:
    """Add our lines to Nuke's init.py, behind whatever the user has there."""
    content = _text(path)
    if BEGIN in content:
        return []
    between = "\n" if content and not content.endswith("\n") else ""
    return _rewrite(path, content + between + BLOCK, "add F2HDR's line to", dry_run)


def _without_block(path: Path, dry_run: bool) -> list[str]:
    """Take our lines out of init.py, and the file if nothing else is in it."""
    content = _text(path)
    if BEGIN not in content or END not in content:
        return []
    before, _, rest = content.partition(BEGIN)
    return _rewrite(path, before + rest.partition(f"{END}\n")[2], "take F2HDR's line out of", dry_run)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise InstallError(
            f"{path} cannot be read ({error}); add nuke.pluginAddPath('./{FOLDER}') to it yourself."
        ) from error


def _rewrite(path: Path, content: str, deed: str, dry_run: bool) -> list[str]:
    line = f"{'would ' if dry_run else ''}{deed} {path}"
    if dry_run:
        return [line]
    try:
        if not content:
            path.unlink()
            return [line]
        path = path.resolve()
        part = path.with_name(".f2hdr-init.py")
        part.write_text(content, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise InstallError(f"{path} cannot be written: {error.strerror}; choose a folder with --to.") from error
    return [line]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
