"""``f2hdr check``: every frame is present and correct, or reported with its error."""

import json
import os
import shutil

import numpy as np
import pytest

from f2hdr_backend.engine.digest import frame_digest
from f2hdr_backend.engine.window import window_of
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.image.write import read_header, write_exr
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import DocumentError, ImageError
from tests.farm.plates import document, f2hdr, prepared


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rendered")
    shot = prepared(folder, 4)
    assert f2hdr("render", shot, "--json").exit_code == 0
    return folder


@pytest.fixture
def shot(rendered):
    """The rendered shot, its result put back afterwards: digests name the plate's own path and time."""
    kept = rendered / "kept"
    shutil.copytree(rendered / "hdr", kept)
    yield rendered / "shot.json"
    shutil.rmtree(rendered / "hdr")
    kept.rename(rendered / "hdr")


def frame(shot, number):
    return shot.parent / "hdr" / f"o.{number}.exr"


def problems(answer):
    assert isinstance(answer.exception, ImageError) and answer.exception.exit_code == 3
    return answer.exception.problems


def test_a_complete_render_passes_the_check(shot):
    answer = f2hdr("check", shot, "--json")
    assert answer.exit_code == 0, answer.output
    events = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [event["frame"] for event in events] == [1001, 1002, 1003, 1004]
    assert {event["problem"] for event in events} == {""} and len({event["method"] for event in events}) == 1


def test_missing_and_truncated_frames_are_named(shot):
    frame(shot, 1002).unlink()
    frame(shot, 1004).write_bytes(frame(shot, 1004).read_bytes()[:-2000])
    found = problems(f2hdr("check", shot))
    assert list(found) == [1002, 1004] and "not exist" in found[1002] and "cannot be read" in found[1004]
    assert f2hdr("check", shot, "--frames", "1001").exit_code == 0


@pytest.mark.parametrize(
    ("value", "size", "words"),
    [(np.nan, (48, 64), "NaN"), (np.inf, (48, 64), "NaN or Inf"), (1.0, (24, 64), "64 x 24")],
)
def test_frames_with_nonfinite_pixels_or_another_size_are_found(shot, value, size, words):
    pixels = np.ones((*size, 3), np.float32)
    pixels[3, 5, 1] = value
    header = {name: text for name, text in read_header(frame(shot, 1003)).items() if name.startswith("f2hdr/")}
    write_exr(frame(shot, 1003), {"RGB": pixels}, header, pixel_type="float")
    assert words in problems(f2hdr("check", shot))[1003]


def test_frames_with_other_settings_or_from_a_changed_plate_are_found(shot):
    assert f2hdr("render", shot, "--frames", "1002", "--anchor", "short", "--json").exit_code == 0
    assert problems(f2hdr("check", shot)) == {1002: "it was rendered from other inputs or settings"}
    plate = shot.parent / "plate" / "p.1004.tif"
    before = plate.stat()
    try:
        os.utime(plate, ns=(before.st_atime_ns, before.st_mtime_ns + 10**9))
        assert list(problems(f2hdr("check", shot))) == [1002, 1003, 1004]
    finally:
        os.utime(plate, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_frame_rendered_with_other_weights_is_found(shot):
    settled, plate = Shot.from_json(document(shot)), open_plate(document(shot)["plate"])
    window = window_of(1003, settled, plate.frames)
    files = [plate.identity(number) for number in window.frames]
    header = read_header(frame(shot, 1003)) | {
        "f2hdr/method": "other weights", "f2hdr/digest": frame_digest(settled, window, "other weights", files),
    }  # fmt: skip
    own = {name: text for name, text in header.items() if name.startswith("f2hdr/")}
    write_exr(frame(shot, 1003), {"RGB": np.ones((48, 64, 3), np.float32)}, own)
    found = problems(f2hdr("check", shot))
    assert list(found) == [1003] and "other weights, flow, precision" in found[1003]


def test_sweep_removes_only_temporary_files_of_frames_of_the_shot(shot):
    left = shot.parent / "hdr" / ".o.1002.exr.4711-0123456789abcdef.part"
    other = shot.parent / "hdr" / ".o.2002.exr.4711-0123456789abcdef.part"
    left.write_bytes(b"half a frame")
    other.write_bytes(b"another job's")
    assert f2hdr("check", shot).exit_code == 0 and left.exists()
    assert f2hdr("check", shot, "--sweep").exit_code == 0
    assert not left.exists() and other.exists()


@pytest.mark.parametrize(
    "change", [{"exposures": None}, {"cuts": None}, {"color": {"input_space": "gamma22", "clip_level": None}}]
)
def test_an_unsettled_shot_is_refused_with_a_hint_to_prepare(shot, tmp_path, change):
    (tmp_path / "open.json").write_text(json.dumps({**document(shot), **change}))
    answer = f2hdr("check", tmp_path / "open.json")
    assert isinstance(answer.exception, DocumentError) and "f2hdr prepare" in answer.exception.hint
