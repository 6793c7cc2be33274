"""The real backend for hosts: an executable of this checkout, with a temporary runtime folder."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Backend:
    """``command`` is the f2hdr executable; ``env`` is the environment in which a host's process finds its server."""

    command: Path
    env: dict[str, str]

    def server(self) -> int | None:
        """The process id of the server that was started, if one runs."""
        path = Path(self.env["F2HDR_RUNTIME"]) / "f2hdr" / "server.json"
        return json.loads(path.read_text())["pid"] if path.exists() else None

    def wait_for_server(self, seconds: float = 60) -> int:
        """Wait until there is a server; returns its process id."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.server()
            if found is not None:
                return found
            time.sleep(0.05)
        raise AssertionError("no server was started")

    def end(self) -> None:
        """End the server, if one runs."""
        found = self.server()
        if found is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(found, signal.SIGTERM)


def make_backend(folder: Path) -> Backend:
    """Return a backend whose server does not run yet."""
    folder.mkdir(parents=True, exist_ok=True)
    command = folder / "f2hdr"
    lines = [
        f"#!{sys.executable}",
        f"import sys; sys.path.insert(0, {str(ROOT)!r})",
        "from f2hdr_backend.cli.main import main",
        "main()",
    ]
    command.write_text("\n".join(lines) + "\n")
    command.chmod(0o755)
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    env = {
        "F2HDR_RUNTIME": str(runtime),
        "F2HDR_BACKEND": str(command),
        "F2HDR_CACHE": str(folder / "cache"),
        "OMP_NUM_THREADS": "1",
    }
    return Backend(command, env)


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """One backend for all tests that leave its server as it was."""
    made = make_backend(tmp_path_factory.mktemp("backend é"))
    yield made
    made.end()


@pytest.fixture
def cold_backend(tmp_path: Path) -> Iterator[Backend]:
    """A backend of the test's own, whose server does not run yet."""
    made = make_backend(tmp_path / "own backend")
    yield made
    made.end()
