"""``f2hdr submit`` as programs start it: watching, detached with a status file, canceled by a file."""

import json
import os
import signal
import subprocess
import time

import pytest
from typer.testing import CliRunner

from f2hdr_backend.cli.main import build_app
from f2hdr_backend.client.jobs import Job
from f2hdr_backend.client.status_file import StatusFile
from f2hdr_backend.shot.errors import Canceled, DocumentError
from tests.server.running import LONG_S, Served, make_plate, make_shot, until


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    server = Served(tmp_path_factory.mktemp("served")).start()
    yield server
    server.stop()


@pytest.fixture
def short(tmp_path):
    """A Shot of four small frames, as a file."""
    return write_shot(tmp_path, "short", 4, (32, 24))


@pytest.fixture
def endless(tmp_path):
    """A Shot that renders longer than any test."""
    return write_shot(tmp_path, "endless", 3000, (640, 480))


def write_shot(folder, name, count, size):
    shot = make_shot(make_plate(folder / name, count, size), folder / f"{name}-out" / "o.####.exr")
    (folder / f"{name}.json").write_text(json.dumps(shot.to_json()))
    return folder / f"{name}.json"


def f2hdr(served, *words, **options):
    command = [served.environment["F2HDR_BACKEND"], *map(str, words)]
    return subprocess.run(
        command, env=served.environment, capture_output=True, text=True, timeout=LONG_S, **options
    )  # fmt: skip


def read(path):
    """The status, or nothing while there is no file."""
    return json.loads(path.read_text()) if path.exists() else {"state": ""}


def test_submit_follows_the_job_to_its_end_with_parseable_lines(served, short, tmp_path):
    ran = f2hdr(served, "submit", short, "--frames", "2-3", "--json")
    assert ran.returncode == 0, ran.stderr
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [event["frame"] for event in events if event["event"] == "frame_done"] == [2, 3]
    assert events[-1]["event"] == "render_finished"
    assert sorted(path.name for path in (tmp_path / "short-out").glob("*.exr")) == ["o.0002.exr", "o.0003.exr"]


