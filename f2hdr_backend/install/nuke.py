"""The F2HDR node in Nuke's folder. Nuke loads it through lines in the folder's init.py."""

from __future__ import annotations

import tempfile
from pathlib import Path

import f2hdr_backend
from f2hdr_backend.install.backend import PACKAGE, client_files, host_files
from f2hdr_backend.install.files import InstallError, Piece, install_files, remove_files
from f2hdr_backend.shot.atomic import replacing

PRODUCT = "nuke"
WHERE = "Nuke's folder, or one in NUKE_PATH (default: ~/.nuke)"
FOLDER = "f2hdr"
"""Folder of the plug-in below Nuke's folder."""
PARTS = ("init.py", "menu.py", "f2hdr_farm.py", "F2HDR.gizmo", "f2hdr_nuke")
BEGIN, END = "# F2HDR begin (its installer wrote this)", "# F2HDR end"
BLOCK = f"{BEGIN}\nimport nuke\n\nnuke.pluginAddPath('./{FOLDER}')\n{END}\n"


def default_folders() -> list[Path]:
    """Return the folder that Nuke reads on every platform."""
    return [Path.home() / ".nuke"]


def install(roots: list[Path], backend: list[str], *, dry_run: bool) -> list[str]:
    """Install the node into each folder of ``roots`` and return one line per change. Raises InstallError."""
    lines = []
    source = host_files("nuke_plugin")
    with tempfile.TemporaryDirectory() as staging:
        pieces = [Piece(source / part, f"{FOLDER}/{part}") for part in PARTS]
        pieces += client_files(backend, Path(staging), FOLDER)
        pieces.append(Piece(PACKAGE / "panel", f"{FOLDER}/f2hdr_backend/panel"))
        for root in roots:
            lines += install_files(pieces, root, product=PRODUCT, version=f2hdr_backend.__version__, dry_run=dry_run)
            lines += _with_block(root / "init.py", dry_run)
    return [*lines, f"backend: {backend[0]}", "Start Nuke. F2HDR is in the toolbar."]


def uninstall(roots: list[Path], *, dry_run: bool) -> list[str]:
    """Remove the node from each folder of ``roots`` and return one line per change. Raises InstallError."""
    lines = []
    for root in roots:
        removed = remove_files(root, product=PRODUCT, dry_run=True)  # raises before init.py is changed
        lines += _without_block(root / "init.py", dry_run)
        lines += removed if dry_run else remove_files(root, product=PRODUCT, dry_run=False)
    return lines


def _with_block(path: Path, dry_run: bool) -> list[str]:
    """Append F2HDR's lines to Nuke's init.py."""
    content = _text(path)
    if BEGIN in content:
        return []
    between = "\n" if content and not content.endswith("\n") else ""
    return _rewrite(path, content + between + BLOCK, "add F2HDR's lines to", dry_run)


def _without_block(path: Path, dry_run: bool) -> list[str]:
    """Remove F2HDR's lines from init.py, and the file if it contains nothing else."""
    content = _text(path)
    if BEGIN not in content or END not in content:
        return []
    before, _, rest = content.partition(BEGIN)
    return _rewrite(path, before + rest.partition(f"{END}\n")[2], "remove F2HDR's lines from", dry_run)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise InstallError(
            f"{path} cannot be read: {error}.", hint=f"Add nuke.pluginAddPath('./{FOLDER}') to it yourself."
        ) from error


def _rewrite(path: Path, content: str, change: str, dry_run: bool) -> list[str]:
    line = f"{'would ' if dry_run else ''}{change} {path}"
    if dry_run:
        return [line]
    try:
        if not content:
            path.unlink()
            return [line]
        with replacing(path.resolve()) as file:
            file.write(content.encode("utf-8"))
    except OSError as error:
        raise InstallError(
            f"{path} cannot be written: {error.strerror}.", hint="Choose another folder with --to."
        ) from error
    return [line]
