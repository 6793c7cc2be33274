"""The cost of a frame, measured on a call whose time and result are known."""

import sys
from types import SimpleNamespace

import pytest
import torch

from f2hdr_backend.evaluate.paper import cost
from f2hdr_backend.evaluate.paper.cost import Cost, measure, measured_on, process_peak

CPU = torch.device("cpu")


def test_the_time_is_measured_around_the_call(monkeypatch):
    times = iter([10.0, 12.5])
    monkeypatch.setattr(cost, "time", SimpleNamespace(perf_counter=lambda: next(times)))
    result, found = measure(lambda: "pixels", CPU)
    assert result == "pixels" and found.seconds == 2.5


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not provide it")
def test_the_peak_is_in_bytes_and_never_falls():
    before = process_peak()
    held = bytearray(64 << 20)
    assert process_peak() >= before > 1 << 20
    assert len(held) == 64 << 20


def test_scores_have_units_and_name_the_device():
    scores = Cost(2.5, 3 << 30).scores(measured_on(CPU, 2), (64, 48))
    assert (scores["seconds"].value, scores["seconds"].unit) == (2.5, "s")
    assert (scores["peak GiB"].value, scores["peak GiB"].unit) == (3.0, "GiB")
    assert dict(scores["seconds"].parameters)["where"] == "cpu, 2 processes"
    assert measured_on(CPU, 1) == "cpu"
    assert "peak GiB" not in Cost(1.0, None).scores("cpu", (64, 48))
