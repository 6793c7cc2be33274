"""Every event is one JSON line that names itself."""

from __future__ import annotations

import json

import pytest

from f2hdr_backend.shot.events import Event, FrameDone, FrameSkipped, RenderFinished, RenderStarted, Warned


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            RenderStarted(10, 2, (1920, 1080), "cpu", "fp32", "standard", "dis", "whole frames, 1.0 GB"),
            {
                "event": "render_started",
                "total": 10,
                "done_before": 2,
                "size": [1920, 1080],
                "device": "cpu",
                "precision": "fp32",
                "weights": "standard",
                "flow": "dis",
                "plan": "whole frames, 1.0 GB",
                "quality": "",
                "seconds_a_frame": None,
                "next_quality": "",
                "next_seconds_a_frame": None,
            },
        ),
        (
            FrameDone(1001, "hdr.1001.exr", 0.5, 3, 10),
            {
                "event": "frame_done",
                "frame": 1001,
                "path": "hdr.1001.exr",
                "seconds": 0.5,
                "done": 3,
                "total": 10,
            },
        ),
        (
            FrameSkipped(1001, "hdr.1001.exr", 3, 10),
            {"event": "frame_skipped", "frame": 1001, "path": "hdr.1001.exr", "done": 3, "total": 10},
        ),
        (
            Warned("ratio", "5 stops"),
            {"event": "warned", "code": "ratio", "message": "5 stops", "frame": None},
        ),
        (
            RenderFinished(8, 2, 4.0),
            {"event": "render_finished", "rendered": 8, "skipped": 2, "seconds": 4.0},
        ),
    ],
)
def test_events_convert_to_json(event: Event, line: dict[str, object]) -> None:
    assert json.loads(json.dumps(event.to_json())) == line
