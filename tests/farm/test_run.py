"""Chunks in several processes: the same bytes as one run, in any order and with killed processes."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys

import pytest

from f2hdr_backend.farm.job import FarmJob
from f2hdr_backend.farm.report import ChunkDone, ChunkFailed
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.events import FrameDone
from tests.farm.plates import digests, document, f2hdr, prepared
from tests.server.running import LONG_S

FRAMES = 10
CHUNK_BY_CHUNK = """
import sys
from f2hdr_backend.cli.main import build_app
app = build_app()
for frames in sys.argv[2:]:
    app(["render", sys.argv[1], "--frames", frames, "--json"], standalone_mode=False)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A shot, and the frames of one run of it; ``hdr`` is empty again."""
    folder = tmp_path_factory.mktemp("shot")
    shot = prepared(folder, FRAMES, "--layers", "flow,mask")
    assert f2hdr("render", shot, "--json").exit_code == 0
    (folder / "hdr").rename(folder / "whole")
    assert len(digests(folder / "whole")) == FRAMES
    return folder


@pytest.fixture
def shot(whole):
    yield whole / "shot.json"
    shutil.rmtree(whole / "hdr", ignore_errors=True)


def only_whole_frames(folder):
    """Whether there is nothing but frames and the records of renders."""
    return all(name.endswith((".exr", ".json")) for name in os.listdir(folder))


def test_ten_chunks_in_three_processes_equal_one_render(shot):
    order = [f"{number}-{number}" for number in range(1001, 1011)]
    random.Random(3).shuffle(order)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", CHUNK_BY_CHUNK, str(shot), *order[part::3]],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment,
        )
        for part in range(3)
    ]  # fmt: skip
    for worker in workers:
        _, result = worker.communicate(timeout=LONG_S)
        assert worker.returncode == 0, result
    assert digests(shot.parent / "hdr") == digests(shot.parent / "whole")


def test_openjd_sessions_give_the_bytes_of_one_render(shot, tmp_path):
    pytest.importorskip("openjd.cli")
    result = f2hdr("farm", "run", shot, "--engine", "openjd", "--chunk", "5", "--folder", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert sorted(event["frames"] for event in events if event["event"] == "chunk_done") == ["1001-1005", "1006-1010"]
    assert digests(shot.parent / "hdr") == digests(shot.parent / "whole")
    assert "openjd_progress: 100.00" in (tmp_path / "logs" / "check.log").read_text()


@pytest.fixture(scope="module")
def client():
    dask = pytest.importorskip("f2hdr_backend.farm.dask")
    with dask.cluster("", 2) as client:
        yield client


def on_dask(client, shot, chunk, retries=2):
    from f2hdr_backend.cli.verbs.farm import open_renderer
    from f2hdr_backend.farm import dask

    job = FarmJob(Shot.from_json(document(shot)), "test", chunk=chunk, retries=retries)
    return dask.run(job, client, open_renderer)


def test_dask_workers_report_every_frame_and_give_the_bytes_of_one_render(client, shot):
    events = list(on_dask(client, shot, 2))
    assert [event.done for event in events if isinstance(event, FrameDone)] == list(range(1, FRAMES + 1))
    assert sorted(event.frames for event in events if isinstance(event, ChunkDone))[0] == "1001-1002"
    assert digests(shot.parent / "hdr") == digests(shot.parent / "whole")


def test_no_frame_is_lost_with_a_killed_dask_worker(client, shot):
    pids = client.run(os.getpid)
    killed = None
    events = []
    for event in on_dask(client, shot, 2):
        events.append(event)
        if killed is None and isinstance(event, FrameDone):
            killed = next(iter(pids.values()))
            os.kill(killed, signal.SIGKILL)
    assert sum(isinstance(event, ChunkDone) for event in events) == 5
    assert digests(shot.parent / "hdr") == digests(shot.parent / "whole")
    assert f2hdr("check", shot, "--sweep").exit_code == 0
    assert only_whole_frames(shot.parent / "hdr")


def test_an_unreadable_frame_is_retried_and_then_named(client, shot):
    plate = shot.parent / "plate" / "p.1008.tif"
    kept = plate.rename(plate.with_suffix(".kept"))
    plate.write_bytes(b"no picture")
    try:
        events = list(on_dask(client, shot, 5, retries=1))
    finally:
        kept.replace(plate)
    failures = [event for event in events if isinstance(event, ChunkFailed)]
    assert [(event.frames, event.tries, event.code) for event in failures] == [("1006-1010", 2, "unreadable_frame")]
    assert "p.1008.tif" in failures[0].message
    assert [event.frames for event in events if isinstance(event, ChunkDone)] == ["1001-1005"]
    there = digests(shot.parent / "hdr")
    assert len(there) >= 5 and there.items() <= digests(shot.parent / "whole").items()
