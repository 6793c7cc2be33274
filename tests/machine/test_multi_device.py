"""Several workers share a list of tasks: everything once, errors raised, nothing left running."""

from __future__ import annotations

import threading

import pytest

from f2hdr_backend.machine.multi_device import FRAMES_AT_A_TIME, on_devices


def doubled(tasks):
    for task in tasks:
        yield 2 * task


def test_every_task_is_done_once():
    assert sorted(on_devices([doubled, doubled, doubled], range(100))) == [2 * task for task in range(100)]


def test_one_worker_runs_in_order_in_the_calling_thread():
    threads = []

    def worker(tasks):
        threads.append(threading.current_thread())
        yield from tasks

    assert list(on_devices([worker], range(20))) == list(range(20))
    assert threads == [threading.main_thread()]


def test_more_workers_than_tasks_are_allowed():
    assert list(on_devices([doubled, doubled], [])) == []
    assert list(on_devices([doubled, doubled], [1])) == [2]


def test_adjacent_tasks_go_to_one_worker_and_all_work_to_the_end():
    runs = []
    both_at_work = threading.Barrier(2, timeout=60)

    def worker(tasks):
        mine = []
        runs.append(mine)
        for task in tasks:
            if not mine:
                both_at_work.wait()
            mine.append(task)
            yield task

    list(on_devices([worker, worker], range(6 * FRAMES_AT_A_TIME)))
    assert len(runs) == 2
    for mine in runs:
        starts = mine[::FRAMES_AT_A_TIME]
        assert mine == [start + step for start in starts for step in range(FRAMES_AT_A_TIME)]
        assert all(start % FRAMES_AT_A_TIME == 0 for start in starts)
    assert sorted(runs[0] + runs[1]) == list(range(6 * FRAMES_AT_A_TIME))


def test_an_error_is_raised_and_no_thread_is_left():
    def worker(tasks):
        for task in tasks:
            if task == 30:
                raise ValueError("task 30")
            yield task

    before = threading.active_count()
    with pytest.raises(ValueError, match="task 30"):
        list(on_devices([worker, worker], range(1000)))
    assert threading.active_count() == before


def test_closing_stops_the_workers():
    before = threading.active_count()
    done = []

    def worker(tasks):
        for task in tasks:
            done.append(task)
            yield task

    events = on_devices([worker, worker], range(100_000))
    next(events)
    events.close()
    assert threading.active_count() == before
    assert len(done) < 100_000
