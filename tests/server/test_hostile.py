"""Invalid files as inputs of jobs, measurements, frames and configs: one error each, and the server stays as it was."""

import os
import shutil
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from tests.server.running import make_plate, make_shot, until

if sys.platform == "win32":
    pytest.skip("needs pipes and links", allow_module_level=True)

DATA = Path(__file__).parents[1] / "data" / "hostile"
LUT_CONFIG = """ocio_profile_version: 2
roles: {default: lin, scene_linear: lin}
colorspaces:
  - !<ColorSpace>
    name: lin
  - !<ColorSpace>
    name: lut
    to_scene_reference: !<FileTransform> {src: /dev/zero}
"""
MOST_GROWTH = 500e6
"""Bytes of memory that the server and each of its decoders may grow by."""


def far(folder, number):
    """A plate with one more file, whose number is far away."""
    make_plate(folder, 2)
    shutil.copy(folder / "p.0001.tif", folder / f"p.{number}.tif")
    return folder / "p.####.tif"


def pipe(path):
    os.mkfifo(path)
    return path


def link(path, target):
    path.symlink_to(target)
    return path


def text(path, content):
    path.write_text(content)
    return path


def with_pipe(folder):
    make_plate(folder, 3)
    os.mkfifo(folder / "p.0004.tif")
    return folder / "p.####.tif"


PLATES = {
    "movie that claims 1.3 billion frames": lambda folder: DATA / "h265_memory.mp4",
    "negative part": lambda folder: DATA / "multipart_negative_part.####.exr",
    "number of a date": lambda folder: far(folder / "p", 20260131),
    "number of 14 digits": lambda folder: far(folder / "p", 99999999999999),
    "list of other files": lambda folder: text(folder / "a.mov", "ffconcat version 1.0\nfile /etc/passwd\n"),
    "playlist": lambda folder: text(folder / "a.mp4", "#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"),
    "pipe": lambda folder: pipe(folder / "a.mov"),
    "pipe in a sequence": lambda folder: with_pipe(folder / "p"),
    "device": lambda folder: link(folder / "a.mov", "/dev/zero"),
    "folder": lambda folder: folder,
    "memory of the server": lambda folder: Path("/proc/self/mem"),
    "long path": lambda folder: Path("/" + "a/" * 2000 + "p.####.exr"),
}
FILES = {
    "pipe": lambda folder: pipe(folder / "a"),
    "device": lambda folder: Path("/dev/zero"),
    "movie": lambda folder: DATA / "h265_memory.mp4",
    "deep": lambda folder: text(folder / "a", "[" * 100_000),
    "binary": lambda folder: DATA / "multipart_negative_part.1001.exr",
    "lookup table that never ends": lambda folder: text(folder / "a", LUT_CONFIG),
}


@pytest.fixture
def alive(server):
    """Others are answered at any time, and afterwards the server has grown by little and has logged no bug."""
    bugs = (server.folder / "server.log").read_text().count("Traceback")
    done, largest = threading.Event(), [0]
    before = memory(server)

    def others():
        while not done.wait(0.05):
            assert server.ask("GET", "/v1/info")[0] == 200
            largest[0] = max(largest[0], memory(server))

    asking = threading.Thread(target=others)
    asking.start()
    yield server
    done.set()
    asking.join()
    assert largest[0] - before < MOST_GROWTH
    assert (server.folder / "server.log").read_text().count("Traceback") == bugs
    assert server.process.poll() is None


def memory(server):
    """Bytes of the largest of the server's processes."""
    process, sizes = psutil.Process(server.process.pid), [0]
    for each in (process, *process.children()):
        try:
            sizes.append(each.memory_info().rss)
        except psutil.Error:  # it has just ended
            continue
    return max(sizes)


def finished(server, shot):
    """Submit a job and wait; return the answer to a refused one, or the error of a failed one."""
    status, answer = server.ask("POST", "/v1/jobs", {"shot": shot.to_json()})
    if status >= 400:
        return answer
    job = until(lambda: (now := server.ask("GET", f"/v1/jobs/{answer['id']}")[1])["state"] in ENDED and now)
    return job["error"]


ENDED = ("done", "failed", "canceled")


@pytest.mark.parametrize("kind", PLATES)
def test_a_hostile_plate_is_one_error_of_its_job_and_of_its_measurement(alive, tmp_path, kind):
    path = str(PLATES[kind](tmp_path))
    error = finished(alive, make_shot(path, tmp_path / "o" / "o.####.exr"))
    named = error["message"][:100] if kind == "long path" else error["message"]
    assert error["exit_code"] in (2, 3) and os.path.dirname(path)[:50] in named
    assert len(error["message"]) <= 700
    status, answer = alive.ask("POST", "/v1/detect", {"plate": path})
    assert status in (404, 422) and answer["code"] == error["code"]


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("field", ["config", "response"])
def test_a_hostile_config_or_response_is_one_error(alive, tmp_path, field, kind):
    path = str(FILES[kind](tmp_path))
    document = make_shot(make_plate(tmp_path / "plate", 2), tmp_path / "o" / "o.####.exr").to_json()
    space = "lut" if field == "config" else "auto"
    document["color"] = {**document["color"], field: path, "input_space": space}
    status, job = alive.ask("POST", "/v1/jobs", {"shot": document})
    ended = until(lambda: (now := alive.ask("GET", f"/v1/jobs/{job['id']}")[1])["state"] in ENDED and now)
    assert status == 201 and ended["error"]["code"] == "color_error" and path in ended["error"]["message"]
    if field == "config":
        assert alive.ask("GET", f"/v1/spaces?config={quote(path, safe='')}")[0] in (200, 422)


@pytest.mark.parametrize("kind", [kind for kind in FILES if kind != "lookup table that never ends"])
def test_a_hostile_buffer_is_one_error(alive, tmp_path, kind):
    path = str(FILES[kind](tmp_path))
    shot = make_shot("/p.####.exr", "/o.####.exr").to_json()
    request = {"shot": shot, "buffers": [path] * 3, "output": str(tmp_path / "out")}
    status, answer = alive.ask("POST", "/v1/frames", request)
    assert status == 422 and answer["code"] == "unreadable_frame" and path in answer["message"]
    assert not (tmp_path / "out").exists()