def test_relative_paths_are_resolved_in_the_folder_of_the_caller(served, tmp_path):
    make_plate(tmp_path / "plate")
    (tmp_path / "shot.json").write_text(json.dumps(make_shot("plate/p.####.tif", "out/o.####.exr").to_json()))
    ran = f2hdr(served, "submit", "shot.json", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert len(list((tmp_path / "out").glob("*.exr"))) == 4


@pytest.mark.parametrize(
    ("words", "code", "answer"),
    [
        (("{short}", "--frames", "3-99"), 2, "outside the plate"),
        (("{short}", "--frames", "x"), 2, "not a frame range"),
        (("/nowhere.json",), 2, "cannot be read"),
        (("{short}", "--priority", "urgent"), 2, "urgent"),
        (("{short}", "--detach"), 2, "--status"),
        ((), 2, "nothing to submit"),
        (("--cancel", "0000000000000000"), 6, "no job"),
    ],
)
def test_errors_give_one_sentence_and_an_exit_code(served, short, words, code, answer):
    ran = f2hdr(served, "submit", *(word.format(short=short) for word in words), "--json")
    assert ran.returncode == code and answer in ran.stderr
    last = json.loads(ran.stdout.splitlines()[-1])
    assert (last["event"], last["exit_code"]) == ("error", code)


def test_with_detach_submit_returns_at_once_and_the_status_file_follows_the_job(served, short, tmp_path):
    status = tmp_path / "status.json"
    (tmp_path / "status.json.cancel").touch()
    ran = f2hdr(served, "submit", short, "--detach", "--status", status)
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert answer["event"] == "detached" and answer["status"] == str(status)
    assert read(status)["state"] != ""
    done = until(lambda: read(status) if read(status)["state"] == "done" else None)
    assert (done["version"], done["done"], done["total"], done["frame"]) == (1, 4, 4, 4)
    assert done["error"] is None and done["warnings"] == [] and len(done["job"]) == 16
    assert done["seconds_per_frame"] > 0 and done["message"] and done["pid"] == answer["pid"]
    assert abs(done["updated"] - time.time()) < LONG_S
    until(lambda: not os.path.exists(f"/proc/{answer['pid']}") or _is_zombie(answer["pid"]))
    assert sorted(path.name for path in tmp_path.glob("status*")) == ["status.json"]


def _is_zombie(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "Z"


def test_a_cancel_file_cancels_the_job_and_is_removed(served, endless, tmp_path):
    status = tmp_path / "status.json"
    assert f2hdr(served, "submit", endless, "--detach", "--status", status).returncode == 0
    running = until(lambda: read(status) if read(status)["state"] == "running" else None)
    (tmp_path / "status.json.cancel").touch()
    until(lambda: read(status)["state"] == "canceled")
    until(lambda: not (tmp_path / "status.json.cancel").exists())
    assert Job(served.connection, running["job"]).status().state == "canceled"
    assert read(status)["error"] is None


def test_a_job_is_canceled_by_its_number(served, endless, tmp_path):
    status = tmp_path / "status.json"
    f2hdr(served, "submit", endless, "--detach", "--status", status)
    job = until(lambda: read(status).get("job"))
    assert f2hdr(served, "submit", "--cancel", job).returncode == 0
    until(lambda: read(status)["state"] == "canceled")


def test_an_interrupted_watch_cancels_the_job(served, endless, tmp_path):
    status = tmp_path / "status.json"
    command = [served.environment["F2HDR_BACKEND"], "submit", str(endless), "--status", str(status)]
    watcher = subprocess.Popen(command, env=served.environment, stderr=subprocess.DEVNULL)
    job = until(lambda: read(status)["job"] if read(status)["state"] == "running" else None)
    watcher.send_signal(signal.SIGINT)
    assert watcher.wait(LONG_S) == 130
    until(lambda: Job(served.connection, job).status().state == "canceled")
    assert read(status)["state"] == "canceled"


def test_a_server_that_dies_is_reported_in_the_status_file(tmp_path, endless):
    server = Served(tmp_path).start()
    status = tmp_path / "status.json"
    f2hdr(server, "submit", endless, "--detach", "--status", status)
    until(lambda: read(status)["state"] == "running")
    server.kill()
    failed = until(lambda: read(status) if read(status)["state"] == "failed" else None)
    assert failed["error"]["code"] == "server_unreachable" and "Submit again" in failed["message"]


def test_a_status_file_has_the_error_of_a_failed_job_and_the_state_of_a_canceled_one(tmp_path):
    file = StatusFile(str(tmp_path / "s"))
    file.starting()
    assert json.loads((tmp_path / "s").read_text())["state"] == "starting"
    file.failed(DocumentError("wrong", hint="fix it", field="plate"))
    answer = json.loads((tmp_path / "s").read_text())
    assert answer["state"] == "failed" and answer["message"] == "wrong fix it"
    assert answer["error"]["facts"] == {"field": "plate"} and answer["error"]["exit_code"] == 2
    file.failed(Canceled("stopped"))
    assert json.loads((tmp_path / "s").read_text())["state"] == "canceled"
    with pytest.raises(DocumentError, match="no folder"):
        StatusFile(str(tmp_path / "no folder" / "s")).starting()


def test_an_unexpected_exception_is_in_the_status_file(short, tmp_path, monkeypatch):
    def fail(**settings):
        raise RuntimeError("no such luck")

    monkeypatch.setattr("f2hdr_backend.cli.verbs.submit.connect", fail)
    answer = CliRunner().invoke(build_app(), ["submit", str(short), "--status", str(tmp_path / "status.json")])
    assert isinstance(answer.exception, RuntimeError)
    status = read(tmp_path / "status.json")
    assert status["state"] == "failed" and "no such luck" in status["message"]
    assert status["error"]["exit_code"] == 1
