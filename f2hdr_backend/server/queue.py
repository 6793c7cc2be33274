"""The queue: one worker per device runs the jobs in turns, one step at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Condition, Thread

from f2hdr_backend.server.render_jobs import Work
from f2hdr_backend.server.renderers import Renderers
from f2hdr_backend.server.scheduling import JobOrder
from f2hdr_backend.shot.errors import ServerError

LONGEST = 1000
"""Maximum number of unfinished jobs of each kind, batch and interactive."""
LARGEST = 64 * 1024 * 1024
"""Maximum total size of the queued Shot documents in bytes."""
PREPARED_AT_ONCE = 4
"""Maximum number of batch plates inspected in parallel; interactive work has half as many additional threads."""
PREPARED_AHEAD = 8
"""Jobs of each kind that are prepared in advance."""
_log = logging.getLogger("f2hdr")


class Queue:
    """All jobs of this process, distributed over its workers; thread-safe."""

    def __init__(self, devices: Sequence[str], longest: int = LONGEST) -> None:
        """Start one worker for each of ``devices``, which are names that a Shot may select."""
        self.devices = tuple(devices)
        self._changed = Condition()
        self._longest = longest
        self._weight = 0
        self._closing = False
        self._workers = {name: _Worker(name, self._next, self._put_back) for name in devices}
        self._preparing: set[Work] = set()
        self._pools = {
            False: ThreadPoolExecutor(PREPARED_AT_ONCE, "prepare batch"),
            True: ThreadPoolExecutor(PREPARED_AT_ONCE // 2, "prepare interactive"),
        }
        for worker in self._workers.values():
            worker.start()

    def device_for(self, asked: str) -> str:
        """Return the worker for the device ``asked``: the one of that name, or else the least busy GPU, or else the
        CPU.
        """
        if asked in self._workers:
            return asked
        with self._changed:
            return min(self._workers, key=lambda name: (name == "cpu", self._workers[name].count))

    def add(self, work: Work, device: str) -> None:
        """Add a job to the queue of a worker. Raises ServerError if the queue is full or closing."""
        with self._changed:
            if self._closing:
                raise ServerError("The server is closing.", hint="Try again in a few seconds.", status=503)
            lines = [other for worker in self._workers.values() for other in worker.turns]
            waiting = sum(other.interactive == work.interactive for other in lines)
            if waiting >= self._longest or self._weight + work.weight > LARGEST:
                raise ServerError(
                    f"The queue is full: {waiting} jobs are waiting.",
                    hint="Wait until some are done, or cancel some.",
                    waiting=waiting,
                    status=429,
                )
            self._weight += work.weight
            self._workers[device].turns.add(work)
            self._prepare_next()
            self._changed.notify_all()

    def stop(self, work: Work) -> None:
        """Stop a job: at once if it is not being processed, or else as soon as its current step is interrupted."""
        work.interrupt()
        with self._changed:
            worker = next((worker for worker in self._workers.values() if work in worker.turns), None)
            if worker is None:
                return
            if worker.busy is work or work.is_open:
                worker.stopping.add(work)
                self._changed.notify_all()
                return
            self._drop(worker, work)
        work.stop()

    @property
    def count(self) -> int:
        """Number of jobs that are waiting or running."""
        with self._changed:
            return self._count

    def close(self, timeout: float) -> bool:
        """Accept no more jobs and interrupt the running ones.

        Returns whether all workers stopped within ``timeout`` seconds.
        """
        with self._changed:
            self._closing = True
            for worker in self._workers.values():
                for work in worker.turns:
                    if worker.busy is work:
                        work.interrupt()
                    if work.is_open:
                        worker.stopping.add(work)
            self._changed.notify_all()
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers.values():
            worker.join(timeout)
        return not any(worker.is_alive() for worker in self._workers.values())

    @property
    def _count(self) -> int:
        return sum(worker.count for worker in self._workers.values())

    def _next(self, worker: _Worker) -> Work | None:
        """Wait for a job to process; return None when the queue is closed."""
        with self._changed:
            while True:
                work = next(iter(worker.stopping), None)
                if work is None and self._closing:
                    return None
                work = work or worker.turns.next()
                if work is not None:
                    worker.busy = work
                    return work
                self._changed.wait()

    def _put_back(self, worker: _Worker, work: Work, over: bool) -> None:
        with self._changed:
            worker.busy = None
            if over:
                self._drop(worker, work)
            self._prepare_next()
            self._changed.notify_all()

    def _drop(self, worker: _Worker, work: Work) -> None:
        worker.turns.remove(work)
        worker.stopping.discard(work)
        self._weight -= work.weight

    def _prepare_next(self) -> None:
        """Start preparing the next jobs of each worker, up to ``PREPARED_AHEAD`` of each kind."""
        if self._closing:
            return
        for worker in self._workers.values():
            for interactive, pool in self._pools.items():
                for work in worker.turns.coming(interactive, PREPARED_AHEAD):
                    if not work.is_ready and work not in self._preparing:
                        self._preparing.add(work)
                        pool.submit(self._prepare, work)

    def _prepare(self, work: Work) -> None:
        work.prepare()
        with self._changed:
            self._preparing.discard(work)
            self._changed.notify_all()


class _Worker(Thread):
    """The thread that owns one device."""

    def __init__(
        self,
        name: str,
        take: Callable[[_Worker], Work | None],
        put_back: Callable[[_Worker, Work, bool], None],
    ) -> None:
        super().__init__(name=f"worker {name}".strip(), daemon=True)
        self.turns: JobOrder = JobOrder()
        self.stopping: set[Work] = set()
        self.busy: Work | None = None
        self._take = take
        self._give_back = put_back

    @property
    def count(self) -> int:
        """Number of jobs in its queue."""
        return len(self.turns)

    def run(self) -> None:
        """Process steps until the queue is closed."""
        renderers = Renderers()
        while (work := self._take(self)) is not None:
            if work in self.stopping:
                work.stop()
                over = True
            else:
                over = work.step(renderers)
            self._give_back(self, work, over)
            del work
