"""Opens files that a user or a job names: only regular files, without blocking, and below the allowed folders.

A process that works for others calls :func:`confine` once. From then on a path is opened only if it is below one of
these folders after all links are resolved. The resolved path is opened component by component without following links,
so that a component cannot be replaced by a link meanwhile.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import BinaryIO, Optional, TextIO, Union

_Path = Union[str, "os.PathLike[str]"]
_WRITE = os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
BY_FOLDER = {os.open, os.mkdir, os.rename, os.unlink} <= os.supports_dir_fd
"""Whether this system can open, rename and remove files relative to a directory descriptor."""
_ALIASED = sys.platform.startswith("linux") and os.path.isdir("/proc/self/fd")
_confined: tuple[str, ...] = ()


def confine(folders: Iterable[str]) -> None:
    """Restrict this process to files below ``folders``. The root folder ``/``, or an empty list, removes the
    restriction.
    """
    global _confined
    resolved = tuple(os.path.realpath(folder) for folder in folders)
    _confined = () if any(os.path.dirname(folder) == folder for folder in resolved) else resolved


def confined_to() -> tuple[str, ...]:
    """Return the folders that this process is restricted to; none if it is unrestricted."""
    return _confined


def require_storable(path: _Path) -> str:
    """Return the path as text. Raises OSError for names that no file system can store."""
    text = os.fspath(path)
    try:
        if b"\0" in os.fsencode(text):
            raise OSError(errno.EINVAL, "its name contains a NUL character", text)
    except UnicodeEncodeError:
        raise OSError(errno.EINVAL, "its name contains an unpaired surrogate", text) from None
    return text


def open_file(path: _Path, *, own: bool = False, change: bool = False) -> BinaryIO:
    """Open an existing regular file for reading, without blocking and within the allowed folders.

    ``own`` files belong to F2HDR, such as the flow cache: they may be anywhere. With ``change`` the file can also be
    written in place.
    Raises OSError, with a reason in ``strerror``: also for pipes, devices and sockets, and for invalid names.
    """
    flags = _WRITE if change else _READ
    descriptor = os.open(require_storable(path), flags) if own else _opened(require_storable(path), flags)
    try:
        require_regular(descriptor, path)
        return os.fdopen(descriptor, "r+b" if change else "rb")
    except BaseException:
        os.close(descriptor)
        raise


def append_to(path: _Path, mode: int = 0o600) -> TextIO:
    """Open a log of F2HDR to append lines to, created with ``mode`` if missing; never through a link or to a pipe.

    Raises OSError, with a reason in ``strerror``.
    """
    descriptor = os.open(require_storable(path), _APPEND | _NO_LINK, mode)
    try:
        require_regular(descriptor, path)
        return open(descriptor, "a", encoding="utf-8", errors="backslashreplace", buffering=1)
    except BaseException:
        os.close(descriptor)
        raise


def require_regular(descriptor: int, path: _Path) -> None:
    """Raise OSError, with a reason in ``strerror``, unless an open descriptor of ``path`` is a regular file."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", os.fspath(path))


def library_path(path: _Path, file: BinaryIO) -> str:
    """Return a path of ``file``, opened by :func:`open_file`, for a library that opens files itself.

    It is valid while ``file`` is open. On systems without such paths it is ``path``.
    """
    return f"/proc/self/fd/{file.fileno()}" if _ALIASED else os.fspath(path)


def open_folder(path: str) -> Optional[int]:
    """Return a descriptor of the folder, created with its parents if missing, within the allowed folders.

    None on systems without directory descriptors. Raises OSError.
    """
    path = require_storable(path)
    if not _confined or not BY_FOLDER:
        if _confined:
            _below(os.path.realpath(path))
        make_folders(path)
        return os.open(path, _FOLDER) if BY_FOLDER else None
    root, parts = _below(os.path.realpath(path))
    folder = os.open(root, _FOLDER)
    for part in parts:
        try:
            below = _child_folder(folder, part)
        finally:
            os.close(folder)
        folder = below
    return folder


def make_folders(path: _Path, mode: int = 0o777) -> None:
    """Create a folder, of this mode, and its missing parents. Raises OSError; creates nothing if the path is too long.

    ``os.makedirs`` calls itself for each parent, and so fails at 1000 of them.
    """
    missing: list[str] = []
    at = os.fspath(path)
    while not os.path.isdir(at):
        try:
            os.mkdir(at, mode if not missing else 0o777)
        except FileNotFoundError:
            parent = os.path.dirname(at.rstrip(os.sep))
            if parent in ("", at):
                raise
            missing.append(at)
            at = parent
        except FileExistsError:
            if not os.path.isdir(at):  # else another process has just created it
                raise
    for at in reversed(missing):
        with suppress(FileExistsError):
            os.mkdir(at, mode if at == missing[0] else 0o777)


def _child_folder(folder: int, name: str) -> int:
    try:
        os.mkdir(name, dir_fd=folder)
    except FileExistsError:
        pass
    return os.open(name, _FOLDER | _NO_LINK, dir_fd=folder)


def _opened(path: str, flags: int) -> int:
    if not _confined:
        return os.open(path, flags)
    root, parts = _below(os.path.realpath(path))
    if not BY_FOLDER:
        return os.open(os.path.join(root, *parts), flags)
    folder = os.open(root, _FOLDER)
    try:
        for part in parts[:-1]:
            below = os.open(part, _FOLDER | _NO_LINK, dir_fd=folder)
            os.close(folder)
            folder = below
        return os.open(parts[-1] if parts else ".", flags | _NO_LINK, dir_fd=folder)
    finally:
        os.close(folder)


def _below(resolved: str) -> tuple[str, list[str]]:
    """Return the allowed folder of a resolved path, and the components below it."""
    for root in _confined:
        if resolved == root or resolved.startswith(root + os.sep):
            return root, [part for part in resolved[len(root) :].split(os.sep) if part]
    raise OSError(errno.EACCES, f"it is outside the allowed folders ({', '.join(_confined)})", resolved)
