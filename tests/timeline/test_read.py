"""Timelines: the frames of each clip, by hand-counted examples, and the reasons of refusals."""

import sys
from collections import Counter
from fractions import Fraction

import pytest

from f2hdr_backend.shot.errors import DocumentError, ShotError
from f2hdr_backend.timeline.read import read_cut
from tests.timeline.cuts import (
    clip,
    external,
    movie,
    only,
    otio,
    pictures,
    reason,
    sequence,
    span,
    time,
    write,
)


def test_a_sequence_is_used_by_its_frame_numbers_with_handles(tmp_path):
    sequence(tmp_path, "sh010", range(1001, 1031))
    found = only(read_cut(write(tmp_path, clip("sh010", pictures(1001, 30), 1010, 5)), 3))
    assert (found.name, found.plate) == ("sh010", str(tmp_path / "sh010.####.png"))
    assert (str(found.used), str(found.frames)) == ("1010-1014", "1007-1017")


def test_handles_end_at_the_end_of_the_plate_with_a_warning(tmp_path):
    movie(tmp_path / "a.mov", 12)
    cut = read_cut(write(tmp_path, clip("a", external("a.mov", span(0, 12)), 1, 10)), 8)
    assert str(cut.clips[0].frames) == "1-12"
    assert "1 frames before and 1 after" in cut.notes[0]


def test_transitions_extend_both_clips(tmp_path):
    sequence(tmp_path, "sh010", range(1, 41))
    sequence(tmp_path, "sh020", range(1, 41))
    dissolve = otio.schema.Transition("d", "SMPTE_Dissolve", time(2), time(3))
    first = clip("sh010", pictures(1, 40), 10, 10)
    second = clip("sh020", pictures(1, 40, "sh020"), 20, 10)
    cut = read_cut(write(tmp_path, first, dissolve, second), 0)
    assert [str(found.used) for found in cut.clips] == ["10-22", "18-29"]


@pytest.mark.parametrize(("start", "used"), [(0, ["10-14"]), (4, ["14-18"]), (8, ["18-19", "20-22"])])
def test_a_trimmed_track_shows_less_of_its_clips(tmp_path, start, used):
    sequence(tmp_path, "sh010", range(1, 41))
    track = otio.schema.Track("V1", kind="Video", source_range=span(start, 5))
    cut = read_cut(write(tmp_path, *(clip("a", pictures(1, 40), at, 10) for at in (10, 20)), track=track), 0)
    assert [str(found.used) for found in cut.clips] == used
    assert [found.name for found in cut.refused] == ["a_2"][len(used) - 1 :]
    assert all("trimmed to nothing" in found.reason for found in cut.refused)


@pytest.mark.parametrize("other", [clip("b", pictures(1, 40), 1, 5, 30), otio.schema.Gap(source_range=span(0, 5, 30))])
def test_another_rate_in_the_track_does_not_change_the_frames_of_a_clip(tmp_path, other):
    sequence(tmp_path, "sh010", range(1, 41))
    movie(tmp_path / "a.mov", 40)
    clips = [clip("still", pictures(1, 40), 11, 10), clip("moving", external("a.mov", span(0, 40)), 11, 10)]
    cut = read_cut(write(tmp_path, clips[0], other, clips[1]), 0)
    used = {found.name: str(found.used) for found in cut.clips}
    assert (used["still"], used["moving"]) == ("11-20", "12-21")


@pytest.mark.parametrize("trim", [None, span(1, 10**6)])
def test_a_clip_without_any_length_is_refused_and_stays_the_only_one(tmp_path, trim):
    sequence(tmp_path, "sh010", range(1, 41))
    track = otio.schema.Track("V1", kind="Video", source_range=trim)
    path = write(tmp_path, clip("a", pictures(1, 40), 11, 10), otio.schema.Clip("endless"), track=track)
    if trim:
        with pytest.raises(DocumentError, match="endless"):
            read_cut(path, 0)
    else:
        cut = read_cut(path, 0)
        assert [str(found.used) for found in cut.clips] == ["11-20"]
        assert [found.name for found in cut.refused] == ["endless"] and "length" in cut.refused[0].reason


WALKS = {
    "child_at_time", "children_in_range", "find_children", "find_clips", "handles_of_child", "index", "neighbors_of",
    "range_in_parent", "range_of_all_children", "range_of_child", "range_of_child_at_index", "transformed_time",
    "transformed_time_range", "trimmed_range_in_parent", "trimmed_range_of_child", "trimmed_range_of_child_at_index",
}  # fmt: skip


