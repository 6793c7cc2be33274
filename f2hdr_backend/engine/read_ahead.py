"""Frames of a plate, made ready ahead of use; each once, however many windows share it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")

AHEAD = 2
"""Windows whose frames are read before they are asked for, by one reader; each further one reads one more."""


class ReadAhead(Generic[T]):
    """What ``read`` gives for the frames of a list of windows, taken in order."""

    def __init__(self, read: Callable[[int], T], windows: Sequence[tuple[int, int, int]], readers: int = 1) -> None:
        self._read = read
        self._windows = list(windows)
        self._taken = 0
        self._held: dict[int, Future[T]] = {}
        self._ahead = AHEAD + readers - 1
        self._reader = ThreadPoolExecutor(readers, "read-ahead")

    def __enter__(self) -> ReadAhead[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.shutdown(cancel_futures=True)

    def take(self, window: tuple[int, int, int]) -> tuple[T, T, T]:
        """The frames of the next window; frames that no coming window needs are let go.

        Raises:
            UnreadableFrame: from the plate.
        """
        coming = self._windows[self._taken : self._taken + 1 + self._ahead]
        for number in (number for near in coming for number in near):
            if number not in self._held:
                self._held[number] = self._reader.submit(self._read, number)
        previous, reference, following = (self._held[number].result() for number in window)
        self._taken += 1
        needed = {number for near in self._windows[self._taken : self._taken + self._ahead] for number in near}
        for number in set(self._held) - needed:
            del self._held[number]
        return previous, reference, following
