"""The frames that a host passes with a request, and the place of the result: buffer files or memory files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from f2hdr_backend.server.buffers import Buffer, overwrite_buffer, write_buffer
from f2hdr_backend.server.crash_cleanup import FoldersInUse
from f2hdr_backend.server.kept_frames import KeptFrames
from f2hdr_backend.server.memory_files import MemoryFile
from f2hdr_backend.server.requests import FrameRequest
from f2hdr_backend.server.roots import Roots
from f2hdr_backend.shot.errors import DocumentError


class Exchange(Protocol):
    """The pixels of one request."""

    def window(self) -> AbstractContextManager[Sequence[Buffer]]:
        """Return previous, reference and next for the duration of a block; they must not be modified.

        Raises UnreadableFrame.
        """

    def write(self, result: Buffer) -> None:
        """Write the result. Raises UnwritableFrame."""


@dataclass(frozen=True)
class FileExchange:
    """Buffer files; their paths are checked again before they are used."""

    request: FrameRequest
    roots: Roots
    ledger: FoldersInUse
    frames: KeptFrames

    @contextmanager
    def window(self) -> Iterator[Sequence[Buffer]]:
        """See :class:`Exchange`."""
        with self.frames.lent([self.roots.allow(path) for path in self.request.buffers]) as buffers:
            yield buffers

    def write(self, result: Buffer) -> None:
        """See :class:`Exchange`."""
        target = self.roots.allow(self.request.output)
        if not overwrite_buffer(target, result):
            with self.ledger.noted(os.path.dirname(target)):
                write_buffer(target, result)


class MemoryExchange:
    """Memory files, named by their place among the passed ones."""

    def __init__(self, request: FrameRequest, passed: Sequence[MemoryFile]) -> None:
        """Raises DocumentError if a name is not that of a passed file."""
        self._window = [_named(name, passed) for name in request.buffers]
        self._output = _named(request.output, passed)

    @contextmanager
    def window(self) -> Iterator[Sequence[Buffer]]:
        """See :class:`Exchange`."""
        yield [file.frame() for file in self._window]

    def write(self, result: Buffer) -> None:
        """See :class:`Exchange`."""
        self._output.write(result)


def _named(name: str, passed: Sequence[MemoryFile]) -> MemoryFile:
    place = int(name.partition(":")[2])
    if place >= len(passed):
        raise DocumentError(
            f'The request names "{name}", but {len(passed)} files were passed with it.',
            hint="Pass open memory files with the request, over the Unix socket.",
            field="buffers",
        )
    return passed[place]
