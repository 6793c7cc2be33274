"""Cache of flows on disk, by content: one file each in a folder of limited size that processes share.

There is no index. A file's name is its key, its modification time is the time of its last use, and its first bytes are
the checksum of the rest; any process may therefore be killed at any time. Opening the cache does not import torch.
"""

from __future__ import annotations

import errno
import hmac
import os
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from f2hdr_backend.shot.atomic import replacing
from f2hdr_backend.shot.events import Warned
from f2hdr_backend.shot.limits import limit
from f2hdr_backend.shot.safe_open import make_folders, open_file
from f2hdr_backend.shot.sizes import parse_size

FOLDER_VARIABLE = "F2HDR_CACHE"
LIMIT_VARIABLE = "F2HDR_CACHE_SIZE"
SHARED_VARIABLE = "F2HDR_CACHE_SHARED"
"""1 accepts the flows of every user who can write to the folder; otherwise flows of other users are misses."""
DEFAULT_LIMIT = 20 * 10**9
"""Bytes; about 10,000 flows at 1080p, which are those of 5,000 frames."""
FULL_SHARE = 7 / 8
"""Share of the limit that is in use after the least recently used flows were removed."""
UNSEEN_SHARE = 1 / 32
"""Share of the limit that a process writes between two scans of the folder; four processes stay within the limit."""
STALE_S = 3600.0
"""Age in seconds from which an unfinished file is assumed to belong to a killed process."""

_MAGIC = b"F2HDRFL2"
_DIGEST_BYTES = 32
_KEY_BYTES = 32
_HEADER_BYTES = len(_MAGIC) + _DIGEST_BYTES
_MOST_BYTES_PER_PIXEL = 8
"""A larger file cannot be a flow: two values of 2 bytes per pixel, compressed."""
_NAME = re.compile(r"[0-9a-f]{64}\.flow")
_UNFINISHED = re.compile(r"\.[0-9a-f]{64}\.flow\.[0-9a-f-]+\.part")


@dataclass(frozen=True)
class Contents:
    """Number and size of the flows in a cache."""

    flows: int
    bytes: int


@dataclass(frozen=True)
class _File:
    path: str
    bytes: int
    used_ns: int
    finished: bool

    @property
    def stale(self) -> bool:
        """Whether a killed process left this unfinished file."""
        return not self.finished and time.time() - self.used_ns / 1e9 > STALE_S


def cache_folder() -> Path:
    """Return the folder of the cache: ``F2HDR_CACHE``, or else the user's cache folder of F2HDR."""
    chosen = os.environ.get(FOLDER_VARIABLE, "")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("f2hdr", False)


def cache_limit() -> int:
    """Return the maximum size of all flows in bytes: ``F2HDR_CACHE_SIZE``, or else 20 GB. 0 disables the cache.

    Raises:
        DocumentError: ``F2HDR_CACHE_SIZE`` is not a size.
    """
    text = os.environ.get(LIMIT_VARIABLE, "").strip()
    if not text:
        return DEFAULT_LIMIT
    return parse_size(text, LIMIT_VARIABLE)


def open_cache() -> FlowCache:
    """Return the cache that the environment selects; creates nothing on disk.

    Raises:
        DocumentError: ``F2HDR_CACHE_SIZE`` is not a size.
    """
    return FlowCache(cache_folder(), cache_limit())


