"""One error for all chunks that failed."""

import pytest

from f2hdr_backend.farm.report import ChunkDone, ChunkFailed, failed, failures_in, family
from f2hdr_backend.shot.document import Output, Shot
from f2hdr_backend.shot.errors import F2HDRError, MissingFrames, UnreadableFrame

BAD = ChunkFailed("3-4", 2, "unreadable_frame", "p.3.tif is damaged")
WORSE = ChunkFailed("7-7", 2, "missing_frames", "p.7.tif is missing")


def test_all_events_are_passed_on_and_failures_recorded():
    events, found = [ChunkDone("1-2", 1.0, "w", 1, 3), BAD], []
    assert list(failures_in(events, found)) == events
    assert found == [BAD]


@pytest.mark.parametrize(
    ("code", "kind"), [("unreadable_frame", UnreadableFrame), ("missing_frames", MissingFrames), ("other", F2HDRError)]
)
def test_an_error_code_gives_its_class(code, kind):
    assert family(code) is kind


def test_the_error_has_the_class_of_the_first_failure_and_names_missing_frames(tmp_path):
    (tmp_path / "o.3.exr").touch()
    error = failed(Shot("p.#.tif", output=Output(str(tmp_path / "o.#.exr"))), [BAD, WORSE])
    assert type(error) is UnreadableFrame
    assert error.frames == (4, 7)
    assert error.failures == {"3-4": BAD.message, "7-7": WORSE.message}
    assert BAD.message in error.message and "4,7" in error.message
