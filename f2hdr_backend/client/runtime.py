"""The runtime folder, and the connection file and locks in it, through which clients find the server."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import IO, Any, Optional

from f2hdr_backend.shot.atomic import replacing
from f2hdr_backend.shot.errors import ServerError, ServerUnreachable
from f2hdr_backend.shot.read_text import json_value
from f2hdr_backend.shot.safe_open import make_folders
from f2hdr_backend.shot.system_errors import action_for

SERVER_LOCK = "server.lock"
"""Name of the lock of a running server."""
_POLL_S = 0.05


def runtime_folder() -> str:
    """Return the folder of this user's connection file, whether it exists or not.

    It is ``f2hdr`` in the folder in ``F2HDR_RUNTIME``, or else in the system's runtime folder of this user.
    """
    return os.path.join(os.environ.get("F2HDR_RUNTIME") or _system_folder(), "f2hdr")


def connection_file() -> str:
    """Return the path of the connection file, which contains address, token, version and pid of the server."""
    return os.path.join(runtime_folder(), "server.json")


def make_runtime_folder() -> str:
    """Return the runtime folder, created if needed. Raises ServerError if other users could write to it."""
    folder = runtime_folder()
    try:
        make_folders(folder, 0o700)
    except OSError as error:
        raise ServerError(
            f'The runtime folder "{folder}" could not be created: {error.strerror}.',
            hint="Set F2HDR_RUNTIME to a folder of your own.",
            path=folder,
        ) from error
    _require_private(folder)
    _require_own_way(folder)
    return folder


def read_connection_file() -> Optional[dict[str, Any]]:
    """Return the contents of the connection file, or None if it does not exist or is not valid.

    Raises ServerError if other users could write to the file.
    """
    path = connection_file()
    try:
        _require_private(path)
        with open(path, encoding="utf-8") as file:
            facts = json_value(file.read())
    except (OSError, ValueError):
        return None
    wanted = {"address": str, "token": str, "version": str, "pid": int}
    if not isinstance(facts, dict) or any(not isinstance(facts.get(name), kind) for name, kind in wanted.items()):
        return None
    return facts


def write_connection_file(facts: dict[str, Any]) -> None:
    """Write the connection file atomically, readable only by this user."""
    folder = make_runtime_folder()
    with _writing_in(folder), replacing(connection_file(), private=True) as file:
        file.write(json.dumps(facts).encode())


def remove_connection_file(pid: int) -> None:
    """Remove the connection file if it still belongs to the server with this process id."""
    facts = read_connection_file()
    if facts is not None and facts["pid"] == pid:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(connection_file())


@contextlib.contextmanager
def lock(name: str, timeout: float) -> Iterator[None]:
    """Hold the lock called ``name`` in the runtime folder; it is released when its process ends in any way.

    Raises ServerUnreachable if another process holds it for longer than ``timeout`` seconds.
    """
    folder = make_runtime_folder()
    path = os.path.join(folder, name)
    with contextlib.ExitStack() as held:
        with _writing_in(folder):
            file = held.enter_context(open(path, "a+b", buffering=0))
        end = time.monotonic() + timeout
        while not _try_lock(file):
            if time.monotonic() >= end:
                raise ServerUnreachable(
                    f'Another process has held "{path}" for {timeout:g} s.',
                    hint="If F2HDR is starting there, try again in a moment.",
                    path=path,
                )
            time.sleep(_POLL_S)
        with _writing_in(folder):
            file.truncate(0)
            file.write(b" %d" % os.getpid())  # Windows locks the first byte, so the number starts at the second
        yield


@contextlib.contextmanager
def _writing_in(folder: str) -> Iterator[None]:
    """Convert an OSError of the runtime folder to a ServerError."""
    try:
        yield
    except OSError as error:
        raise ServerError(
            f'The runtime folder "{folder}" cannot be written: {error.strerror or error}.',
            hint=f"{action_for(error)} F2HDR_RUNTIME sets another one.",
            path=folder,
        ) from error


def server_process() -> Optional[int]:
    """Return the process number of this user's running server, or None if the server's lock is free.

    Raises ServerError if the lock is held and its process number cannot be read.
    """
    path = os.path.join(runtime_folder(), SERVER_LOCK)
    if not os.path.exists(path):
        return None
    _require_private(path)
    with open(path, "r+b") as file:
        if _try_lock(file):
            return None
        file.seek(1)
        text = file.read(20)
    if not text.isdigit():
        raise ServerError(
            f'A server is running, but "{path}" does not contain its process number.',
            hint="Stop the process f2hdr serve manually.",
            path=path,
        )
    return int(text)


def _system_folder() -> str:
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA") or tempfile.gettempdir()
    for folder in (os.environ.get("XDG_RUNTIME_DIR"), f"/run/user/{os.getuid()}"):
        if folder and os.path.isdir(folder) and os.stat(folder).st_uid == os.getuid():
            return folder
    return os.path.join(tempfile.gettempdir(), f"f2hdr-{os.getuid()}")


def _require_private(path: str) -> None:
    """Raise ServerError unless ``path`` belongs to this user and no other user may write to it."""
    if sys.platform == "win32":
        return
    facts = os.lstat(path)
    if stat.S_ISLNK(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o022:
        raise ServerError(
            f'Other users can write to "{path}", so its contents cannot be trusted.',
            hint="Remove it, or set F2HDR_RUNTIME to a folder of your own.",
            path=path,
        )


def _require_own_way(folder: str) -> None:
    """Raise ServerError if another user could replace a parent of the runtime folder.

    Every parent must belong to this user or to root, and other users may only write to it if it has the sticky bit, as
    /tmp has. The user's own group may write to it.
    """
    if sys.platform == "win32":
        return
    parent = os.path.realpath(folder)
    while os.path.dirname(parent) != parent:
        parent = os.path.dirname(parent)
        facts = os.stat(parent)
        by_others = facts.st_mode & 0o002 or (facts.st_mode & 0o020 and facts.st_gid not in (0, os.getgid()))
        if facts.st_uid not in (0, os.getuid()) or (by_others and not facts.st_mode & stat.S_ISVTX):
            raise ServerError(
                f'"{folder}" cannot be trusted: another user may modify its parent "{parent}".',
                hint="Set F2HDR_RUNTIME to a folder below your home folder.",
                path=folder,
            )


def _try_lock(file: IO[bytes]) -> bool:
    """Lock without waiting; the operating system releases the lock when the file is closed or the process ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
