"""Write a file atomically: other programs see the old file or the complete new one, never a part of it."""

from __future__ import annotations

import errno
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, Optional, Union

from f2hdr_backend.shot.errors import UnwritableFrame
from f2hdr_backend.shot.rename import replace_file
from f2hdr_backend.shot.safe_open import BY_FOLDER, make_folders, open_folder, require_storable
from f2hdr_backend.shot.system_errors import action_for

_Path = Union[str, "os.PathLike[str]"]
_FLAGS = (
    os.O_RDWR
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<pid>[0-9]+)-[0-9a-f]{16}\.part", re.DOTALL)
_LONGEST_STEM = 200
"""Maximum bytes of the file's own name in the temporary name, which must not exceed 255 bytes."""
_open_now: set[tuple[str, Optional[int]]] = set()
"""Temporary files that are being written: name, and descriptor of the folder."""


@contextmanager
def replacing(path: _Path, *, private: bool = False, durable: bool = True) -> Iterator[BinaryIO]:
    """Yield an open binary file (readable, seekable) that becomes ``path`` if the block ends without an exception.

    The file has an unpredictable temporary name in the folder of ``path``, which must exist, and is created without
    following links. If the block fails it is removed, and ``path`` is unchanged. ``private`` sets file mode 600.
    ``durable`` waits until the bytes are on the disk; only then do network file systems report a full disk. On Windows
    the rename waits for programs that have ``path`` open.

    Raises OSError.
    """
    parent, name = os.path.split(os.fspath(path))
    parent = parent or os.curdir
    folder = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if BY_FOLDER else None
    with _replacing(folder, parent, name, 0o600 if private else 0o666, durable) as file:
        yield file


@contextmanager
def atomic_file(path: _Path) -> Iterator[BinaryIO]:
    """Yield an open file as :func:`replacing` does; missing folders are created.

    For files named by a user or a job: see :func:`f2hdr_backend.shot.safe_open.confine`.
    Raises UnwritableFrame, with an action, for any OSError of the block: only write this file inside it.
    """
    try:
        parent, name = os.path.split(require_storable(path))
        parent = parent or os.curdir
        with _replacing(open_folder(parent), parent, name, 0o666, True) as file:
            yield file
    except OSError as error:
        raise unwritable(path, error) from error


def write_file(path: _Path, content: Union[str, bytes, memoryview]) -> None:
    """Write a whole file atomically, text as UTF-8; missing folders are created. Raises UnwritableFrame."""
    with atomic_file(path) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


def require_writable(path: _Path) -> None:
    """Raise UnwritableFrame unless a file can be written at ``path``. Creates missing folders, but not the file."""
    parent = os.path.dirname(os.path.abspath(path))
    try:
        make_folders(parent)
        with tempfile.TemporaryFile(dir=parent):
            pass
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: _Path, error: OSError) -> UnwritableFrame:
    """Return the error with the reason why ``path`` cannot be written, and an action."""
    reason = error.strerror or str(error)
    name = os.fspath(path)
    return UnwritableFrame(f'"{name}" cannot be written: {reason}.', hint=action_for(error), path=name)


def remove_unfinished() -> None:
    """Remove the temporary files that this process is writing, before it exits without waiting for its threads."""
    for part, folder in list(_open_now):
        with suppress(OSError):
            os.unlink(part, dir_fd=folder)


def unfinished(folder: _Path, *, name: Optional[str] = None, pid: Optional[int] = None) -> list[str]:
    """Return the temporary files that killed processes left in ``folder`` as sorted paths.

    ``name`` selects those of the file with that name, ``pid`` those of one process. A folder that cannot be
    listed has none.
    """
    with suppress(OSError):
        matches = ((entry, _TEMPORARY.fullmatch(entry)) for entry in os.listdir(folder))
        return sorted(
            os.path.join(folder, entry)
            for entry, match in matches
            if match and (name is None or match["name"] == _stem(name)) and (pid is None or match["pid"] == str(pid))
        )
    return []


def _temporary_name(name: str) -> str:
    return f".{_stem(name)}.{os.getpid()}-{secrets.token_hex(8)}.part"


def _stem(name: str) -> str:
    return os.fsencode(name)[:_LONGEST_STEM].decode("utf-8", "ignore")


@contextmanager
def _replacing(folder: Optional[int], parent: str, name: str, mode: int, durable: bool) -> Iterator[BinaryIO]:
    """Write below the directory descriptor ``folder``, which is closed afterwards; if it is None, below ``parent``."""
    part, target = _temporary_name(name), name
    if folder is None:
        part, target = os.path.join(parent, part), os.path.join(parent, target)
    try:
        _open_now.add((part, folder))
        descriptor = os.open(part, _FLAGS, mode, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield file
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            replace_file(part, target, folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(part, dir_fd=folder)
            raise
    finally:
        _open_now.discard((part, folder))
        if folder is not None:
            os.close(folder)