@pytest.mark.parametrize("trim", [None, span(1, 10**6)])
def test_the_items_of_a_track_are_visited_equally_often_for_any_number_of_clips(tmp_path, trim):
    sequence(tmp_path, "sh010", range(1, 11))
    walks = []
    for count in (8, 16):
        track = otio.schema.Track("V1", kind="Video", source_range=trim)
        path = write(tmp_path, *(clip("a", pictures(1, 10), 2, 4) for _ in range(count)), track=track)
        called = Counter()
        before = sys.getprofile()
        sys.setprofile(lambda _, event, made, called=called: called.update([getattr(made, "__name__", "")]))
        try:
            cut = read_cut(path, 0)
        finally:
            sys.setprofile(before)
        assert len(cut.clips) == count
        assert called["rescaled_to"] >= count, "calls of OpenTimelineIO are not seen"
        walks.append({name: called[name] for name in WALKS})
    assert walks[0] == walks[1]


def test_names_of_clips_are_valid_and_unique_folder_names(tmp_path):
    sequence(tmp_path, "sh010", range(1, 11))
    names = ["sh010", "SH010", "a/b: c", "", "../x", "sh010"]
    cut = read_cut(write(tmp_path, *(clip(name, pictures(1, 10), 2, 2) for name in names)), 0)
    assert [found.name for found in cut.clips] == ["sh010", "SH010_2", "a_b_c", "clip", "x", "sh010_3"]


def test_gaps_audio_and_disabled_clips_are_left_out(tmp_path):
    sequence(tmp_path, "sh010", range(1, 11))
    off = clip("off", pictures(1, 10), 2, 2)
    off.enabled = False
    path = write(tmp_path, otio.schema.Gap(source_range=span(0, 5)), clip("on", pictures(1, 10), 2, 2), off)
    timeline = otio.adapters.read_from_file(path)
    sound = otio.schema.Track("A1", kind="Audio")
    sound.append(clip("sound", external("none.wav"), 0, 5))
    timeline.tracks.append(sound)
    otio.adapters.write_to_file(timeline, path)
    cut = read_cut(path, 0)
    assert [found.name for found in cut.clips] == ["on"] and not cut.refused
    assert '"off"' in cut.notes[0]


def retimed(effect):
    item = clip("a", pictures(1, 10), 2, 2)
    item.effects.append(effect)
    return item


