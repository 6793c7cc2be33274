"""Reads and prepares frames of a plate ahead, each frame once for all windows and devices."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")
P = TypeVar("P")


def read_each(read: Callable[[int], T], numbers: Iterable[int], readers: int = 1) -> Iterator[T]:
    """Yield the result of ``read`` for each frame, in order; ``readers`` threads read ahead, and one more frame
    waits.
    """
    with ThreadPoolExecutor(readers, "read-ahead") as reader:
        coming: deque[Future[T]] = deque()
        try:
            for number in numbers:
                coming.append(reader.submit(read, number))
                if len(coming) > readers + 1:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            reader.shutdown(cancel_futures=True)


class ReadAhead(Generic[T, P]):
    """Prepares windows from their frames: ``prepare`` receives the results of ``read``.

    Frames are read in the order of the windows; several readers read in parallel. Windows may be taken in any
    order, each once, from any thread; a frame is released when the last of its windows is taken.
    """

    def __init__(
        self,
        read: Callable[[int], T],
        windows: Sequence[tuple[int, ...]],
        *,
        ahead: int,
        readers: int,
        prepare: Callable[[list[T]], P],
        makers: int = 0,
    ) -> None:
        """``ahead`` windows are prepared beyond the last one that was taken, by ``readers`` and ``makers`` threads.

        Without makers a window is prepared when it is taken.
        """
        self._read = read
        self._prepare = prepare
        self._windows = windows
        self._ahead = ahead
        self._asked = 0
        self._uses = Counter(number for window in windows for number in set(window))
        self._frames: dict[int, Future[T]] = {}
        self._prepared: dict[int, Future[P]] = {}
        self._changing = Lock()
        self._reader = ThreadPoolExecutor(readers, "read-ahead")
        self._maker = ThreadPoolExecutor(makers, "make-ahead") if makers else None

    def __enter__(self) -> ReadAhead[T, P]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.shutdown(cancel_futures=True)
        if self._maker is not None:
            self._maker.shutdown(cancel_futures=True)

    def take(self, index: int) -> P:
        """Return a prepared window.

        Raises:
            UnreadableFrame: a frame cannot be read.
        """
        with self._changing:
            while self._asked < min(index + 1 + self._ahead, len(self._windows)):
                self._ask(self._asked)
                self._asked += 1
            frames = [self._frames[number] for number in self._windows[index]]
            for number in set(self._windows[index]):
                self._uses[number] -= 1
                if not self._uses[number]:
                    del self._frames[number]
            prepared = self._prepared.pop(index, None)
        return self._prepared_from(frames) if prepared is None else prepared.result()

    def _ask(self, index: int) -> None:
        for number in self._windows[index]:
            if number not in self._frames:
                self._frames[number] = self._reader.submit(self._read, number)
        frames = [self._frames[number] for number in self._windows[index]]
        if self._maker is not None:
            self._prepared[index] = self._maker.submit(self._prepared_from, frames)

    def _prepared_from(self, frames: list[Future[T]]) -> P:
        return self._prepare([frame.result() for frame in frames])
