"""Renames a finished file to its final name while other programs may have the existing file open."""

from __future__ import annotations

import os
import sys
import time
from typing import Optional, Union

WAIT_S = 1.0
"""Maximum wait in seconds for programs that have the old file open."""
_Path = Union[str, "os.PathLike[str]"]


def replace_file(part: _Path, path: _Path, folder: Optional[int] = None) -> None:
    """Rename ``part`` to ``path``; on Windows, retry for up to ``WAIT_S`` while another program has ``path`` open.

    Both are relative to the directory descriptor ``folder`` if that is given. Raises OSError as ``os.replace``.
    """
    end = time.monotonic() + WAIT_S
    while True:
        try:
            os.replace(part, path, src_dir_fd=folder, dst_dir_fd=folder)
            return
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > end:
                raise
            time.sleep(0.02)
