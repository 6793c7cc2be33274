"""The f2hdr command that was typed, for processes that must run the same installation."""

from __future__ import annotations

import os
import sys

NAMES = ("f2hdr", "f2hdr.exe", "f2hdr.cmd", "f2hdr-script.py")


def own_command() -> str:
    """Return the path of the f2hdr command that runs this process, else of the one in its environment; else ``""``."""
    typed = sys.argv[0]
    if os.path.basename(typed) in NAMES and os.access(typed, os.X_OK):
        return os.path.abspath(typed)
    neighbors = (os.path.join(os.path.dirname(sys.executable), name) for name in NAMES)  # never the current folder
    return next((path for path in neighbors if os.access(path, os.X_OK)), "")
