"""Laying F2HDR's files into a host's folder, and taking them away again.

Standard library only, Python 3.9: it runs with whatever interpreter the user has. What was laid is written down in
``<product>.f2hdr-installed.json`` in the host's folder, with a SHA-256 of every file: an upgrade removes what the new
version no longer has, and nothing of the user's is ever lost.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
"""The folder of this F2HDR: what is laid comes from here."""
DOOR = ("__init__.py", "shot", "client")
"""The parts of f2hdr_backend that a host imports."""
ANSWER_TIMEOUT_S = 120
"""A backend that was never started may take this long to say its version."""


class InstallError(Exception):
    """The files cannot be laid; the text says why and what to do."""


@dataclass(frozen=True)
class Piece:
    """A file or a folder to lay; ``target`` is its path below the host's folder, with forward slashes."""

    source: Path
    target: str


def lay(pieces: Iterable[Piece], root: Path, *, product: str, version: str, dry_run: bool) -> list[str]:
    """Copy ``pieces`` into ``root`` and return one line a thing done, for the user.

    Each file appears whole (temporary name, then renamed). A file of an older F2HDR is replaced, and removed if the
    new one lacks it. A file that is not as F2HDR laid it, or that F2HDR did not lay, is kept beside the new one with
    ``.bak`` in its name. With ``dry_run`` nothing is written and the lines say what would be.

    Raises:
        InstallError: a target outside ``root``, two pieces with one target, or a folder that cannot be written.
    """
    wanted = _files(pieces)
    older = _manifest(root, product)
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


def unlay(root: Path, *, product: str, dry_run: bool) -> list[str]:
    """Remove what ``lay`` put into ``root`` and return one line a thing done; files that the user changed stay.

    Raises:
        InstallError: nothing was laid there, or the folder cannot be written.
    """
    path = _manifest_path(root, product)
    if not path.exists():
        raise InstallError(f"Nothing of F2HDR's {product} is installed in {root}; name the folder with --to.")
    laid = _manifest(root, product)
    act = _Act(root, dry_run)
    try:
        for target in sorted(laid):
            act.take(target, laid[target])
        if not dry_run:
            path.unlink()
            _remove_if_empty(root, root)
    except OSError as error:
        raise _unwritable(root, error) from error
    return act.lines


def find_backend(given: str | None) -> list[str]:
    """Return the command that starts the backend: ``given`` (the f2hdr command, or the folder of its environment),
    else the one beside this interpreter, else the one on PATH.

    Raises:
        InstallError: there is none, it does not answer, or it is of another version than these files.
    """
    if given:
        command = _in_environment(Path(given).expanduser().absolute())
        if command is None:
            raise InstallError(f"There is no f2hdr command at {given}; give --backend its path.")
    else:
        found = _in_environment(Path(sys.executable).parent) or _on_path()
        if found is None:
            raise InstallError(
                "The f2hdr command was not found beside this Python or on PATH; "
                "install the backend first (pip install .), or give --backend its path."
            )
        command = found
    _check_version(command)
    return [str(command)]


def door(backend: list[str], staging: Path, below: str = "") -> list[Piece]:
    """Return the pieces by which a host's Python reaches the backend: the package f2hdr_backend with ``shot`` and
    ``client`` alone, and the file that says how to start the backend.

    Args:
        backend: the command, from ``find_backend``.
        staging: a folder of the caller's that lives until the pieces are laid.
        below: path below the host's folder, if the package shall not lie in its top.
    """
    start = staging / "backend.json"
    start.write_text(json.dumps(backend) + "\n", encoding="utf-8")
    package = str(PurePosixPath(below) / "f2hdr_backend")
    pieces = [Piece(ROOT / "f2hdr_backend" / part, f"{package}/{part}") for part in DOOR]
    return [*pieces, Piece(start, f"{package}/client/backend.json")]


def own_version() -> str:
    """Return the version of the files beside this one."""
    text = (ROOT / "f2hdr_backend" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "([^"]+)"', text)
    if found is None:
        raise InstallError(f"{ROOT} is no complete copy of F2HDR: f2hdr_backend/__init__.py names no version.")
    return found[1]


