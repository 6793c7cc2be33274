"""A log that repeats itself."""

import logging
from types import SimpleNamespace

import pytest

from f2hdr_backend.server import log_rate_limit
from f2hdr_backend.server.log_rate_limit import MOST, PERIOD_S, FewLines


def record(text, *values, name="a"):
    return logging.LogRecord(name, logging.INFO, "", 0, text, values, None)


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(log_rate_limit, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_lines_of_one_kind_are_limited_and_the_last_one_states_it(clock):
    few = FewLines()
    lines = [record("refused %s", number) for number in range(MOST + 5)]
    kept = [line for line in lines if few.filter(line)]
    assert len(kept) == MOST
    assert f"{PERIOD_S:g} s" in kept[-1].getMessage() and f"refused {MOST - 1}" in kept[-1].getMessage()
    assert f"{PERIOD_S:g} s" not in kept[-2].getMessage()


def test_other_kinds_and_lines_of_the_next_period_are_not_limited(clock):
    few = FewLines()
    for number in range(MOST + 1):
        few.filter(record("refused %s", number))
    assert few.filter(record("accepted")) and few.filter(record("refused %s", 1, name="b"))
    assert not few.filter(record("refused %s", 1))
    clock[0] += PERIOD_S + 1
    assert few.filter(record("refused %s", 1))
