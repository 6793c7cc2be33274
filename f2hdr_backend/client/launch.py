"""Find the server of this user, or start it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from typing import Any, Optional

import f2hdr_backend
from f2hdr_backend.client.connection import Connection
from f2hdr_backend.client.runtime import connection_file, lock, make_runtime_folder, read_connection_file
from f2hdr_backend.shot.errors import F2HDRError, ServerUnreachable, VersionMismatch

__all__ = ["backend_command", "clean_environment", "connect", "connection_file", "own_python"]

PROBE_S = 5.0
"""Seconds a server has to say that it is there."""
_POLL_S = 0.05
_HOST_VARIABLES = (
    *("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP"),
    *("LD_LIBRARY_PATH", "LD_PRELOAD", "OCIO"),
)


def backend_command(program: str = "") -> list[str]:
    """Return the words that start the backend's command line.

    They are ``program``, else the executable that ``F2HDR_BACKEND`` names, else the list in ``backend.json`` beside
    this file (installers write it), else ``f2hdr`` on the PATH. Raises ServerUnreachable if there is none.
    """
    named = program or os.environ.get("F2HDR_BACKEND")
    if named:
        return [named]
    laid = _laid_command()
    if laid:
        return laid
    found = _on_path("f2hdr")
    if found:
        return [found]
    raise ServerUnreachable(
        "F2HDR's backend cannot be found.",
        hint="Install it, or set F2HDR_BACKEND to the path of its f2hdr command.",
    )


def connect(
    *, start: bool = True, address: str = "", token: str = "", program: str = "", timeout: float = 60.0
) -> Connection:
    """Return a connection to the server of this user, started if need be, or to the one at ``address``.

    Args:
        start: whether to start a server if none runs.
        address: of a server elsewhere, ``https://host:port``; with its ``token``.
        token: as the server's owner gives it.
        program: path of the f2hdr command that starts a server; by default as ``backend_command`` finds it.
        timeout: seconds for everything, a start included.

    Raises:
        ServerUnreachable: no server answers and none could be started.
        VersionMismatch: the server is of another version than this client; names both.
    """
    if address:
        return _greeted(Connection(address, token), timeout)
    found = _running()
    if found is not None:
        return found
    if not start:
        raise ServerUnreachable(
            "No F2HDR server is running.", hint="Start one with f2hdr serve.", path=connection_file()
        )
    end = time.monotonic() + timeout
    with lock("start.lock", timeout):
        return _running() or _started(end, program)


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what hosts set for their own Python, libraries and color.

    Every client of a server sends its own ``$OCIO``. No Python below imports modules from its current folder.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _HOST_VARIABLES and not name.startswith("DYLD_")
    }
    return {**kept, "PYTHONSAFEPATH": "1"}


def own_python() -> list[str]:
    """Return the words that start this very F2HDR again; no module of the current folder is imported."""
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    code = f"import sys; sys.path.append({package!r}); from f2hdr_backend.cli.main import main; main()"
    return [sys.executable, "-P", "-c", code]


def _running() -> Optional[Connection]:
    """The server that the connection file names, or None if there is none or it is stale. Raises VersionMismatch."""
    facts = read_connection_file()
    if facts is None or not _is_alive(facts["pid"]):
        return None
    try:
        return _greeted(Connection(_address(facts), facts["token"]), PROBE_S)
    except VersionMismatch:
        raise
    except F2HDRError:
        return None


def _is_alive(pid: int) -> bool:
    """Whether a process has this number; where that cannot be asked safely (Windows), assume so."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _address(facts: dict[str, Any]) -> str:
    """The Unix socket where there is one: nobody else can stand at its place."""
    path = facts.get("socket")
    return f"unix:{path}" if isinstance(path, str) and os.path.exists(path) else str(facts["address"])


def _greeted(connection: Connection, timeout: float) -> Connection:
    """Return the connection after checking that the server has this client's version. Raises VersionMismatch."""
    answer = connection.request("GET", "/v1/info", timeout=timeout)
    theirs, ours = str(answer.get("version")), f2hdr_backend.__version__
    if theirs != ours:
        raise VersionMismatch(
            f"The F2HDR server at {connection.address} is version {theirs}, this client is {ours}.",
            hint="Install the same version on both sides; a server that runs from before the update ends with "
            "f2hdr serve --stop.",
            server=theirs,
            client=ours,
        )
    connection.version = theirs
    return connection


def _started(end: float, program: str) -> Connection:
    """Start the server and wait until it answers; ``end`` is the monotonic time to give up at."""
    log = os.path.join(make_runtime_folder(), "server.log")
    process = _launched([*backend_command(program), "serve"], log)
    while time.monotonic() < end:
        found = _running()
        if found is not None:
            return found
        code = process.poll()
        if code is not None:
            raise ServerUnreachable(
                f"The F2HDR server ended at once with exit code {code}: {_last_words(log)}",
                hint=f"See {log}.",
                path=log,
            )
        time.sleep(_POLL_S)
    raise ServerUnreachable("The F2HDR server was started but does not answer in time.", hint=f"See {log}.", path=log)


def _launched(command: list[str], log: str) -> subprocess.Popen[bytes]:
    """Start a process that outlives this one, its words going to ``log``."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        own_session = False
    else:
        flags, own_session = 0, True
    try:
        with open(log, "wb") as words:
            process = subprocess.Popen(
                command,
                env=clean_environment(),
                cwd=os.path.expanduser("~"),
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                creationflags=flags,
                start_new_session=own_session,
            )
    except OSError as error:
        raise ServerUnreachable(
            f'The backend "{command[0]}" cannot be started: {error.strerror}.',
            hint="Set F2HDR_BACKEND to the path of its f2hdr command.",
            path=command[0],
        ) from error
    threading.Thread(target=process.wait, name="f2hdr server's end", daemon=True).start()
    return process


def _on_path(name: str) -> str:
    """Return the command's path in the absolute folders of ``PATH``, never in the current folder; empty if none."""
    endings = (".exe", ".cmd", ".bat") if sys.platform == "win32" else ("",)
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if os.path.isabs(folder)]
    paths = (os.path.join(folder, name + ending) for folder in folders for ending in endings)
    return next((path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)), "")


def _laid_command() -> list[str]:
    """The words in ``backend.json`` beside this file; none if there is no such file."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "backend.json")
    try:
        with open(path, encoding="utf-8") as file:
            words = json.load(file)
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise ServerUnreachable(f'"{path}" cannot be read: {error}.', hint="Run the installer again.") from error
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise ServerUnreachable(f'"{path}" does not name the backend.', hint="Run the installer again.", path=path)
    return words


def _last_words(log: str) -> str:
    """The last line of the log, or a word that there is none."""
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file if line.strip()]
    except OSError:
        return "its log cannot be read."
    return lines[-1] if lines else "it said nothing."
