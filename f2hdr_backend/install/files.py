"""Install files into a host's folder, and remove them again.

Standard library only, Python 3.9: it runs in any interpreter that the user has. ``<product>.f2hdr-installed.json`` in
the host's folder lists every installed file with its SHA-256. An upgrade removes files that the new version no longer
has, and files that the user changed are never lost.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Optional

from f2hdr_backend.shot.atomic import replacing
from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_backend.shot.read_text import json_value
from f2hdr_backend.shot.safe_open import make_folders


class InstallError(F2HDRError):
    """The files cannot be installed or removed."""

    code = "install_failed"
    exit_code = 3


@dataclass(frozen=True)
class Piece:
    """A file or a folder to install; ``target`` is its path below the host's folder, with forward slashes."""

    source: Path
    target: str


def install_files(pieces: Iterable[Piece], root: Path, *, product: str, version: str, dry_run: bool) -> list[str]:
    """Copy ``pieces`` into ``root`` and return one line per change.

    Each file is written atomically. A file of an older F2HDR is replaced, and removed if the new version does not have
    it. A file that the user changed, or that F2HDR did not install, is renamed to ``.bak``. With ``dry_run`` nothing is
    written and the lines describe what would be done.

    Raises:
        InstallError: a target outside ``root``, two pieces with one target, or a folder that cannot be written.
    """
    wanted = _files(pieces)
    older = manifest(root, product)["files"]
    act = _Act(root, dry_run)
    try:
        for target, source in wanted.items():
            act.put(target, source, older.get(target))
        for target in sorted(older.keys() - wanted.keys()):
            act.take(target, older[target])
        if not dry_run:
            _write_manifest(root, product, version, {name: _digest(path) for name, path in wanted.items()})
    except OSError as error:
        raise _unwritable(root, error) from error
    return act.lines or [f"{root} is up to date (version {version})"]


def remove_files(root: Path, *, product: str, dry_run: bool) -> list[str]:
    """Remove the files that ``install_files`` wrote to ``root`` and return one line per change.

    Files that the user changed are kept. Folders that become empty are removed, including ``root``.

    Raises:
        InstallError: nothing is installed there, or the folder cannot be written.
    """
    path = manifest_path(root, product)
    if not path.exists():
        raise InstallError(f"F2HDR for {product} is not installed in {root}.", hint="Set its folder with --to.")
    installed = manifest(root, product)["files"]
    act = _Act(root, dry_run)
    try:
        for target in sorted(installed):
            act.take(target, installed[target])
        if not dry_run:
            path.unlink()
            _remove_if_empty(root, root)
    except OSError as error:
        raise _unwritable(root, error) from error
    return act.lines


class _Act:
    """Changes files, or with ``dry_run`` only records what would be changed."""

    def __init__(self, root: Path, dry_run: bool) -> None:
        self.lines: list[str] = []
        self._root = root
        self._dry_run = dry_run

    def put(self, target: str, source: Path, installed: Optional[str]) -> None:
        """Install one file; ``installed`` is the digest that an earlier version recorded for it, or None."""
        path = self._root / target
        present = _digest(path) if path.is_file() else None
        if present == _digest(source):
            return
        if path.is_dir():
            raise InstallError(
                f"{path} is a folder, but F2HDR installs a file of that name.", hint="Move the folder away."
            )
        if present is not None and present != installed:
            self._keep(path)
        self._note("update" if present is not None else "install", path)
        if not self._dry_run:
            _copy(source, path)

    def take(self, target: str, installed: str) -> None:
        """Remove one file if its digest is still ``installed``."""
        path = self._root / target
        if not path.is_file():
            return
        if _digest(path) != installed:
            self.lines.append(f"keep {path}: it was changed after the installation")
            return
        self._note("remove", path)
        if not self._dry_run:
            path.unlink()
            for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
                compiled.unlink()
            _remove_if_empty(path.parent / "__pycache__", self._root)
            _remove_if_empty(path.parent, self._root)

    def _keep(self, path: Path) -> None:
        backup = _free_name(path)
        self.lines.append(f"keep {path} as {backup.name}: it differs from the installed file")
        if not self._dry_run:
            os.replace(path, backup)

    def _note(self, change: str, path: Path) -> None:
        self.lines.append(f"{'would ' if self._dry_run else ''}{change} {path}")


def _files(pieces: Iterable[Piece]) -> dict[str, Path]:
    """Return the source of every file by its target."""
    files: dict[str, Path] = {}
    for piece in pieces:
        for target, source in _expand(piece):
            parts = PurePosixPath(target).parts
            if target.startswith("/") or ".." in parts or ":" in target or "\\" in target:
                raise InstallError(f'"{target}" is not below the host\'s folder.')
            if files.get(target, source) != source:
                raise InstallError(f'Two files would be installed as "{target}".')
            files[target] = source
    return files


def _expand(piece: Piece) -> Iterator[tuple[str, Path]]:
    if piece.source.is_file():
        yield str(PurePosixPath(piece.target)), piece.source
    elif piece.source.is_dir():
        for path in sorted(piece.source.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
                yield str(PurePosixPath(piece.target) / path.relative_to(piece.source).as_posix()), path
    else:
        raise InstallError(
            f"{piece.source} is missing: this copy of F2HDR is not complete.", hint="Install F2HDR again."
        )


def _copy(source: Path, path: Path) -> None:
    _write(path, source.read_bytes())
    shutil.copymode(source, path)


def _write(path: Path, content: bytes) -> None:
    make_folders(path.parent)
    try:
        with replacing(path) as file:
            file.write(content)
    except OSError as error:  # which names the temporary file
        raise OSError(error.errno, error.strerror, str(path)) from error


def _free_name(path: Path) -> Path:
    """Return the first free name of ``path.bak``, ``path.bak2`` and so on."""
    number = 1
    while True:
        backup = path.with_name(f"{path.name}.bak{number if number > 1 else ''}")
        if not backup.exists():
            return backup
        number += 1


def _remove_if_empty(folder: Path, root: Path) -> None:
    """Remove ``folder`` and the folders above it up to ``root`` while they are empty."""
    while folder.is_dir() and (folder == root or root in folder.parents) and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def manifest_path(root: Path, product: str) -> Path:
    """Return the path of the list of installed files."""
    return root / f"{product}.f2hdr-installed.json"


def manifest(root: Path, product: str) -> dict[str, Any]:
    """Return what is installed: ``version``, and ``files`` as digests by target; no files if nothing is installed.

    Raises:
        InstallError: the list cannot be read.
    """
    path = manifest_path(root, product)
    if not path.exists():
        return {"version": "", "files": {}}
    try:
        document = json_value(path.read_bytes())
        return {"version": str(document["version"]), "files": dict(document["files"])}
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InstallError(f"{path} cannot be read: {error}.", hint="Remove it and install again.") from error


def outdated(root: Path, product: str) -> list[str]:
    """Return the targets of installed files that are missing or changed. Raises InstallError."""
    files = manifest(root, product)["files"]
    return [name for name in sorted(files) if not (root / name).is_file() or _digest(root / name) != files[name]]


def _write_manifest(root: Path, product: str, version: str, files: dict[str, str]) -> None:
    document: dict[str, Any] = {"product": product, "version": version, "files": files}
    text = json.dumps(document, indent=1, sort_keys=True) + "\n"
    _write(manifest_path(root, product), text.encode("utf-8"))


def _unwritable(root: Path, error: OSError) -> InstallError:
    return InstallError(
        f"{error.filename or root} cannot be written: {error.strerror}.", hint="Choose another folder with --to."
    )
