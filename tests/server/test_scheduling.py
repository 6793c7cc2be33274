"""Whose turn it is, without threads or devices."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from f2hdr_backend.server.scheduling import INTERACTIVE_IN_A_ROW, OPEN_AT_ONCE, JobOrder


@dataclass(eq=False)
class Piece:
    client: str
    interactive: bool = False
    steps: int = 1
    is_ready: bool = True
    is_open: bool = False
    weight: int = 0


def do(turns, most=10_000):
    """Schedule until no job is ready; returns the clients in the order they were served."""
    served = []
    while (work := turns.next()) is not None and len(served) < most:
        work.is_open = True
        work.steps -= 1
        served.append(work.client)
        if work.steps == 0:
            turns.remove(work)
    return served


def turns_of(*pieces):
    turns = JobOrder()
    for piece in pieces:
        turns.add(piece)
    return turns


def test_clients_are_served_round_robin():
    turns = turns_of(Piece("a", steps=4), Piece("a", steps=4), Piece("b", steps=2), Piece("c", steps=1))
    assert "".join(do(turns)) == "abcabaaaaaa" and len(turns) == 0


def test_jobs_of_one_client_run_in_order():
    first, second = Piece("a", steps=2), Piece("a", steps=1)
    turns = turns_of(first, second)
    assert turns.next() is first
    assert turns.next() is first
    turns.remove(first)
    assert turns.next() is second


def test_interactive_jobs_run_first_and_starve_no_other():
    turns = turns_of(Piece("batch", steps=5), Piece("screen", interactive=True, steps=30))
    served = do(turns)
    assert served[:INTERACTIVE_IN_A_ROW] == ["screen"] * INTERACTIVE_IN_A_ROW
    assert served[INTERACTIVE_IN_A_ROW] == "batch"
    assert served.count("batch") == 5 and served.count("screen") == 30


def test_jobs_that_are_not_ready_are_skipped():
    slow = Piece("a", is_ready=False)
    turns = turns_of(slow, Piece("b"))
    assert do(turns) == ["b"]
    slow.is_ready = True
    assert do(turns) == ["a"]


def test_the_number_of_started_renders_is_limited():
    pieces = [Piece(f"client {index}", steps=3) for index in range(2 * OPEN_AT_ONCE)]
    turns = turns_of(*pieces)
    for _ in range(2 * OPEN_AT_ONCE):
        turns.next().is_open = True
    assert sum(piece.is_open for piece in pieces) == OPEN_AT_ONCE


def test_the_order_is_the_first_job_of_each_client_and_then_the_second():
    a1, a2, a3, b1 = Piece("a"), Piece("a"), Piece("a"), Piece("b")
    turns = turns_of(a1, a2, a3, b1)
    assert list(turns.coming(False, 10)) == [a1, b1, a2]
    assert list(turns.coming(False, 1)) == [a1]
    assert list(turns.coming(True, 10)) == []


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans(), st.integers(1, 5)), max_size=30))
def test_every_job_runs_exactly_once(asked):
    turns = turns_of(*(Piece(client, interactive, steps) for client, interactive, steps in asked))
    served = do(turns)
    for name in "abcd":
        assert served.count(name) == sum(steps for client, _, steps in asked if client == name)
    assert len(turns) == 0


@given(st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_no_client_is_more_than_one_step_ahead_of_a_waiting_one(steps):
    turns = turns_of(*(Piece(str(index), steps=count) for index, count in enumerate(steps)))
    served = do(turns)
    for length in range(len(served)):
        done = [served[:length].count(str(index)) for index in range(len(steps))]
        waiting = [count for count, all_of_it in zip(done, steps, strict=True) if count < all_of_it]
        assert not waiting or max(done) - min(waiting) <= 1
