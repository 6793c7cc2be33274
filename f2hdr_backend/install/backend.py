"""The parts of this installation that host files depend on: their sources, the version, and the backend's command."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Optional

import f2hdr_backend
from f2hdr_backend.install.files import InstallError, Piece

PACKAGE = Path(f2hdr_backend.__file__).resolve().parent
CLIENT = ("__init__.py", "shot", "client")
"""The parts of f2hdr_backend that a host imports."""
ANSWER_TIMEOUT_S = 120
"""Seconds for a backend to print its version; the first start after an installation is slow."""


def host_files(name: str) -> Path:
    """Return the folder of a host's files, such as ``nuke_plugin``: package data of the wheel, or of the checkout.

    Raises:
        InstallError: neither has it.
    """
    for folder in (PACKAGE / "host_files" / name, PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise InstallError(f"The files of {name} are not part of this installation.", hint="Install F2HDR again.")


def find_backend(given: Optional[str]) -> list[str]:
    """Return the command that starts the backend.

    It is ``given`` (the f2hdr command, or the folder of its environment) if not empty, or the command in the folder of
    this interpreter, or ``f2hdr`` on PATH.

    Raises:
        InstallError: there is none, it does not answer, or its version differs from these files.
    """
    if given:
        command = _in_environment(Path(given).expanduser().absolute())
        if command is None:
            raise InstallError(f"There is no f2hdr command at {given}.", hint="Give its path with --backend.")
    else:
        found = _in_environment(Path(sys.executable).parent) or _on_path()
        if found is None:
            raise InstallError(
                "No f2hdr command was found in the folder of this Python or on PATH.",
                hint="Install the backend first (pip install .), or give its path with --backend.",
            )
        command = found
    _check_version(command)
    return [str(command)]


def client_files(backend: list[str], staging: Path, below: str = "") -> list[Piece]:
    """Return the package that a host's Python imports to use the backend, and the file that contains the start command.

    Args:
        backend: the command, from ``find_backend``.
        staging: an existing folder that must remain until the pieces are installed.
        below: folder of the package below the host's folder.
    """
    start = staging / "backend.json"
    start.write_text(json.dumps(backend) + "\n", encoding="utf-8")
    package = str(PurePosixPath(below) / "f2hdr_backend")
    pieces = [Piece(PACKAGE / part, f"{package}/{part}") for part in CLIENT]
    return [*pieces, Piece(start, f"{package}/client/backend.json")]


def _in_environment(place: Path) -> Optional[Path]:
    """Return the f2hdr command at ``place``: the file itself, or the command of the environment in that folder.

    None if there is none.
    """
    if place.is_file():
        return place
    for name in ("f2hdr", "f2hdr.exe", "f2hdr.cmd", "bin/f2hdr", "bin/f2hdr.cmd", "Scripts/f2hdr.exe"):
        if (place / name).is_file():
            return place / name
    return None


def _on_path() -> Optional[Path]:
    found = shutil.which("f2hdr")
    return Path(found).absolute() if found else None


def _check_version(command: Path) -> None:
    try:
        answer = subprocess.run(
            [str(command), "--version"], capture_output=True, text=True, timeout=ANSWER_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise InstallError(
            f'"{command} --version" failed: {error}.', hint="Give another f2hdr command with --backend."
        ) from error
    version = answer.stdout.strip()
    if version != f2hdr_backend.__version__:
        raise InstallError(
            f"{command} is version {version or 'unknown'}, these host files are {f2hdr_backend.__version__}.",
            hint="Install the backend of the same version.",
        )
