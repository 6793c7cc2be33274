"""Distributes work over several devices: each processes a run of frames at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from queue import Empty, Queue
from threading import Event as Flag
from threading import Thread
from typing import TypeVar

from f2hdr_backend.shot.cancellation import with_stop

T = TypeVar("T")
E = TypeVar("E")

FRAMES_AT_A_TIME = 8
"""Frames per run. Adjacent frames share work, so each run has the overhead of two frames."""

Worker = Callable[[Iterator[T]], Iterator[E]]


class _Ended:
    """The end of a worker, with its exception if it failed."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def on_devices(workers: Sequence[Worker[T, E]], tasks: Sequence[T]) -> Generator[E]:
    """Yield the results of ``workers`` for ``tasks`` as they arrive; with one worker, in order and in this thread.

    A worker starts the next run of tasks without waiting. Closing the iterator, or an exception in one worker (which is
    raised here), stops the others after their current event.
    """
    if len(workers) == 1:
        yield from workers[0](iter(tasks))
        return
    runs: Queue[Sequence[T]] = Queue()
    for start in range(0, len(tasks), FRAMES_AT_A_TIME):
        runs.put(tasks[start : start + FRAMES_AT_A_TIME])
    reported: Queue[E | _Ended] = Queue()
    stop = Flag()
    threads = [Thread(target=with_stop(_work), args=(worker, runs, reported, stop)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield from _until_all_ended(reported, len(threads))
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _until_all_ended(reported: Queue[E | _Ended], working: int) -> Iterator[E]:
    while working:
        said = reported.get()
        if not isinstance(said, _Ended):
            yield said
            continue
        working -= 1
        if said.error is not None:
            raise said.error


def _work(worker: Worker[T, E], runs: Queue[Sequence[T]], reported: Queue[E | _Ended], stop: Flag) -> None:
    try:
        for event in worker(_taken(runs, stop)):
            reported.put(event)
            if stop.is_set():
                break
    except BaseException as error:
        reported.put(_Ended(error))
    else:
        reported.put(_Ended(None))


def _taken(runs: Queue[Sequence[T]], stop: Flag) -> Iterator[T]:
    """Yield tasks, one run at a time, until no run is left or the work is stopped."""
    while not stop.is_set():
        try:
            yield from runs.get_nowait()
        except Empty:
            return
