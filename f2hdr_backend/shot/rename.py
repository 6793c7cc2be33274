"""Putting a finished file into its place while others may be reading the one that is there."""

from __future__ import annotations

import os
import sys
import time
from typing import Union

WAIT_S = 1.0
"""Seconds that whoever has the old file open is waited for."""
_Path = Union[str, "os.PathLike[str]"]


def replace_file(part: _Path, path: _Path) -> None:
    """Rename ``part`` to ``path``; on Windows whoever has ``path`` open at that moment is waited for.

    Raises OSError as ``os.replace``.
    """
    end = time.monotonic() + WAIT_S
    while True:
        try:
            os.replace(part, path)
            return
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > end:
                raise
            time.sleep(0.02)
