"""The queue's threads, with work that only waits."""

import threading

import pytest

from f2hdr_backend.server.queue import LARGEST, Queue
from f2hdr_backend.shot.errors import ServerError
from tests.server.running import LONG_S, until


class Piece:
    """Work of a few steps; each waits until it is let go."""

    interactive = False
    weight = 0

    def __init__(self, client="a", steps=1, ready=True, weight=0):
        self.client = client
        self.left = steps
        self.weight = weight
        self.is_open = False
        self.is_ready = ready
        self.threads = set()
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.stopped = threading.Event()
        self.interrupted = threading.Event()

    def prepare(self):
        self.is_ready = True

    def step(self, renderers):
        self.is_open = True
        self.threads.add(threading.current_thread().name)
        self.begun.release()
        assert self.go.acquire(timeout=LONG_S)
        self.left -= 1
        return self.left == 0

    def interrupt(self):
        self.interrupted.set()

    def stop(self):
        self.stopped.set()


@pytest.fixture
def queue():
    made = Queue(["cpu"], longest=3)
    yield made
    made.close(LONG_S)


def test_a_full_queue_refuses_jobs_until_one_is_done(queue):
    pieces = [Piece() for _ in range(3)]
    for piece in pieces:
        queue.add(piece, "cpu")
    with pytest.raises(ServerError, match=r"\b3 jobs") as caught:
        queue.add(Piece(), "cpu")
    assert caught.value.status == 429
    pieces[0].go.release()
    until(lambda: queue.count == 2)
    last = Piece()
    queue.add(last, "cpu")
    for piece in (*pieces[1:], last):
        piece.go.release()
    until(lambda: queue.count == 0)


def test_jobs_whose_documents_are_too_large_together_are_refused(queue):
    first = Piece(ready=False, weight=LARGEST)
    queue.add(first, "cpu")
    with pytest.raises(ServerError, match="queue") as refused:
        queue.add(Piece(weight=1), "cpu")
    assert refused.value.status == 429
    first.go.release()
    until(lambda: queue.count == 0)
    last = Piece(weight=1)
    queue.add(last, "cpu")
    last.go.release()


def test_canceling_stops_waiting_work_at_once_and_running_work_at_its_next_check(queue):
    busy, waiting = Piece(steps=5), Piece()
    queue.add(busy, "cpu")
    queue.add(waiting, "cpu")
    assert busy.begun.acquire(timeout=LONG_S)
    queue.stop(waiting)
    assert waiting.stopped.is_set() and not waiting.is_open
    queue.stop(busy)
    assert busy.interrupted.is_set() and not busy.stopped.is_set()
    busy.go.release()
    assert busy.stopped.wait(LONG_S) and busy.left == 4
    until(lambda: queue.count == 0)
    queue.stop(busy)


def test_all_steps_on_a_device_run_on_one_thread(queue):
    pieces = [Piece(client, steps=2, ready=False) for client in "abc"]
    for piece in pieces:
        queue.add(piece, "cpu")
        piece.go.release(2)
    until(lambda: queue.count == 0)
    assert len(set().union(*(piece.threads for piece in pieces))) == 1


def test_each_device_has_a_worker_and_work_goes_to_the_shortest_queue():
    queue = Queue(["cuda:0", "cuda:1", "cpu"])
    try:
        assert queue.device_for("cuda:1") == "cuda:1" and queue.device_for("cpu") == "cpu"
        held = Piece()
        queue.add(held, queue.device_for("auto"))
        other = Piece()
        queue.add(other, queue.device_for("auto"))
        assert queue.device_for("auto") != "cpu"
        for piece in (held, other):
            assert piece.begun.acquire(timeout=LONG_S)
            piece.go.release()
        until(lambda: queue.count == 0)
        assert held.threads != other.threads
        assert queue.device_for("cuda:7") in ("cuda:0", "cuda:1")
    finally:
        assert queue.close(LONG_S)


def test_a_closed_queue_refuses_jobs_and_stops_running_ones():
    queue = Queue(["cpu"])
    open_work, waiting = Piece(steps=3), Piece("b")
    queue.add(open_work, "cpu")
    assert open_work.begun.acquire(timeout=LONG_S)
    queue.add(waiting, "cpu")
    open_work.go.release()
    assert open_work.begun.acquire(timeout=LONG_S) or waiting.begun.acquire(timeout=LONG_S)
    for piece in (open_work, waiting):
        piece.go.release(5)
    assert queue.close(LONG_S)
    with pytest.raises(ServerError, match="closing"):
        queue.add(Piece(), "cpu")
