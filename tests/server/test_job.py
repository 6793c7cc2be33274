"""A job's status and events, from the events of its render."""

import pytest

from f2hdr_backend.server import job as module
from f2hdr_backend.server.job import JobRecord
from f2hdr_backend.shot.errors import Canceled, ImageError

STARTED = {"event": "render_started", "total": 2}
FRAME = {"event": "frame_done", "frame": 1001, "done": 1, "total": 2}
FINISHED = {"event": "render_finished", "rendered": 2, "skipped": 0}


def test_the_status_follows_the_events():
    record = JobRecord("me", output="/o.####.exr")
    assert record.status().state == "queued"
    record.record(STARTED)
    record.record(FRAME)
    record.record({"event": "warned", "message": "careful"})
    status = record.status()
    assert (status.state, status.frame, status.done, status.total) == ("running", 1001, 1, 2)
    assert (status.warnings, status.client, status.output) == (("careful",), "me", "/o.####.exr")
    record.record(FINISHED)
    assert record.status().state == "done" and record.is_over


@pytest.mark.parametrize(
    ("error", "state", "event"),
    [(ImageError("bad frame", frame=3), "failed", "error"), (Canceled("stop"), "canceled", "canceled")],
)
def test_there_is_no_event_after_the_last(error, state, event):
    record = JobRecord("me")
    record.fail(error)
    record.record(FRAME)
    record.set_message("still here")
    events, last = record.since(0)
    assert [each["event"] for each in events] == [event] and last == 1
    status = record.status()
    assert status.state == state and status.message != "still here"
    assert (status.error or {}).get("facts") == ({"frame": 3} if state == "failed" else None)


def test_only_the_latest_events_are_kept_and_those_after_a_number_are_returned(monkeypatch):
    monkeypatch.setattr(module, "EVENTS_KEPT", 2)
    record = JobRecord("me")
    for event in (STARTED, FRAME, FINISHED):
        record.record(event)
    assert record.since(0) == ([FRAME, FINISHED], 3)
    assert record.since(2) == ([FINISHED], 3)
    assert record.since(3) == ([], 3)


def test_a_listener_gets_every_event_until_it_stops():
    record, heard = JobRecord("me"), []
    stop = record.listen(lambda: heard.append(1))
    record.record(STARTED)
    stop()
    record.record(FRAME)
    assert heard == [1]
