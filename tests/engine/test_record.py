"""The record of a render in the folder of its frames."""

from __future__ import annotations

import json

from f2hdr_backend.engine.record import Record
from f2hdr_backend.shot.document import Output, Shot
from f2hdr_backend.shot.events import FrameDone, RenderFinished, RenderStarted, Warned
from f2hdr_backend.shot.frames import FrameRange

STARTED = RenderStarted(2, 0, (64, 48), "cpu", "bf16", "standard", "dis", "whole frames, 0.1 GB")


def test_a_record_has_the_shot_versions_timings_and_warnings(tmp_path):
    shot = Shot("p.####.tif", output=Output(pattern=str(tmp_path / "hdr" / "sh.####.exr")))
    record = Record(shot, FrameRange((1001, 1002)))
    for event in (STARTED, Warned("above_clip", "too bright", 1001), FrameDone(1001, "sh.1001.exr", 1.5, 1, 2),
                  RenderFinished(1, 0, 2.0)):  # fmt: skip
        record.note(event)
    record.write()
    document = json.loads((tmp_path / "hdr" / "sh.1001-1002.f2hdr.json").read_text())
    assert Shot.from_json(document["shot"]) == shot
    assert document["frames"] == "1001-1002" and document["seconds"] == {"1001": 1.5}
    assert document["render"]["precision"] == "bf16" and document["render"]["seconds"] == 2.0
    assert [warning["code"] for warning in document["warnings"]] == ["above_clip"]
    assert set(document["versions"]) == {"f2hdr", "torch", "python"}


def test_a_run_that_renders_nothing_leaves_the_earlier_record(tmp_path):
    shot = Shot("p.####.tif", output=Output(pattern=str(tmp_path / "sh.####.exr")))
    (tmp_path / "sh.1-1.f2hdr.json").write_text("earlier")
    record = Record(shot, FrameRange((1,)))
    record.note(STARTED)
    record.write()
    assert (tmp_path / "sh.1-1.f2hdr.json").read_text() == "earlier"
