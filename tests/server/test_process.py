"""The server as a process: whose environment counts, and how it ends."""

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from f2hdr_backend.client.jobs import detect, submit
from f2hdr_backend.image.write import read_header
from f2hdr_backend.shot.document import Color
from f2hdr_backend.shot.errors import F2HDRError
from tests.server.running import LONG_S, Served, make_plate, make_shot, until


@pytest.fixture
def served(tmp_path):
    """A server that was started with an OCIO variable that names a missing file."""
    server = Served(tmp_path)
    server.environment["OCIO"] = "/nowhere/of/the/first/client.ocio"
    yield server.start()
    server.stop()


def test_the_server_ignores_the_ocio_variable_and_exits_cleanly(served, tmp_path):
    color = Color(input_space="gamma22", output_space="ACEScg", clip_level=(1.0,))
    shot = replace(make_shot(make_plate(tmp_path / "p"), tmp_path / "o" / "o.####.exr"), color=color)
    assert list(submit(served.connection, shot).watch(LONG_S))[-1]["event"] == "render_finished"
    written = json.loads(read_header(tmp_path / "o" / "o.0001.exr")["f2hdr/shot"])
    assert written["color"]["config"] == "f2hdr"

    job = submit(served.connection, make_shot(make_plate(tmp_path / "q", 400, (320, 240)), tmp_path / "x/x.####.exr"))
    endless = make_plate(tmp_path / "endless", 12_000, (640, 480))
    until(lambda: job.status().done)
    with ThreadPoolExecutor(1) as others:
        measuring = others.submit(detect, served.connection, endless)
        until(lambda: job.status().done > 3)
        stop = [served.environment["F2HDR_BACKEND"], "serve", "--stop"]
        subprocess.run(stop, env=served.environment, check=True, capture_output=True, timeout=LONG_S)
        assert served.process.wait(LONG_S) == 0
        with pytest.raises(F2HDRError):
            measuring.result(LONG_S)
    assert "Traceback" not in (tmp_path / "server.log").read_text()
    assert not (served.runtime / "f2hdr" / "server.json").exists()
    assert {path.suffix for path in (tmp_path / "x").iterdir()} == {".exr"}


def test_a_server_whose_runtime_folder_was_deleted_finishes_its_jobs_and_ends(tmp_path):
    server = Served(tmp_path).start()
    job = submit(server.connection, make_shot(make_plate(tmp_path / "p", 40), tmp_path / "o" / "o.####.exr"))
    until(lambda: job.status().done)
    shutil.rmtree(server.runtime)
    assert server.process.wait(LONG_S) == 0
    assert len(list((tmp_path / "o").glob("o.*.exr"))) == 40
