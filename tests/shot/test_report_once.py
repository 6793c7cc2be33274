"""Warnings of every frame are reported once and counted at the end; others pass."""

from __future__ import annotations

from f2hdr_backend.shot.events import COUNTED, FrameDone, RenderFinished, Warned, report_once

END = RenderFinished(4, 0, 1.0)


def done(frame):
    return FrameDone(frame, f"o.{frame}.exr", 1.0, 1, 4)


def test_a_warning_of_every_frame_is_reported_once_and_summarized_once():
    events = [event for frame in (3, 4, 5, 7) for event in (Warned("above_clip", f"12 in {frame}", frame), done(frame))]
    stated = list(report_once([*events, END]))
    assert [event for event in stated if isinstance(event, FrameDone)] == [done(frame) for frame in (3, 4, 5, 7)]
    first, summary = (event for event in stated if isinstance(event, Warned))
    assert first == Warned("above_clip", "12 in 3", 3) and stated[0] is first
    assert summary.code == "above_clip" and summary.frame is None
    assert "4 frames: 3-5,7" in summary.message
    assert stated[-1] is END and stated[-2] is summary


def test_a_warning_of_one_frame_has_no_summary():
    events = [Warned("nonfinite", "1 pixel", 3), done(3), END]
    assert list(report_once(events)) == events


def test_kinds_of_warnings_are_counted_separately():
    events = [Warned(code, "so it is", frame) for frame in (1, 2) for code in COUNTED]
    stated = list(report_once([*events, END]))
    assert len(stated) == 2 * len(COUNTED) + 1
    assert {event.code for event in stated[:-1] if event.frame is None} == set(COUNTED)


def test_warnings_that_differ_are_always_reported():
    events = [Warned("smaller_plan", "bands of 512 rows", 1), Warned("smaller_plan", "bands of 256 rows", 2), END]
    assert list(report_once(events)) == events


def test_notes_about_files_are_reported_once_per_kind():
    notes = [("left out", '"a.1.tif" is not part of it'), ("pages", '"{}.tif" has 3 pages')]
    events = [Warned("file_note", words.format(frame), frame) for frame in (1, 2) for _, words in notes]
    stated = list(report_once([*events, END]))
    assert stated == [*events[:2], stated[2], END]
    assert "2 frames: 1-2" in stated[2].message