class _Act:
    """Does, or with ``dry_run`` only tells, what happens to each file."""

    def __init__(self, root: Path, dry_run: bool) -> None:
        self.lines: list[str] = []
        self._root = root
        self._dry_run = dry_run

    def put(self, target: str, source: Path, laid: str | None) -> None:
        """Lay one file; ``laid`` is the digest under which an earlier version laid it, if it did."""
        path = self._root / target
        present = _digest(path) if path.is_file() else None
        if present == _digest(source):
            return
        if path.is_dir():
            raise InstallError(f"{path} is a folder, and a file of F2HDR goes there; move it away.")
        if present is not None and present != laid:
            self._keep(path)
        self._tell("update" if present is not None else "install", path)
        if not self._dry_run:
            _copy(source, path)

    def take(self, target: str, laid: str) -> None:
        """Remove one file that was laid with the digest ``laid``."""
        path = self._root / target
        if not path.is_file():
            return
        if _digest(path) != laid:
            self.lines.append(f"keep {path}: it was changed since it was installed")
            return
        self._tell("remove", path)
        if not self._dry_run:
            path.unlink()
            for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
                compiled.unlink()
            _remove_if_empty(path.parent / "__pycache__", self._root)
            _remove_if_empty(path.parent, self._root)

    def _keep(self, path: Path) -> None:
        backup = _free_name(path)
        self.lines.append(f"keep {path} as {backup.name}: F2HDR did not write it as it is")
        if not self._dry_run:
            os.replace(path, backup)

    def _tell(self, deed: str, path: Path) -> None:
        self.lines.append(f"{'would ' if self._dry_run else ''}{deed} {path}")


def _files(pieces: Iterable[Piece]) -> dict[str, Path]:
    """Return target to source of every single file."""
    files: dict[str, Path] = {}
    for piece in pieces:
        for target, source in _expand(piece):
            parts = PurePosixPath(target).parts
            if target.startswith("/") or ".." in parts or ":" in target or "\\" in target:
                raise InstallError(f'"{target}" does not lie below the host\'s folder.')
            if files.get(target, source) != source:
                raise InstallError(f'Two files would be laid as "{target}".')
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
        raise InstallError(f"{piece.source} is missing: this copy of F2HDR is not complete.")


def _copy(source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".f2hdr-")
    os.close(handle)
    try:
        shutil.copyfile(source, name)
        shutil.copymode(source, name)
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise


def _free_name(path: Path) -> Path:
    """Return the first of ``path.bak``, ``path.bak2`` and so on that is not taken."""
    number = 1
    while True:
        backup = path.with_name(f"{path.name}.bak{number if number > 1 else ''}")
        if not backup.exists():
            return backup
        number += 1


def _remove_if_empty(folder: Path, root: Path) -> None:
    """Remove ``folder`` and the folders above it, up to ``root``, as far as they are empty."""
    while folder.is_dir() and (folder == root or root in folder.parents) and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _manifest_path(root: Path, product: str) -> Path:
    return root / f"{product}.f2hdr-installed.json"


def _manifest(root: Path, product: str) -> dict[str, str]:
    """Return target to digest of what an earlier run laid."""
    path = _manifest_path(root, product)
    if not path.exists():
        return {}
    try:
        files: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["files"]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InstallError(f"{path} cannot be read ({error}); remove it and install again.") from error
    return files


def _write_manifest(root: Path, product: str, version: str, files: dict[str, str]) -> None:
    document: dict[str, Any] = {"product": product, "version": version, "files": files}
    with tempfile.TemporaryDirectory() as folder:
        staged = Path(folder) / "manifest.json"
        staged.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        _copy(staged, _manifest_path(root, product))


def _unwritable(root: Path, error: OSError) -> InstallError:
    return InstallError(f"{error.filename or root} cannot be written: {error.strerror}; choose a folder with --to.")


def _in_environment(place: Path) -> Path | None:
    """Return the f2hdr command at ``place``: itself, or in the environment whose folder that is."""
    if place.is_file():
        return place
    for name in ("f2hdr", "f2hdr.exe", "bin/f2hdr", "Scripts/f2hdr.exe"):
        if (place / name).is_file():
            return place / name
    return None


def _on_path() -> Path | None:
    found = shutil.which("f2hdr")
    return Path(found).absolute() if found else None


def _check_version(command: Path) -> None:
    try:
        answer = subprocess.run(
            [str(command), "--version"], capture_output=True, text=True, timeout=ANSWER_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise InstallError(f'"{command} --version" does not answer ({error}); give --backend another.') from error
    version = answer.stdout.strip()
    if version != own_version():
        raise InstallError(
            f"{command} is version {version or 'unknown'}, these host files are {own_version()}; "
            "install the backend of the same version."
        )
