"""Frame numbers in, the same frame numbers out: ranges, paddings, gaps, steps and pattern dialects."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from f2hdr_backend.shot.errors import ShotError, UnreadableFrame
from f2hdr_backend.shot.frames import FrameRange, Sequence
from f2hdr_backend.shot.limits import limit

FRAME = st.integers(-10, 12_000)
PADDING = st.integers(1, 8)
STEP = st.integers(1, 12)
NAME = st.text("abz_.- 0129é", max_size=8)


@st.composite
def frame_sets(draw: st.DrawFn) -> set[int]:
    """Frame ranges as they occur: runs with steps and gaps, and single frames."""
    frames: set[int] = set()
    for _ in range(draw(st.integers(1, 4))):
        start, step, count = draw(FRAME), draw(STEP), draw(st.integers(1, 12))
        frames.update(range(start, start + step * count, step))
    return frames


# -- FrameRange


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("7", [7]),
        ("7-7", [7]),
        ("1001-1004", [1001, 1002, 1003, 1004]),
        ("1001-1010x4,1105", [1001, 1005, 1009, 1105]),
        ("-5--1", [-5, -4, -3, -2, -1]),
        ("-5", [-5]),
        ("-2-1", [-2, -1, 0, 1]),
        (" 3 , 1-2 ", [1, 2, 3]),
        ("1-3,2-4,3", [1, 2, 3, 4]),
        ("0001-0003", [1, 2, 3]),
    ],
)
def test_frame_ranges_are_parsed(text: str, frames: list[int]) -> None:
    assert list(FrameRange.parse(text)) == frames


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1001-1100x2,1105", "1001-1099x2,1105"),
        ("7-7", "7"),
        ("1,2", "1-2"),
        ("1,3", "1,3"),
        ("1,3,5", "1-5x2"),
        ("1,3,4,5,6", "1,3-6"),
        ("-1,-3,-5", "-5--1x2"),
    ],
)
def test_ranges_have_a_canonical_text(text: str, canonical: str) -> None:
    assert str(FrameRange.parse(text)) == canonical


@given(frame_sets())
@example({1, 2, 4, 6, 8})
@example({-1, 0, 1})
def test_the_text_of_a_range_parses_to_the_same_range(frames: set[int]) -> None:
    written = FrameRange(tuple(frames))
    read = FrameRange.parse(str(written))
    assert read == written
    assert list(read) == sorted(frames)
    assert str(read) == str(written)


@given(FRAME, STEP, st.integers(1, 200))
def test_evenly_spaced_frames_are_one_part_of_the_text(start: int, step: int, count: int) -> None:
    text = str(FrameRange(tuple(range(start, start + step * count, step))))
    assert "," not in text or (count == 2 and step > 1)


@given(frame_sets())
def test_a_range_supports_length_membership_and_iteration(frames: set[int]) -> None:
    found = FrameRange(tuple(frames))
    assert len(found) == len(frames)
    assert (found.first, found.last) == (min(frames), max(frames))
    assert all(frame in found for frame in frames)
    assert min(frames) - 1 not in found


@pytest.mark.parametrize("text", ["", ",", "a", "1-", "1-2x", "1-2x-1", "1x2", "1.5", "1--", "1 2", "١", "1-2-3"])
def test_text_that_is_not_a_range_is_refused(text: str) -> None:
    with pytest.raises(ShotError, match=re.escape(f'"{text}"')):
        FrameRange.parse(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("10-1", "1-10"),
        ("1-10x0", "step of 0"),
        (f"1-{limit('frames') + 1}", "limit"),
        ("0-999999999", "limit"),
    ],
)
def test_an_impossible_range_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(ShotError, match=words):
        FrameRange.parse(text)


def test_an_empty_range_has_no_first_and_last_frame() -> None:
    empty = FrameRange(())
    assert not empty
    with pytest.raises(ShotError, match="empty"):
        _ = empty.first


# -- Sequence


@pytest.mark.parametrize("mark", ["####", "@@@@", "%04d", "$F4"])
def test_patterns_in_every_notation_are_the_same_sequence(mark: str) -> None:
    sequence = Sequence.parse(f"shots/sh010/plate.{mark}.exr")
    assert sequence == Sequence("shots/sh010", "plate.", 4, ".exr")
    assert str(sequence) == "shots/sh010/plate.####.exr"


@pytest.mark.parametrize(
    ("text", "padding"),
    [("a.#.x", 1), ("a.%d.x", 1), ("a.$F.x", 1), ("a.@.x", 1), ("a.%08d.x", 8), ("a.$F3.x", 3)],
)
def test_each_notation_has_its_padding(text: str, padding: int) -> None:
    assert Sequence.parse(text).padding == padding


@pytest.mark.parametrize(
    ("frame", "padding", "number"),
    [
        (1, 4, "0001"),
        (0, 4, "0000"),
        (-5, 4, "-0005"),
        (12_000, 4, "12000"),
        (-12_000, 4, "-12000"),
        (7, 1, "7"),
    ],
)
def test_frame_numbers_are_written_into_paths_with_padding(frame: int, padding: int, number: str) -> None:
    assert Sequence("d", "p.", padding, ".x").path(frame) == f"d/p.{number}.x"


def test_negative_numbers_are_found_with_and_without_the_sign_counted(tmp_path: Path) -> None:
    sequence = Sequence.parse(f"{tmp_path}/p.%04d.x")
    names = {-12: "-012", -5: "-0005", -1: "-001", 0: "0000", 3: "0003"}
    for number in names.values():
        (tmp_path / f"p.{number}.x").touch()
    assert sequence.listed() == (FrameRange(tuple(names)), ())
    for frame, number in names.items():
        assert sequence.path(frame) == f"{tmp_path}/p.{number}.x"
        assert sequence.frame_of(f"{tmp_path}/p.{number}.x") == frame


def test_numbered_files_that_do_not_match_the_pattern_are_listed(tmp_path: Path) -> None:
    for number in ("0001", "0002", "1", "00003", "-001", "-0001", "x", "0004a"):
        (tmp_path / f"p.{number}.x").touch()
    for name in ("p.0005.X", "P.0006.x", "p.0007a.X"):
        (tmp_path / name).touch()
    frames, others = Sequence.parse(f"{tmp_path}/p.####.x").listed()
    assert list(frames) == [-1, 1, 2]
    assert others == ("P.0006.x", "p.-001.x", "p.00003.x", "p.0005.X", "p.1.x")


@given(NAME, PADDING, NAME, FRAME, st.sampled_from(["", ".", "a/b c", "/abs"]))
def test_the_frame_number_is_read_back_from_its_path(
    prefix: str, padding: int, suffix: str, frame: int, folder: str
) -> None:
    sequence = Sequence(folder, prefix, padding, suffix)
    assert sequence.frame_of(sequence.path(frame)) == frame


@given(NAME, PADDING, NAME, st.sampled_from(["", "a/b c", "/abs", "/"]))
def test_the_text_of_a_pattern_parses_to_the_same_pattern(prefix: str, padding: int, suffix: str, folder: str) -> None:
    sequence = Sequence(folder, prefix, padding, suffix)
    assert Sequence.is_pattern(str(sequence))
    assert Sequence.parse(str(sequence)) == sequence


@given(PADDING, FRAME)
def test_paths_are_those_of_printf(padding: int, frame: int) -> None:
    """The text of C's ``%0Nd``, for frames that are not negative."""
    mark = f"%0{padding}d"
    assert Sequence.parse(f"p.{mark}.exr").path(abs(frame)) == f"p.{mark}.exr" % abs(frame)


