"""Decode files in processes of their own: a file that crashes, hangs or floods its decoder causes one error.

The libraries that read EXR, TIFF, PNG, JPEG, camera raw and movies are large C and C++ programs. A function marked
with :func:`in_decoder_process` takes the path of such a file first. Once :func:`use_decoders` was called, it runs in a
decoder process, which has limited memory and time (limits ``memory`` and ``seconds``). Decoders are started when
needed, one for each thread that reads at the same time, and are kept for the next file. Arrays are returned through
shared memory. A decoder runs as the same user: it limits the effect of accidents and is not a sandbox.

Windows decodes in the process itself, as it has no descriptors to pass on. This module is imported by every command, so
it imports nothing slow by itself.
"""

from __future__ import annotations

import atexit
import functools
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from f2hdr_backend.shot.errors import UnreadableFrame
from f2hdr_backend.shot.limits import DEFAULTS, VARIABLE, limit
from f2hdr_backend.shot.safe_open import confined_to

if TYPE_CHECKING:
    import mmap

P = ParamSpec("P")
T = TypeVar("T")
KEPT = 4
"""Maximum number of idle decoders."""
ENDING_S = 5.0
"""Seconds in which a decoder must end after closing its pipes."""
IN_USE = sys.platform != "win32"
_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_CODE = f"import sys; sys.path.append({_PACKAGE!r}); from f2hdr_backend.image.decoder_program import main; main()"


class Decoder:
    """A decoder process. Used by one thread at a time."""

    def __init__(self) -> None:
        """Start it. Raises OSError."""
        from multiprocessing.connection import Connection

        self._buffer = _anonymous_file()
        self._map: mmap.mmap | None = None
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        try:
            passed = (requests, answers, self._buffer)
            command = [sys.executable, "-P", "-c", _CODE, *map(str, passed), *confined_to()]
            self._process = subprocess.Popen(
                command,
                pass_fds=passed,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # its threads would count as memory; nothing uses them
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # discards the output of libraries
                start_new_session=True,  # Ctrl-C is handled by the reading process
            )
        except BaseException:
            for descriptor in (self._requests, self._answers, self._buffer):
                os.close(descriptor)
            raise
        finally:
            os.close(requests)
            os.close(answers)
        self._to = Connection(self._requests, readable=False)
        self._from = Connection(self._answers, writable=False)

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def call(self, function: Callable[..., T], path: str, *arguments: Any, **named: Any) -> T:
        """Return the result of ``function(path, ...)`` in the process, or raise its exception.

        Raises UnreadableFrame if the process ends, or needs more memory or time than the limits; the process is then
        closed.
        """
        seconds = limit("seconds")
        try:
            self._to.send((function, path, arguments, named))
            if not self._from.poll(seconds):
                raise _beyond(path, "seconds", f"decoding it took longer than {seconds} s")
            kind, head, sizes = self._from.recv()
        except UnreadableFrame:
            self.close()
            raise
        except (OSError, EOFError) as error:
            raise _refused(path, f"its decoder {self._ended()}", "Check the file, or copy it again.") from error
        except BaseException:  # the pending answer must not be read as that of the next file
            self.close()
            raise
        if kind == "memory":
            raise _beyond(path, "memory", f"decoding it needs more than {limit('memory')} bytes of memory")
        value = pickle.loads(head, buffers=self._copied(sizes))
        if kind == "error":
            raise value
        result: T = value
        return result

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._ended()

    def _ended(self) -> str:
        """Wait for the process, release its resources, and return how it ended."""
        self._to.close()
        self._from.close()
        try:
            code = self._process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if self._buffer >= 0:
            os.close(self._buffer)
        self._buffer, self._map = -1, None
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def _copied(self, sizes: list[int]) -> list[Any]:
        """Copy consecutive arrays from the shared memory."""
        import mmap

        import numpy as np

        copies: list[Any] = []
        shared, start, total = self._map, 0, sum(sizes)
        if total and (shared is None or len(shared) < total):
            shared = self._map = mmap.mmap(self._buffer, os.fstat(self._buffer).st_size, prot=mmap.PROT_READ)
        for size in sizes:
            copies.append(np.frombuffer(shared, np.uint8, size, start).copy() if shared and size else b"")
            start += size
        return copies


class Decoders:
    """The decoder processes of this process; thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._idle: list[Decoder] = []

    def take(self, path: str) -> Decoder:
        """Return an unused decoder. Raises UnreadableFrame if none can be started."""
        while True:
            with self._lock:
                decoder = self._idle.pop() if self._idle else None
            if decoder is None:
                break
            if decoder.is_alive:
                return decoder
            decoder.close()
        try:
            return Decoder()
        except OSError as error:
            reason = f"its decoder cannot be started ({error.strerror})"
            raise _refused(path, reason, "Close other programs, or raise ulimit -n and ulimit -u.") from error

    def give_back(self, decoder: Decoder) -> None:
        """Keep a decoder for the next file, or close it."""
        with self._lock:
            kept = decoder.is_alive and len(self._idle) < KEPT
            if kept:
                self._idle.append(decoder)
        if not kept:
            decoder.close()

    def close(self) -> None:
        """Close all idle decoders."""
        with self._lock:
            idle, self._idle = self._idle, []
        for decoder in idle:
            decoder.close()

    def run(self, function: Callable[..., T], path: str, *arguments: Any, **named: Any) -> T:
        """Return the result of ``function(path, ...)`` in a decoder. Raises as ``Decoder.call``."""
        decoder = self.take(path)
        try:
            return decoder.call(function, path, *arguments, **named)
        finally:
            self.give_back(decoder)


_decoders: Decoders | None = None


def use_decoders() -> None:
    """Decode in decoder processes, if the system supports it."""
    global _decoders
    if IN_USE and _decoders is None:
        _decoders = Decoders()
        atexit.register(_close)
        os.register_at_fork(after_in_child=_start_anew)


def warm_up() -> None:
    """Start a decoder, if this process uses them, while the caller imports modules."""
    if _decoders is not None:
        _decoders.give_back(_decoders.take(""))


def decoders() -> Decoders | None:
    """Return the decoders of this process, or None if it decodes itself."""
    return _decoders


def in_decoder_process(function: Callable[P, T]) -> Callable[P, T]:
    """Mark a function of a module whose first argument is the path of a file that it decodes."""

    @functools.wraps(function)
    def run(*arguments: P.args, **named: P.kwargs) -> T:
        if _decoders is None:
            return function(*arguments, **named)
        path, *others = arguments
        return _decoders.run(run, os.fspath(path), *others, **named)  # type: ignore[call-overload]

    return run


def _close() -> None:
    """Close the decoders at the end of the program, whose work is done: Ctrl-C no longer stops anything."""
    if _decoders is not None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _decoders.close()


def _start_anew() -> None:
    """Discard the decoders in a forked process, because they belong to its parent."""
    global _decoders
    if _decoders is not None:
        _decoders = Decoders()


def _anonymous_file() -> int:
    """Return the descriptor of an unnamed file, in memory if the system supports it."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("f2hdr-decoder")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _beyond(path: str, name: str, reason: str) -> UnreadableFrame:
    wanted = max(2 * limit(name), DEFAULTS[name])
    return _refused(path, reason, f"If the file is valid, set {VARIABLE}={name}={wanted}.")


def _refused(path: str, reason: str, action: str) -> UnreadableFrame:
    return UnreadableFrame(f'"{path}" cannot be read: {reason}.', hint=action, path=path)
