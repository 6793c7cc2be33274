"""The simulated farm, against arithmetic."""

import pytest

from f2hdr_backend.farm.plan import Costs, schedules, simulate
from f2hdr_backend.shot.errors import ShotError

COSTS = Costs(start=10.0, frame=5.0, read=1.0)


def test_the_estimate_for_one_worker_includes_every_start_and_both_neighbors():
    assert simulate(100, 1, 10, COSTS).seconds == pytest.approx(10 * (10 + 2 * 1 + 10 * 5))
    assert simulate(100, 1, 10, COSTS, warm=True).seconds == pytest.approx(10 + 10 * (2 * 1 + 10 * 5))


def test_the_estimate_includes_a_last_task_that_runs_alone():
    found = simulate(5, 4, 1, COSTS)
    assert found.tasks == 5 and found.seconds == pytest.approx(2 * (10 + 2 + 5))
    assert found.overhead == pytest.approx(1 - 25 / (4 * found.seconds))


def test_more_frames_than_a_job_may_have_are_refused():
    with pytest.raises(ShotError) as caught:
        schedules(10**9, 4, Costs(1, 1, 1))
    assert str(10**9) in caught.value.message


def test_larger_chunks_are_faster_until_workers_are_idle():
    found = schedules(2000, 40, COSTS)
    best = min(found, key=lambda schedule: schedule.seconds)
    assert found[0].chunk == 1 and 1 < best.chunk < 2000 / 40 * 2
    assert all(0 <= schedule.overhead < 1 for schedule in found)
