"""OpenJD's own log filter parses the output of a task."""

import logging
import re

import pytest

from f2hdr_backend.farm.openjd_lines import failure, lines, lines_of
from f2hdr_backend.shot.errors import MissingFrames
from f2hdr_backend.shot.events import (
    FrameChecked,
    FrameDone,
    FrameSkipped,
    PlateMeasured,
    RenderFinished,
    RenderStarted,
    Warned,
)

RENDER = [
    PlateMeasured(10, "0,3 with frame 1 at +0 EV", 0.9, ()),
    RenderStarted(3, 1, (64, 48), "cpu", "fp32", "merge", "dis"),
    FrameSkipped(1, "hdr/o.0001.exr", 1, 3),
    Warned("nonfinite", "3 pixels\nwere NaN", 2),
    FrameDone(2, "hdr/o.0002.exr", 0.5, 2, 3),
    FrameDone(3, "hdr/o.0003.exr", 0.5, 3, 3),
    RenderFinished(2, 1, 1.2),
]


def test_openjd_reads_progress_status_and_failure():
    actions = pytest.importorskip("openjd.sessions._action_filter")
    result = []
    watch = actions.ActionMonitoringFilter(
        session_id="s", callback=lambda kind, value, cancel: result.append((kind.name, value)), suppress_filtered=False
    )
    error = MissingFrames("2 frames are\nmissing.", hint="Add them.")
    for line in [text for event in RENDER for text in lines(event)] + [failure(error)]:
        assert "\n" not in line
        record = logging.LogRecord("x", logging.INFO, "", 0, line, None, None)
        record.session_id = "s"
        watch.filter(record)
    assert [value for kind, value in result if kind == "PROGRESS"] == [0.0, 33.33, 66.67, 100.0]
    assert ("FAIL", "missing_frames: 2 frames are missing. Add them.") in result
    assert any(kind == "STATUS" and "frame 3 done, 3 of 3" in value for kind, value in result)


def test_events_of_a_server_give_the_same_lines():
    for event in RENDER:
        assert list(lines_of(event.to_json())) == list(lines(event))
    assert list(lines_of({"event": "job_queued"})) == []


def test_a_failed_check_gives_a_line_with_its_reason_and_progress():
    result = list(lines(FrameChecked(7, "o.0007.exr", "it is not there", "", 1, 2)))
    assert result == ["frame 7 is not correct: it is not there", "openjd_progress: 50.00"]
    assert all(re.fullmatch(r"openjd_progress: [\d.]+", line) for line in lines(FrameChecked(8, "p", "", "m", 2, 2)))
