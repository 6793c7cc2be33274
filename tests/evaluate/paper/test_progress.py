"""Rows of a run: in the dataset's order, and on disk before the end."""

from types import SimpleNamespace

import pytest

from f2hdr_backend.evaluate.metrics.score import Score
from f2hdr_backend.evaluate.paper import progress as module
from f2hdr_backend.evaluate.paper.progress import Progress
from f2hdr_backend.evaluate.paper.results import FrameRow, Rows


def rows(*frames):
    return Rows(tuple(FrameRow("a", frame, 1.0, 1.0, "", {"PSNR_T": Score("PSNR_T", 30.0, "dB")}) for frame in frames))


NAMES = [row.name for row in rows(1, 2, 3).frames]


class Folder:
    """A results folder that counts."""

    def __init__(self):
        self.written = []

    def write(self, rows, means):
        self.written.append([row.frame for row in rows.frames])


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_rows_are_in_the_order_of_the_data_set_and_events_in_order_of_completion(clock):
    progress = Progress(NAMES, None, rows(2))
    events = list(progress.add(rows(3))) + list(progress.add(rows(1)))
    assert [(event.row.frame, event.done, event.total) for event in events] == [(3, 2, 3), (1, 3, 3)]
    assert [row.frame for row in progress.rows.frames] == [1, 2, 3]
    document = events[0].to_json()
    assert document["event"] == "frame_scored" and document["kept"] is False and document["done"] == 2


def test_results_are_saved_during_a_long_run(clock):
    folder = Folder()
    progress = Progress(NAMES, folder, Rows())
    list(progress.add(rows(1)))
    assert folder.written == []
    clock[0] += module.SECONDS_BETWEEN_WRITES + 1
    list(progress.add(rows(2)))
    assert folder.written == [[1, 2]]
    progress.write()
    assert folder.written == [[1, 2], [1, 2]]


def test_nothing_is_written_before_the_first_row(clock):
    folder = Folder()
    Progress(NAMES, folder, Rows()).write()
    assert folder.written == []
