"""Renames and deletes files that other programs, such as virus scanners, may have open."""

from __future__ import annotations

import os
import sys
import time
from typing import Callable, Optional, Union

WAIT_S = 1.0
"""Maximum wait in seconds for programs that have the file open."""
_Path = Union[str, "os.PathLike[str]"]


def replace_file(part: _Path, path: _Path, folder: Optional[int] = None) -> None:
    """Rename ``part`` to ``path``; on Windows, retry for up to ``WAIT_S`` while another program has ``path`` open.

    Both are relative to the directory descriptor ``folder`` if that is given. Raises OSError as ``os.replace``.
    """
    _patiently(lambda: os.replace(part, path, src_dir_fd=folder, dst_dir_fd=folder))


def remove_file(path: _Path) -> None:
    """Delete ``path``; on Windows, retry as ``replace_file`` does. Raises OSError as ``os.unlink``."""
    _patiently(lambda: os.unlink(path))


def _patiently(call: Callable[[], None]) -> None:
    end = time.monotonic() + WAIT_S
    while True:
        try:
            call()
            return
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > end:
                raise
            time.sleep(0.02)
