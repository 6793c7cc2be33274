"""Status files as the program sees them that can only read files."""

import json
import os
from dataclasses import replace

import pytest

from f2hdr_backend.client import status_file
from f2hdr_backend.client.jobs import JobStatus
from f2hdr_backend.client.status_file import StatusFile
from f2hdr_backend.shot.errors import Canceled, DocumentError, ImageError

RUNNING = JobStatus("ab", "running", 1, 4, 1001, "1 of 4 frames.", None, ("careful",))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "status.json"


def read(path):
    return json.loads(path.read_text())


def test_a_status_file_has_the_job_and_the_mean_time_of_its_frames(path):
    file = StatusFile(str(path))
    file.starting()
    assert read(path)["state"] == "starting"
    file.update(RUNNING, [{"event": "frame_done", "seconds": 1.0}, {"event": "warned"}])
    file.update(replace(RUNNING, done=2), [{"event": "frame_done", "seconds": 2.0}])
    document = read(path)
    assert (document["job"], document["done"], document["total"], document["frame"]) == ("ab", 2, 4, 1001)
    assert document["seconds_per_frame"] == 1.5 and document["warnings"] == ["careful"]
    assert document["pid"] == os.getpid()


def test_an_unchanged_status_is_written_at_most_once_per_interval(path, monkeypatch):
    monkeypatch.setattr(status_file, "WRITE_S", 1e9)
    file = StatusFile(str(path))
    file.update(RUNNING, [])
    path.unlink()
    file.update(RUNNING, [])
    assert not path.exists()
    file.update(replace(RUNNING, done=2), [])
    assert path.exists()


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [(ImageError("bad frame"), "failed", "image_error"), (Canceled("stopped"), "canceled", None)],
)
def test_the_final_status_keeps_the_progress(path, error, state, code):
    file = StatusFile(str(path))
    file.update(RUNNING, [])
    file.failed(error)
    document = read(path)
    assert (document["state"], document["done"], document["message"]) == (state, 1, str(error))
    assert (document["error"] or {}).get("code") == code


def test_a_cancel_file_next_to_the_status_file_cancels_the_job(path):
    file = StatusFile(str(path))
    assert not file.asks_to_cancel()
    (path.parent / "status.json.cancel").touch()
    assert file.asks_to_cancel()
    file.forget_cancel()
    file.forget_cancel()
    assert not file.asks_to_cancel()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DocumentError) as caught:
        StatusFile(str(tmp_path / "nowhere" / "s.json")).starting()
    assert str(tmp_path / "nowhere" / "s.json") in caught.value.message
