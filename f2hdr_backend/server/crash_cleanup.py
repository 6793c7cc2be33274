"""Record on disk which folders are being written to, so that the next server removes temporary files after a crash."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from f2hdr_backend.shot.atomic import replacing, unfinished
from f2hdr_backend.shot.read_text import json_value
from f2hdr_backend.shot.safe_open import open_file

_log = logging.getLogger("f2hdr")


class FoldersInUse:
    """The folders that this process writes frames to; thread-safe."""

    def __init__(self, path: Path) -> None:
        """Remove the temporary files in the folders that the record at ``path`` lists, then start a new record."""
        self._path = path
        self._lock = Lock()
        self._folders: Counter[str] = Counter()
        _clear_up(path)

    @contextmanager
    def noted(self, folder: str) -> Iterator[None]:
        """Record ``folder`` as being written to while the block runs."""
        self._count(folder, 1)
        try:
            yield
        finally:
            self._count(folder, -1)

    def _count(self, folder: str, change: int) -> None:
        with self._lock:
            before = self._folders[folder]
            self._folders[folder] += change
            if before == 0 or before + change == 0:
                self._folders += Counter()
                self._write()

    def _write(self) -> None:
        document = {"pid": os.getpid(), "folders": list(self._folders)}
        try:
            with replacing(self._path, private=True) as file:
                file.write(json.dumps(document).encode())
        except OSError as error:  # renders continue; the next server removes fewer temporary files
            _log.warning('"%s" cannot be written: %s', self._path, error.strerror)


def _clear_up(path: Path) -> None:
    """Remove the temporary files of the process that wrote the record at ``path``, and the record.

    The folder of the record contains only records of servers, and no other server runs.
    """
    for part in unfinished(path.parent):
        with suppress(OSError):
            os.unlink(part)
    try:
        with open_file(path, own=True) as file:
            record = json_value(file.read())
        pid, folders = int(record["pid"]), [str(folder) for folder in record["folders"]]
    except (OSError, ValueError, KeyError, TypeError):
        return
    for folder in folders:
        for part in unfinished(folder, pid=pid):
            with suppress(OSError):
                os.unlink(part)
    with suppress(OSError):
        path.unlink()
