"""The program of a decoder process (see ``decoder_processes``): runs one function at a time until its reader ends.

Started with the descriptors of requests, answers and shared memory, and the folders to which it is confined.
"""

from __future__ import annotations

import io
import mmap
import os
import pickle
import signal
import sys
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_backend.shot.limits import limit
from f2hdr_backend.shot.safe_open import confine

GRACE_S = 5
"""Seconds beyond the limit after which a decoder ends itself, in case its reader ended first."""


def main() -> None:
    """Answer requests until standard input ends."""
    requests, answers, buffer, *folders = sys.argv[1:]
    confine(folders)
    import f2hdr_backend.image.exr_pickle
    import f2hdr_backend.image.read  # noqa: F401 - the first file finds it ready

    limit_memory(limit("memory"))
    incoming = Connection(int(requests), writable=False)
    outgoing = Connection(int(answers), readable=False)
    with suppress(EOFError, OSError):  # the reader has ended
        while True:
            request = incoming.recv()
            signal.alarm(limit("seconds") + GRACE_S)
            outgoing.send(_answer(request, _Shared(int(buffer))))
            signal.alarm(0)


class _Shared:
    """Memory shared with the reader; arrays are stored consecutively."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def put(self, buffers: list[pickle.PickleBuffer]) -> list[int]:
        """Copy the buffers to the memory; return their sizes in bytes. Raises MemoryError."""
        raw = [buffer.raw() for buffer in buffers]
        sizes = [part.nbytes for part in raw]
        total = sum(sizes)
        if total:
            with self._mapped(total) as shared:
                start = 0
                for part, size in zip(raw, sizes, strict=True):
                    shared[start : start + size] = part
                    start += size
        return sizes

    def _mapped(self, size: int) -> mmap.mmap:
        """Return the memory, enlarged if necessary. Raises MemoryError."""
        try:
            if os.fstat(self._descriptor).st_size < size:
                os.ftruncate(self._descriptor, size)
            return mmap.mmap(self._descriptor, size)
        except OSError as error:
            raise MemoryError from error


def _answer(request: tuple[Any, ...], shared: _Shared) -> tuple[str, bytes, list[int]]:
    """Return the kind of the answer, its pickle, and the sizes of its arrays in the shared memory."""
    function, path, arguments, named = request
    try:
        return "value", *_packed(function(path, *arguments, **named), shared)
    except MemoryError:
        return "memory", b"", []
    except F2HDRError as error:
        error.__cause__ = error.__context__ = error.__traceback__ = None
        return "error", *_packed(error, shared)
    except Exception as error:  # a bug: raised again in the reading process, which reports it
        failure = RuntimeError(f"{type(error).__name__}: {error}")
        failure.add_note("".join(traceback.format_exception(error)))
        return "error", *_packed(failure, shared)


def _packed(value: object, shared: _Shared) -> tuple[bytes, list[int]]:
    buffers: list[pickle.PickleBuffer] = []
    stream = io.BytesIO()
    pickle.Pickler(stream, protocol=5, buffer_callback=buffers.append).dump(value)
    return stream.getvalue(), shared.put(buffers)


def limit_memory(allowed: int) -> None:
    """Limit the memory of this process to so many bytes (only Linux counts all memory that a process may write to).

    The shared memory counts as a file, so the limit of file sizes is raised as far as the user may.
    """
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if sys.platform.startswith("linux"):
        resource.setrlimit(resource.RLIMIT_DATA, (allowed if hard < 0 else min(allowed, hard), hard))
