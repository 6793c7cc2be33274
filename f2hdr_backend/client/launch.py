"""Finds the server of this user, or starts it."""

from __future__ import annotations

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
from f2hdr_backend.shot.read_text import json_value

__all__ = ["backend_command", "clean_environment", "connect", "connection_file", "own_python"]

PROBE_S = 5.0
"""Seconds to wait for the response of a running server."""
_POLL_S = 0.05
_HOST_VARIABLES = (
    *("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP"),
    *("LD_LIBRARY_PATH", "LD_PRELOAD", "OCIO"),
)


def backend_command(program: str = "") -> list[str]:
    """Return the start of the backend's command line.

    It is ``program``, or else the executable in ``F2HDR_BACKEND``, or else the list in ``backend.json`` in this file's
    folder (written by installers), or else ``f2hdr`` on the PATH. Raises ServerUnreachable if there is none.
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
        "The F2HDR backend was not found.",
        hint="Install it, or set F2HDR_BACKEND to the path of its f2hdr command.",
    )


def connect(
    *, start: bool = True, address: str = "", token: str = "", program: str = "", timeout: float = 60.0
) -> Connection:
    """Return a connection to the server of this user, started if needed, or to the server at ``address``.

    Args:
        start: whether to start a server if none is running.
        address: of a remote server, ``https://host:port``; requires ``token``.
        token: the token in the remote server's connection file.
        program: path of the f2hdr command that starts a server; by default that of ``backend_command``.
        timeout: seconds for the whole call, including the start of a server.

    Raises:
        ServerUnreachable: no server responds and none could be started.
        VersionMismatch: server and client have different versions; the message names both.
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
    """Return this process's environment without the variables that hosts set for their own Python, libraries and color.

    Each client sends its own ``$OCIO`` to the server. Python processes started with it do not import modules from their
    current folder.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _HOST_VARIABLES and not name.startswith("DYLD_")
    }
    return {**kept, "PYTHONSAFEPATH": "1"}


def own_python() -> list[str]:
    """Return the command line that starts this installation of F2HDR; it imports no module of the current folder."""
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    code = f"import sys; sys.path.append({package!r}); from f2hdr_backend.cli.main import main; main()"
    return [sys.executable, "-P", "-c", code]


def _running() -> Optional[Connection]:
    """Return a connection to the server in the connection file, or None if there is none or it is stale.

    Raises VersionMismatch.
    """
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
    """Return whether a process with this number exists; always true on Windows, where it cannot be checked safely."""
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
    """Return the Unix socket if there is one, because no other user can replace it, or else the network address."""
    path = facts.get("socket")
    return f"unix:{path}" if isinstance(path, str) and os.path.exists(path) else str(facts["address"])


def _greeted(connection: Connection, timeout: float) -> Connection:
    """Return the connection after checking that the server has this client's version. Raises VersionMismatch."""
    answer = connection.request("GET", "/v1/info", timeout=timeout)
    theirs, ours = str(answer.get("version")), f2hdr_backend.__version__
    if theirs != ours:
        raise VersionMismatch(
            f"The F2HDR server at {connection.address} has version {theirs}, but this client has version {ours}.",
            hint="Install the same version on both sides. If the server was started before an update, stop it with "
            "f2hdr serve --stop.",
            server=theirs,
            client=ours,
        )
    connection.version = theirs
    return connection


def _started(end: float, program: str) -> Connection:
    """Start the server and wait until it responds; ``end`` is the monotonic time of the timeout."""
    log = os.path.join(make_runtime_folder(), "server.log")
    process = _launched([*backend_command(program), "serve"], log)
    while time.monotonic() < end:
        found = _running()
        if found is not None:
            return found
        code = process.poll()
        if code is not None:
            raise ServerUnreachable(
                f"The F2HDR server exited at once with code {code}: {_last_words(log)}",
                hint=f"See {log}.",
                path=log,
            )
        time.sleep(_POLL_S)
    raise ServerUnreachable("The F2HDR server was started but does not answer in time.", hint=f"See {log}.", path=log)


def _launched(command: list[str], log: str) -> subprocess.Popen[bytes]:
    """Start a process that outlives this one, with its output written to ``log``."""
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
    """Return the command in ``backend.json`` in this file's folder; empty if there is no such file."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "backend.json")
    try:
        with open(path, encoding="utf-8") as file:
            words = json_value(file.read())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise ServerUnreachable(f'"{path}" cannot be read: {error}.', hint="Run the installer again.") from error
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise ServerUnreachable(
            f'"{path}" does not contain the command of the backend.', hint="Run the installer again.", path=path
        )
    return words


def _last_words(log: str) -> str:
    """Return the last line of the log, or a note that there is none."""
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file if line.strip()]
    except OSError:
        return "its log cannot be read."
    return lines[-1] if lines else "its log is empty."