@pytest.mark.parametrize(
    "path",
    [
        "d/p.1.exr",  # too few digits
        "d/p.00001.exr",  # too many
        "d/p.-0000.exr",
        "d/p.+001.exr",
        "d/p.0001.EXR",
        "d/q.0001.exr",
        "d/p..exr",
        "d/p.exr",
        "d/p.٠٠٠١.exr",
        "p.0001.exr",
        "e/p.0001.exr",
    ],
)
def test_files_that_do_not_match_are_not_frames(path: str) -> None:
    assert Sequence.parse("d/p.####.exr").frame_of(path) is None


def test_other_spellings_of_the_same_folder_match() -> None:
    assert Sequence.parse("a/../d/p.####.exr").frame_of("./d/p.0001.exr") == 1


@pytest.mark.parametrize("text", ["plate.exr", "d.####/plate.exr", "", "plate.0001.exr", "100%.mov"])
def test_a_pattern_without_a_frame_placeholder_is_refused(text: str) -> None:
    assert not Sequence.is_pattern(text)
    with pytest.raises(ShotError, match=re.escape(f'"{text}"')):
        Sequence.parse(text)


@pytest.mark.parametrize("text", ["a.####.b.##.exr", "a.%04d.####.exr", "a.$F4.%d.exr"])
def test_a_pattern_with_two_frame_placeholders_is_refused(text: str) -> None:
    with pytest.raises(ShotError, match=r"\b2\b.*plate\.####\.exr"):
        Sequence.parse(text)


def test_an_at_sign_is_a_plain_character_if_there_is_another_placeholder() -> None:
    sequence = Sequence.parse("shot@home.%04d.exr")
    assert sequence.path(3) == "shot@home.0003.exr"
    assert Sequence.parse(str(sequence)) == sequence


@given(frames=frame_sets(), padding=PADDING)
def test_existing_and_missing_frames_are_listed(
    tmp_path_factory: pytest.TempPathFactory, frames: set[int], padding: int
) -> None:
    folder = tmp_path_factory.mktemp("plate")
    sequence = Sequence(str(folder), "p.", padding, ".x")
    absent = set(sorted(frames)[1::3])
    for frame in frames - absent:
        Path(sequence.path(frame)).touch()
    (folder / "p.x").touch()
    (folder / "notes.txt").touch()
    assert set(sequence.on_disk()) == frames - absent
    assert sequence.missing(frames) == tuple(sorted(absent))


def test_a_missing_folder_has_no_frames(tmp_path: Path) -> None:
    sequence = Sequence(str(tmp_path / "nowhere"), "p.", 4, ".x")
    assert len(sequence.on_disk()) == 0
    assert sequence.missing([2, 1]) == (1, 2)


def test_relative_patterns_look_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.0007.x").touch()
    monkeypatch.chdir(tmp_path)
    assert list(Sequence.parse("p.####.x").on_disk()) == [7]


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> list[str]:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("os.listdir", refuse)
    with pytest.raises(UnreadableFrame) as caught:
        Sequence(str(tmp_path), "p.", 4, ".x").on_disk()
    assert caught.value.path == str(tmp_path)


def test_the_total_number_of_frames_in_many_ranges_is_limited():
    text = ",".join(f"{start}-{start + 99_999}" for start in range(0, 2_000_000, 100_000))
    with pytest.raises(ShotError, match="2000000.*1000000"):
        FrameRange.parse(text)
