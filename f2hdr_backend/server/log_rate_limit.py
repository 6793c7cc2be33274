"""Limits the number of similar log lines per minute, so that the log cannot fill the disk."""

from __future__ import annotations

import logging
import time

MOST = 20
"""Maximum number of lines of one kind within ``PERIOD_S``."""
PERIOD_S = 60.0


class FewLines(logging.Filter):
    """Drops log records of one kind (logger and unformatted message) beyond ``MOST`` in ``PERIOD_S`` seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._began = 0.0
        self._counts: dict[tuple[str, str], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is logged."""
        now = time.monotonic()
        if now - self._began > PERIOD_S:
            self._began, self._counts = now, {}
        kind = (record.name, str(record.msg)[:80])
        self._counts[kind] = count = self._counts.get(kind, 0) + 1
        if count == MOST:
            record.msg = f"{record.msg} (further lines like this one are dropped for up to {PERIOD_S:g} s)"
        return count <= MOST


def limit_log() -> None:
    """Add the limit to every handler of the root logger, and to Python's handler of last resort."""
    few = FewLines()
    for handler in (*logging.getLogger().handlers, *logging.getLogger("f2hdr").handlers, logging.lastResort):
        if handler is not None:
            handler.addFilter(few)
