"""Scheduling of one worker: interactive jobs first, clients in round-robin order, each client's jobs in FIFO order."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from itertools import islice

from f2hdr_backend.server.render_jobs import Work

INTERACTIVE_IN_A_ROW = 8
"""Consecutive interactive steps after which a batch job gets one, so that batch jobs always progress."""
OPEN_AT_ONCE = 6
"""Maximum number of batch renders in progress per worker; each of them keeps frames in memory."""


class JobOrder:
    """The jobs of one worker, by priority and client. Not thread-safe: the queue's lock protects it."""

    def __init__(self) -> None:
        self._lanes: dict[bool, OrderedDict[str, deque[Work]]] = {True: OrderedDict(), False: OrderedDict()}
        self._in_a_row = 0

    def __iter__(self) -> Iterator[Work]:
        for lane in self._lanes.values():
            for line in lane.values():
                yield from line

    def __len__(self) -> int:
        return sum(len(line) for lane in self._lanes.values() for line in lane.values())

    def __contains__(self, work: object) -> bool:
        return any(work is other for other in self)

    def add(self, work: Work) -> None:
        """Append a job to its client's queue."""
        self._lanes[work.interactive].setdefault(work.client, deque()).append(work)

    def remove(self, work: Work) -> None:
        """Remove a job from its client's queue."""
        lane = self._lanes[work.interactive]
        lane[work.client].remove(work)
        if not lane[work.client]:
            del lane[work.client]

    def coming(self, interactive: bool, count: int) -> Iterator[Work]:
        """Return up to ``count`` next jobs: the first of each client's queue, then the second of each."""
        lines = self._lanes[interactive].values()
        heads = [line[0] for line in lines]
        seconds = [line[1] for line in lines if len(line) > 1]
        return islice([*heads, *seconds], count)

    def next(self) -> Work | None:
        """Return the job whose next step is due, or None if none is ready."""
        order = (False, True) if self._in_a_row >= INTERACTIVE_IN_A_ROW else (True, False)
        for interactive in order:
            work = self._next_in(interactive)
            if work is not None:
                self._in_a_row = self._in_a_row + 1 if interactive else 0
                return work
        return None

    def _next_in(self, interactive: bool) -> Work | None:
        lane = self._lanes[interactive]
        opened = sum(line[0].is_open for line in lane.values())
        for client, line in lane.items():
            work = line[0]
            if work.is_ready and (work.is_open or interactive or opened < OPEN_AT_ONCE):
                lane.move_to_end(client)
                return work
        return None