class FlowCache:
    """Byte strings by key, in files below ``folder``; safe for threads and processes, also on network folders.

    Errors never stop a render: an unreadable file is a miss, a flow that cannot be written is not cached, and
    :meth:`take_notices` returns warnings.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        """``limit`` is in bytes; 0 disables the cache."""
        self.folder = folder
        self.limit = limit
        self._flows = folder / "flows"
        self._secret: bytes | None = None
        self._unseen: int | None = None
        self._notices: dict[str, Warned] = {}
        self._noticing = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """Return the value of ``key`` (64 hexadecimal digits), or None; a damaged file is removed and is a miss."""
        if not self.limit:
            return None
        path = self._path(key)
        try:
            with open_file(path, own=True) as file:
                largest = limit("pixels") * _MOST_BYTES_PER_PIXEL
                content = file.read(largest) if os.fstat(file.fileno()).st_size <= largest else b""
            self._key()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._cannot_be_used("read", error)
            return None
        payload = content[_HEADER_BYTES:]
        if not hmac.compare_digest(content[:_HEADER_BYTES], _header(key, payload, self._key())):
            self.drop(key)
            return None
        with suppress(OSError):  # the folder may be read-only
            os.utime(path)
        return payload

    def put(self, key: str, payload: bytes) -> None:
        """Store ``payload`` under ``key``; removes the least recently used flows if the limit would be exceeded."""
        size = _HEADER_BYTES + len(payload)
        if size > self.limit:
            if self.limit:
                self._notice(
                    "flow_cache",
                    f"{LIMIT_VARIABLE} is less than the size of one flow, {size} bytes; flows are not cached.",
                )
            return
        try:
            self._make_room(size)
            self._write(self._path(key), _header(key, payload, self._key()) + payload)
        except OSError as error:
            self._cannot_be_used("written", error)

    def drop(self, key: str) -> None:
        """Remove the damaged flow stored under ``key``."""
        _remove(str(self._path(key)))
        self._notice("flow_cache_damaged", f'A cached flow in "{self.folder}" was damaged and is computed again.')

    def take_notices(self) -> list[Warned]:
        """Return the warnings since the last call, each kind once."""
        with self._noticing:
            notices, self._notices = self._notices, {}
        return list(notices.values())

    def contents(self) -> Contents:
        """Return the current number and size of the flows."""
        files = list(self._files())
        return Contents(sum(file.finished for file in files), sum(file.bytes for file in files))

    def clear(self) -> Contents:
        """Remove every flow and the files of killed processes; return what was removed. Other files are not touched."""
        gone = [file for file in self._files() if (file.finished or file.stale) and _remove(file.path)]
        return Contents(sum(file.finished for file in gone), sum(file.bytes for file in gone))

    def _key(self) -> bytes:
        if self._secret is None:
            self._secret = _secret()
        return self._secret

    def _path(self, key: str) -> Path:
        return self._flows / key[:2] / f"{key}.flow"

    def _write(self, path: Path, content: bytes) -> None:
        """Write atomically without waiting for the disk: the checksum detects files that a power failure damaged."""
        make_folders(path.parent)
        with replacing(path, durable=False) as file:
            file.write(content)

    def _make_room(self, size: int) -> None:
        """Remove the least recently used flows if needed; scans the folder once per ``UNSEEN_SHARE`` written bytes."""
        if self._unseen is not None and self._unseen + size <= self.limit * UNSEEN_SHARE:
            self._unseen += size
            return
        self._unseen = size
        files = list(self._files())
        for file in files:
            if file.stale:
                _remove(file.path)
        finished = sorted((file for file in files if file.finished), key=lambda file: file.used_ns)
        total = size + sum(file.bytes for file in files if not file.stale)  # including files that others are writing
        for file in finished:
            if total <= self.limit * FULL_SHARE:
                return
            total -= file.bytes * _remove(file.path)

    def _files(self) -> Iterator[_File]:
        """Yield the cache's own files, finished or not; ignores others in the folder."""
        for folder in _listed(self._flows):
            for entry in _listed(folder.path):
                finished = bool(_NAME.fullmatch(entry.name))
                if finished or _UNFINISHED.fullmatch(entry.name):
                    with suppress(OSError):  # another process has removed it
                        status = entry.stat(follow_symlinks=False)
                        yield _File(entry.path, status.st_size, status.st_mtime_ns, finished)

    def _cannot_be_used(self, verb: str, error: OSError) -> None:
        self._notice(
            "flow_cache",
            f'Flows in "{self.folder}" cannot be {verb}: {error.strerror or error}. The render continues without '
            "the cache; "
            f"set {FOLDER_VARIABLE} to another folder, or {LIMIT_VARIABLE}=0 to disable the cache.",
        )

    def _notice(self, code: str, message: str) -> None:
        with self._noticing:
            self._notices[code] = Warned(code, message)


def _header(key: str, payload: bytes, secret: bytes) -> bytes:
    """Return the first bytes of a file; they also authenticate its key, so that a renamed file is a miss."""
    return _MAGIC + hmac.digest(secret, key.encode() + payload, "sha256")


def _secret() -> bytes:
    """Return the key that authenticates flows: this user's, created on first use, or a public one for a shared cache.

    Raises OSError if the key cannot be stored.
    """
    if os.environ.get(SHARED_VARIABLE, "") == "1":
        return b"shared"
    path = platformdirs.user_data_path("f2hdr", False) / "cache.key"
    for _ in range(2):
        with suppress(FileNotFoundError), open_file(path, own=True) as file:
            key = file.read(_KEY_BYTES)
            if len(key) == _KEY_BYTES:
                return key
        make_folders(path.parent)
        with replacing(path, private=True) as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
    raise OSError(errno.EIO, "the key of the cache cannot be stored", str(path))


def _listed(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # missing, not a folder, or removed by another process
        return []


def _remove(path: str) -> bool:
    """Remove a file and return whether it was removed here; another process may have removed it, or have it open."""
    try:
        os.unlink(path)
    except OSError:
        return False
    return True
