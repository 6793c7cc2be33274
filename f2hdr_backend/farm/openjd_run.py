"""Runs a bundle on this machine with ``openjd run``: several sessions in parallel, with retries of failed chunks.

``openjd run`` alone runs a step's tasks in order and stops at the first failure. Its output is written to files,
because it blocks forever on a pipe that nobody reads.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from f2hdr_backend.farm.job import FarmJob, chunks, span
from f2hdr_backend.farm.report import ChunkDone, ChunkFailed, ChunkRetried, failures_in, family
from f2hdr_backend.farm.schedulers.openjd import TEMPLATE_FILE, parameters
from f2hdr_backend.shot.errors import ShotError
from f2hdr_backend.shot.events import Event

LOGS = "logs"
"""Folder of the sessions' logs inside the bundle's folder."""


@dataclass
class Sessions:
    """``openjd run`` processes of one job; leaving the context stops those that are still running."""

    job: FarmJob
    folder: Path
    """Folder of the bundle."""
    rules: str = ""
    """Path of the path mapping rules file; empty for none."""
    _running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    _stopped: bool = False

    def __post_init__(self) -> None:
        if find_spec("openjd") is None or find_spec("openjd.cli") is None:
            raise ShotError("openjd is not installed here.", hint='Run: pip install "f2hdr[farm]"')
        (self.folder / LOGS).mkdir(exist_ok=True)

    def __enter__(self) -> Sessions:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        for process in list(self._running):
            with suppress(ProcessLookupError):
                process.terminate()

    def step(self, name: str, frames: str = "") -> str:
        """Run one step, or one task of it; return the reason of a failure, or an empty text."""
        log = self.folder / LOGS / f"{name.lower()}{f'-{frames}' if frames else ''}.log"
        log.unlink(missing_ok=True)
        with log.open("xb") as output:  # never through a link, which another user may have put there
            process = subprocess.Popen(self._command(name, frames), stdout=output, stderr=subprocess.STDOUT)
            self._running.add(process)
            if self._stopped:
                process.terminate()
            code = process.wait()
            self._running.discard(process)
        return "" if code == 0 else _reason(log, code)

    def _command(self, name: str, frames: str) -> list[str]:
        values = [f"-p{key}={value}" for key, value in parameters(self.job).items()]
        task = ["--tasks", json.dumps([{"Frame": frames}])] if frames else []
        mapping = ["--path-mapping-rules", f"file://{os.path.abspath(self.rules)}"] if self.rules else []
        openjd = [sys.executable, "-P", "-m", "openjd", "run", str(self.folder / TEMPLATE_FILE)]
        return [*openjd, "--step", name, *values, *task, *mapping]


def run(sessions: Sessions, workers: int) -> Iterator[Event]:
    """Prepare the Shot, render its chunks in ``workers`` parallel sessions, then run the steps that need all chunks.

    A chunk that fails in every attempt yields ChunkFailed, and the later steps are not run. Raises F2HDRError if
    another step fails.
    """
    failures: list[ChunkFailed] = []
    with ThreadPoolExecutor(workers) as pool, sessions:
        _require(sessions, "Prepare")
        try:
            yield from failures_in(_Chunks(sessions, pool).events(), failures)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        for step in () if failures else ("Check", "Convert") if sessions.job.convert_to else ("Check",):
            _require(sessions, step)


def _require(sessions: Sessions, step: str) -> None:
    """Run a step. Raises F2HDRError with the reason if it fails."""
    reason = sessions.step(step)
    if reason:
        code, message = _code(reason)
        raise family(code)(message, hint=f"The log is {sessions.folder / LOGS / step.lower()}.log.")


class _Chunks:
    """The chunks of a job, run in a pool of sessions and retried."""

    def __init__(self, sessions: Sessions, pool: ThreadPoolExecutor) -> None:
        self._sessions = sessions
        self._pool = pool
        self._tries: dict[Future[tuple[str, float]], tuple[str, int]] = {}
        parts = chunks(sessions.job.frames, sessions.job.chunk)
        self._total = len(parts)
        self._done = 0
        for part in parts:
            self._start(span(part), 1)

    def events(self) -> Iterator[Event]:
        while self._tries:
            finished, _ = wait(self._tries, return_when=FIRST_COMPLETED)
            for future in finished:
                yield self._ended(future)

    def _start(self, frames: str, tries: int) -> None:
        self._tries[self._pool.submit(_timed, self._sessions, frames)] = (frames, tries)

    def _ended(self, future: Future[tuple[str, float]]) -> Event:
        frames, tries = self._tries.pop(future)
        reason, seconds = future.result()
        if not reason:
            self._done += 1
            return ChunkDone(frames, seconds, "openjd run", self._done, self._total)
        code, message = _code(reason)
        if tries > self._sessions.job.retries:
            return ChunkFailed(frames, tries, code, message)
        self._start(frames, tries + 1)
        return ChunkRetried(frames, tries, message)


def _timed(sessions: Sessions, frames: str) -> tuple[str, float]:
    began = time.monotonic()
    return sessions.step("Reconstruct", frames), time.monotonic() - began


def _reason(log: Path, code: int) -> str:
    """Return the failure message of a task, or where its log is."""
    said = re.findall(r"openjd_fail: (.*)", log.read_text(encoding="utf-8", errors="replace"))
    return said[-1] if said else f"openjd run ended with code {code}; its log is {log}."


def _code(reason: str) -> tuple[str, str]:
    """Split ``missing_frames: 2 frames of ...`` into code and message."""
    found = re.match(r"([a-z_]+): (.*)", reason)
    return (found[1], found[2]) if found else ("", reason)