REFUSED = {
    "slow": (lambda: retimed(otio.schema.LinearTimeWarp(time_scalar=0.5)), "retimed"),
    "freeze": (lambda: retimed(otio.schema.FreezeFrame()), "retimed"),
    "no media": (lambda: clip("a", otio.schema.MissingReference(), 2, 2), "no media"),
    "bars": (lambda: clip("a", otio.schema.GeneratorReference("bars", "SMPTEBars"), 2, 2), "generated"),
    "gone": (lambda: clip("a", external("gone.mov"), 2, 2), "gone.mov"),
    "gone frames": (lambda: clip("a", pictures(1, 10, "gone"), 2, 2), "gone.####.png"),
    "elsewhere": (lambda: clip("a", external("https://example.com/a.mov"), 2, 2), "not on this machine"),
    "outside": (lambda: clip("a", pictures(1, 10), 8, 6), "8-13"),
    "hole": (lambda: clip("a", pictures(1, 10), 5, 3), "6"),
    "steps": (lambda: clip("a", pictures(1, 10, frame_step=2), 2, 2), "step of 2"),
    "still": (lambda: clip("a", external("sh010.0001.png"), 2, 2), "neither a pattern"),
    "rate": (lambda: clip("a", external("a25.mov", span(0, 10, 25)), 2, 2, 24), "25"),
    "nested": (lambda: otio.schema.Stack("a", source_range=span(0, 2)), "nested"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_clips_that_cannot_be_rendered_are_refused_with_a_reason(tmp_path, case):
    sequence(tmp_path, "sh010", [number for number in range(1, 11) if case != "hole" or number != 6])
    movie(tmp_path / "a25.mov", 10, 25)
    make, words = REFUSED[case]
    assert words in reason(read_cut(write(tmp_path, make()), 0))


def test_a_time_warp_of_factor_1_is_not_a_retime(tmp_path):
    sequence(tmp_path, "sh010", range(1, 11))
    assert only(read_cut(write(tmp_path, retimed(otio.schema.LinearTimeWarp(time_scalar=1))), 0))


EDL = """TITLE: cut
FCM: NON-DROP FRAME

001  AX       V     C        01:00:00:04 01:00:00:08 00:00:00:00 00:00:00:04
* FROM CLIP NAME: sh010
* FROM CLIP: sh010.mov
002  AX       V     C        00:00:00:02 00:00:00:05 00:00:00:04 00:00:00:07
{speed}* FROM CLIP NAME: sh020.mov
"""


def edl(folder, speed=""):
    pytest.importorskip("otio_cmx3600_adapter")
    (folder / "cut.edl").write_text(EDL.format(speed=speed))
    return str(folder / "cut.edl")


@pytest.mark.parametrize("rate", [24, 25, Fraction(24000, 1001)])
def test_an_edl_has_the_frame_rate_of_its_media(tmp_path, rate):
    movie(tmp_path / "sh010.mov", 20, rate, timecode="01:00:00:00")
    movie(tmp_path / "sh020.mov", 20, rate)
    cut = read_cut(edl(tmp_path), 1)
    assert [(found.name, str(found.used), str(found.frames)) for found in cut.clips] == [
        ("sh010", "5-8", "4-9"),
        ("sh020.mov", "3-5", "2-6"),
    ]
    assert not cut.refused and not cut.notes


def test_an_edl_with_media_of_different_frame_rates_is_refused(tmp_path):
    movie(tmp_path / "sh010.mov", 20, 24, timecode="01:00:00:00")
    movie(tmp_path / "sh020.mov", 20, 25)
    with pytest.raises(ShotError, match="24.*25"):
        read_cut(edl(tmp_path), 1)


def test_an_edl_without_media_reports_the_assumed_frame_rate(tmp_path):
    cut = read_cut(edl(tmp_path), 1)
    assert len(cut.refused) == 2 and "24 frames per second" in cut.notes[0]


def test_a_motion_effect_in_an_edl_is_a_retime_even_for_equal_lengths(tmp_path):
    for name, code in (("sh010", "01:00:00:00"), ("sh020", "00:00:00:00")):
        movie(tmp_path / f"{name}.mov", 20, 24, timecode=code)
    cut = read_cut(edl(tmp_path, "M2   AX       048.0                00:00:00:02\n"), 0)
    assert [found.name for found in cut.clips] == ["sh010"]
    assert "retimed" in cut.refused[0].reason
    assert not read_cut(edl(tmp_path, "M2   AX       024.0                00:00:00:02\n"), 0).refused


def test_fcpxml_is_read_with_its_retimes(tmp_path):
    pytest.importorskip("otio_fcpx_xml_adapter")
    movie(tmp_path / "a.mov", 20)
    items = [clip(name, external(f"file://{tmp_path}/a.mov", span(0, 20)), 4, 5) for name in ("one", "two")]
    path = write(tmp_path, *items, name="cut.fcpxml")
    cut = read_cut(path, 1)
    assert [(found.name, str(found.used), str(found.frames)) for found in cut.clips] == [
        ("one", "5-9", "4-10"),
        ("two", "5-9", "4-10"),
    ]
    text = open(path).read()
    at = text.index('<clip name="two"')
    inside = text.index(">", at) + 1
    warp = '<timeMap><timept time="0s" value="0s"/><timept time="1s" value="2s"/></timeMap>'
    (tmp_path / "cut.fcpxml").write_text(text[:inside] + warp + text[inside:])
    cut = read_cut(path, 1)
    assert [found.name for found in cut.clips] == ["one"] and "retimed" in cut.refused[0].reason


@pytest.mark.parametrize("name", ["a.otio", "a.edl", "a.fcpxml"])
@pytest.mark.parametrize("text", ["", "words words", "{}", "<a/>", "\0"])
def test_files_that_are_not_timelines_are_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(DocumentError, match=name):
        read_cut(str(tmp_path / name), 0)
    with pytest.raises(DocumentError, match="none"):
        read_cut(str(tmp_path / f"none{name}"), 0)


def test_an_edl_with_a_very_long_line_is_refused(tmp_path):
    (tmp_path / "a.edl").write_text("TITLE: t\n* FROM CLIP: " + "x" * 3_000_000 + "\n")
    with pytest.raises(DocumentError) as caught:
        read_cut(str(tmp_path / "a.edl"), 0)
    assert "a.edl" in caught.value.message and "3000013" in caught.value.message


def test_without_opentimelineio_the_error_names_what_to_install(tmp_path, monkeypatch):
    import sys

    path = write(tmp_path, clip("a", pictures(1, 10), 2, 2))
    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    with pytest.raises(ShotError, match=r'pip install "f2hdr\[timeline\]"'):
        read_cut(path, 0)
