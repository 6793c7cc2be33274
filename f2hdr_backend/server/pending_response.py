"""The answer that a host waits for."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any


class PendingAnswer(Future[dict[str, Any]]):
    """The answer to a host. Canceling it, as when the host disconnects, also stops a computation in progress."""

    def __init__(self, interrupted: threading.Event) -> None:
        super().__init__()
        self._interrupted = interrupted

    def cancel(self) -> bool:
        """See Future.cancel."""
        self._interrupted.set()
        return super().cancel()
