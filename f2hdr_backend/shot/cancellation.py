"""Stop a computation before it is finished: the code that computes calls :func:`check_stop` between its parts."""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any, Optional, TypeVar

from f2hdr_backend.shot.errors import Canceled

T = TypeVar("T")

WAIT_S = 0.02
"""Interval in seconds at which the request to stop is checked while a call that cannot be interrupted runs."""
_request: contextvars.ContextVar[Optional[Event]] = contextvars.ContextVar("request to stop", default=None)


@contextlib.contextmanager
def stoppable(request: Event) -> Iterator[None]:
    """Let :func:`check_stop` raise Canceled in this block once ``request`` is set."""
    before = _request.set(request)
    try:
        yield
    finally:
        _request.reset(before)


def check_stop() -> None:
    """Raise Canceled if the computation of this context is to stop."""
    request = _request.get()
    if request is not None and request.is_set():
        raise Canceled("The job was canceled.")


def with_stop(function: Callable[..., T]) -> Callable[..., T]:
    """Return ``function`` for another thread, where it obeys the request of this context."""
    request = _request.get()
    if request is None:
        return function

    @functools.wraps(function)
    def stopping(*arguments: Any) -> T:
        with stoppable(request):
            return function(*arguments)

    return stopping


def abandonable(function: Callable[[], T]) -> T:
    """Return what ``function`` returns; stop waiting for it when the computation is to stop.

    For calls into libraries that take seconds and cannot be interrupted. After a request to stop, the call ends later
    on a thread of its own and its result is dropped, so it must not write anything. Raises Canceled.
    """
    request = _request.get()
    if request is None:
        return function()
    call = _Call(function)
    call.start()
    while call.is_alive():
        call.join(WAIT_S)
        check_stop()
    result: T = call.result()
    return result


class _Call(Thread):
    """A call on a thread that the end of the process does not wait for."""

    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__(name="abandonable call", daemon=True)
        self._function = function
        self._value: Any = None
        self._error: Optional[BaseException] = None

    def run(self) -> None:
        """Call the function."""
        try:
            self._value = self._function()
        except BaseException as error:
            self._error = error

    def result(self) -> Any:
        """Return the value, or raise the error of the call."""
        if self._error is not None:
            raise self._error
        return self._value
