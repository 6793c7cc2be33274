"""The log of the command line: one file, rotated, quiet where it cannot be written."""

from __future__ import annotations

import logging
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

import platformdirs

import f2hdr_backend
from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_backend.shot.printable import printable
from f2hdr_backend.shot.safe_open import append_to, make_folders

ROTATE_BYTES = 1_000_000
"""Size from which a log file is put aside when the next command starts; one older file is kept."""
LONGEST_COMMAND = 4096
"""Maximum length of a logged command line in characters."""
FOLDER_VARIABLE = "F2HDR_LOGS"

_log = logging.getLogger("f2hdr")
_log.addHandler(logging.NullHandler())  # without one, Python prints errors of a logger on standard error


def log_folder() -> Path:
    """Return where logs are kept: ``F2HDR_LOGS``, else the user's log folder."""
    chosen = os.environ.get(FOLDER_VARIABLE, "")
    return Path(chosen).expanduser() if chosen else platformdirs.user_log_path("f2hdr", False, ensure_exists=False)


def log_file() -> Path:
    """Return the log that commands append to."""
    return log_folder() / "f2hdr.log"


def start_log() -> None:
    """Append to the log from now on. If the folder cannot be written, there is no log; this is not an error."""
    logging.raiseExceptions = False  # a full disk ends the log, and is not reported on the terminal
    _log.setLevel(logging.INFO)
    _log.propagate = False
    path = log_file()
    try:
        make_folders(path.parent)
        with suppress(OSError):  # a command that runs at the same time may have rotated it, or on Windows hold it open
            if path.stat().st_size > ROTATE_BYTES:
                os.replace(path, path.with_suffix(".1.log"))
        handler: logging.Handler = logging.StreamHandler(append_to(path))
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    _log.addHandler(handler)
    words = printable(" ".join(f'"{word}"' if " " in word else word for word in sys.argv[1:]), LONGEST_COMMAND)
    _log.info("f2hdr %s (%s, Python %s): %s", f2hdr_backend.__version__, sys.platform, platform.python_version(), words)


def log_error(error: F2HDRError) -> None:
    """Write an error to the log."""
    _log.error("%s: %s", error.code, error.message)


def log_bug(error: BaseException) -> None:
    """Write an unexpected exception to the log, with its traceback."""
    _log.error("%s", type(error).__name__, exc_info=error)
