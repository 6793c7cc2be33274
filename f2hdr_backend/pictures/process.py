"""The picture process: JSON requests on standard input, answers on standard output, pictures in a mapped file.

A request line is ``{"id", "do", ...arguments}``; an answer line is ``{"id", "ok"}`` or ``{"id", "error"}``. The first
output line is ``{"event": "hello", "file", "version"}``. The process ends when its input does, so it never outlives
its window.
"""

from __future__ import annotations

import json
import mmap
import os
import sys
import tempfile
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import IO, Any, NoReturn

import psutil

import f2hdr_backend
from f2hdr_backend.pictures.display_transform import DisplayPath
from f2hdr_backend.pictures.requests import MAPPED_BYTES, Budget, Requests
from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_backend.shot.read_text import json_value

BACKGROUND = ("thumb", "scope", "clip", "fetch")
"""Requests that run in the background queue and never delay a picture."""
_SHARE_OF_MEMORY = 0.25
_LEAST_BYTES, _MOST_BYTES = 1 << 30, 16 << 30


def run() -> NoReturn:
    """Serve one window until standard input ends, then end the process without waiting for background requests."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # keeps the output of libraries out of the answers
    handle, path = tempfile.mkstemp(prefix="f2hdr-panel-", dir=_memory_folder())
    try:
        os.truncate(handle, MAPPED_BYTES)
        with mmap.mmap(handle, MAPPED_BYTES) as mapped:
            total = int(psutil.virtual_memory().total * _SHARE_OF_MEMORY)
            budget = Budget.of(min(max(total, _LEAST_BYTES), _MOST_BYTES))
            requests = Requests(mapped, budget, DisplayPath.chosen())
            lanes = _Lanes(requests, answers)
            lanes.say({"event": "hello", "file": path, "version": f2hdr_backend.__version__, "pid": os.getpid()})
            lanes.serve(sys.stdin)
    finally:
        os.close(handle)
        with suppress(OSError):
            os.unlink(path)
    os._exit(0)


class _Lanes:
    """Two threads with a queue each: foreground for the viewer, background for the rest."""

    def __init__(self, requests: Requests, answers: IO[str]) -> None:
        self._requests = requests
        self._answers = answers
        self._lock = Lock()
        self._front: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._back: SimpleQueue[dict[str, Any] | None] = SimpleQueue()

    def say(self, document: dict[str, Any]) -> None:
        """Write one line to standard output."""
        with self._lock, suppress(BrokenPipeError):
            self._answers.write(json.dumps(document) + "\n")
            self._answers.flush()

    def serve(self, lines: IO[str]) -> None:
        """Answer every line of ``lines``; returns at their end."""
        threads = [Thread(target=self._work, args=(lane,), daemon=True) for lane in (self._front, self._back)]
        for thread in threads:
            thread.start()
        for line in lines:
            request = json_value(line)
            (self._back if request["do"] in BACKGROUND else self._front).put(request)
        self._front.put(None)
        threads[0].join()

    def _work(self, lane: SimpleQueue[dict[str, Any] | None]) -> None:
        for request in iter(lane.get, None):
            number, name = request.pop("id"), request.pop("do")
            try:
                self.say({"id": number, "ok": self._requests.call(name, request)})
            except F2HDRError as error:
                self.say({"id": number, "error": error.to_json()})
            except Exception as error:
                failure = F2HDRError(f"Drawing the plate failed with {type(error).__name__}: {error}.", hint=_BUG)
                self.say({"id": number, "error": failure.to_json()})


_BUG = "This is a bug in F2HDR; attach the archive of f2hdr doctor --bundle to a report."


def _memory_folder() -> str | None:
    """Return a folder in memory if there is one, or None for the usual temporary folder."""
    return "/dev/shm" if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK) else None
