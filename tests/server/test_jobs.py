"""Jobs over a real server: the stream, the same pixels as the command line, idempotence, cancel, conflicts."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import OpenEXR
import PyOpenColorIO as ocio
import pytest

from f2hdr_backend.client.jobs import Job, detect, info, submit
from f2hdr_backend.client.launch import connect
from f2hdr_backend.color.config import SHIPPED_FILE
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.document import Output
from f2hdr_backend.shot.errors import ColorError, ExposureError, MissingFrames, ServerError, ShotError, WeightsMissing
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange
from tests.server.running import LONG_S, ROOT, make_plate, make_shot, until


def names(events):
    return [event["event"] for event in events]


def pixels(path):
    with OpenEXR.File(str(path)) as file:
        return {name: channel.pixels.copy() for name, channel in file.channels().items()}


def render_here(shot, folder, environment):
    """Result of ``f2hdr render`` in a separate process."""
    path = folder / "here.json"
    path.write_text(json.dumps(shot.to_json()))
    code = "from f2hdr_backend.cli.main import main; main()"
    command = [sys.executable, "-c", code, "render", str(path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONG_S)
    assert done.returncode == 0, done.stderr


def test_the_same_shot_gives_the_same_bytes_by_command_line_and_by_server(server, tmp_path):
    plate = make_plate(tmp_path / "plate", 3)
    shots = [
        replace(
            make_shot(plate, "o.####.exr", method="f2hdr"),
            output=Output(pattern=str(tmp_path / door / "o.####.exr"), layers=("flow", "mask", "coarse", "occlusion")),
        )
        for door in ("line", "server")
    ]
    render_here(shots[0], tmp_path, server.environment)
    assert names(submit(server.connection, shots[1]).watch(LONG_S))[-1] == "render_finished"
    for number in range(1, 4):
        by_line, by_server = (pixels(tmp_path / door / f"o.{number:04d}.exr") for door in ("line", "server"))
        assert by_line.keys() == by_server.keys()
        assert all(by_line[name].tobytes() == by_server[name].tobytes() for name in by_line)


def test_a_job_reports_every_frame_once_and_then_its_end(server, tmp_path):
    shot = make_shot(make_plate(tmp_path / "plate", 5), tmp_path / "o" / "o.####.exr")
    job = submit(server.connection, shot, FrameRange.parse("2-4"))
    events = list(job.watch(LONG_S))
    assert [event["frame"] for event in events if event["event"] == "frame_done"] == [2, 3, 4]
    assert names(events)[-1] == "render_finished"
    assert sorted(path.name for path in (tmp_path / "o").glob("*.exr")) == [f"o.000{n}.exr" for n in (2, 3, 4)]
    assert not list((tmp_path / "o").glob(".*.part"))
    status = job.status()
    assert (status.state, status.done, status.total, status.frame, status.error) == ("done", 3, 3, 4, None)
    assert list(job.watch(LONG_S)) == events
    seen, after = [], 0
    while after < len(events):
        _, new, after = job.poll(after)
        seen += new
    assert seen == events


def test_submitting_again_while_it_runs_gives_the_same_job_and_afterwards_skips_every_frame(server, tmp_path):
    shot = make_shot(make_plate(tmp_path / "plate", 12, (320, 240)), tmp_path / "o" / "o.####.exr")
    first, second = submit(server.connection, shot), submit(server.connection, shot)
    assert first.id == second.id
    list(first.watch(LONG_S))
    third = submit(server.connection, shot)
    assert third.id != first.id
    assert names(third.watch(LONG_S)).count("frame_skipped") == 12


def test_a_canceled_job_ends_and_leaves_complete_frames_only(server, tmp_path):
    plate = make_plate(tmp_path / "plate", 40, (320, 240))
    # A minute's work on any machine, so that the cancel arrives before its end.
    shot = make_shot(plate, tmp_path / "o" / "o.####.exr", method="f2hdr", weights="standard")
    job = submit(server.connection, shot)
    stream = job.watch(LONG_S)
    while next(stream)["event"] != "frame_done":
        pass
    job.cancel()
    assert names(stream)[-1] == "canceled"
    status = job.status()
    assert status.state == "canceled" and 0 < status.done < 40
    written = os.listdir(tmp_path / "o")
    assert all(name.endswith(".exr") for name in written)
    for name in written:
        pixels(tmp_path / "o" / name)
    job.cancel()
    assert job.status() == status


def test_a_waiting_job_is_canceled_at_once(server, tmp_path):
    plate = make_plate(tmp_path / "plate", 40, (320, 240))
    busy, waiting = (
        submit(server.connection, make_shot(plate, tmp_path / name / "o.####.exr"), client="one") for name in "ab"
    )
    waiting.cancel()
    assert waiting.status().state == "canceled"
    assert not (tmp_path / "b").exists()
    busy.cancel()
    until(lambda: busy.status().is_over)


def test_two_jobs_never_write_different_pixels_to_the_same_files(server, tmp_path):
    plate = make_plate(tmp_path / "plate", 40, (320, 240))
    shot = make_shot(plate, tmp_path / "o" / "o.####.exr", "1-30")
    other = replace(shot, output=replace(shot.output, anchor="short"))
    job = submit(server.connection, shot)
    with pytest.raises(ServerError, match=job.id) as caught:
        submit(server.connection, other)
    assert caught.value.job == job.id
    with pytest.raises(ServerError, match=job.id):
        submit(server.connection, replace(other, output=replace(other.output, pattern=f"{tmp_path}/o/o.%04d.exr")))
    apart = submit(server.connection, other, FrameRange.parse("31-32"))
    job.cancel()
    assert names(apart.watch(LONG_S))[-1] == "render_finished"
    until(lambda: job.status().is_over)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"plate": "/nowhere/p.####.tif"}, MissingFrames, "No file matches"),
        ({"exposures": ExposurePattern((1.0,), 1)}, ExposureError, "do not alternate"),
        ({"frames": FrameRange.parse("3-99")}, ShotError, "5-99 are outside the plate"),
    ],
)
def test_an_impossible_job_fails_with_the_error_of_its_cause(server, tmp_path, change, kind, words):
    shot = replace(make_shot(make_plate(tmp_path / "plate"), tmp_path / "o" / "o.####.exr"), **change)
    job = submit(server.connection, shot)
    last = list(job.watch(LONG_S))[-1]
    assert last["event"] == "error" and words in last["message"]
    assert (last["code"], last["exit_code"]) == (kind.code, kind.exit_code)
    status = job.status()
    assert status.state == "failed" and status.error["code"] == kind.code and words in status.message


def test_missing_weights_fail_the_job_and_not_the_server(server, tmp_path):
    plate = make_plate(tmp_path / "plate")
    shot = make_shot(plate, tmp_path / "o" / "o.####.exr", method="f2hdr", weights="nobody-has-these")
    last = list(submit(server.connection, shot).watch(LONG_S))[-1]
    assert last["code"] == WeightsMissing.code
    assert info(server.connection)["pid"] == server.process.pid


def test_detect_returns_the_exposures_or_an_error(server, tmp_path):
    found = detect(server.connection, make_plate(tmp_path / "plate", 8, (64, 48)))
    assert found["pattern"]["cycle"] == pytest.approx([0, 3], abs=0.05)
    with pytest.raises(MissingFrames) as caught:
        detect(server.connection, str(tmp_path / "q.####.tif"))
    assert caught.value.path == str(tmp_path / "q.####.tif")


def test_detect_reads_the_given_layer(server, tmp_path):
    for number in range(1, 9):
        light = np.linspace(0.01, 1.0, 64, dtype=np.float32)[None, :, None] * np.ones((48, 64, 3), np.float32)
        beauty = np.clip(np.roll(light, number, 1) * (1 if number % 2 else 8), 0, 1)
        write_exr(tmp_path / f"p.{number:04d}.exr", {"RGB": np.full_like(light, 0.5), "plate": beauty}, {})
    found = detect(server.connection, str(tmp_path / "p.####.exr"), "linear", layer="plate")
    assert found["pattern"]["cycle"] == pytest.approx([0, 3], abs=0.1)
    with pytest.raises(ExposureError):
        detect(server.connection, str(tmp_path / "p.####.exr"), "linear")


def test_detect_uses_the_given_space_and_config(server, tmp_path):
    config = ocio.Config.CreateFromFile(str(SHIPPED_FILE))
    config.addColorSpace(ocio.ColorSpace(name="of our studio"))
    (tmp_path / "studio.ocio").write_text(config.serialize())
    plate = make_plate(tmp_path / "plate", 8, (64, 48))
    found = detect(server.connection, plate, "of our studio", str(tmp_path / "studio.ocio"))
    assert found["pattern"]["cycle"] == pytest.approx([0, 3 / 2.2], abs=0.05)
    with pytest.raises(ColorError, match="of our studio"):
        detect(server.connection, plate, "of our studio")


def test_an_unknown_job_is_an_error_that_names_it(server):
    with pytest.raises(ServerError, match="0" * 16):
        Job(server.connection, "0" * 16).status()


def test_an_unwatched_job_with_keep_false_is_canceled(server, tmp_path):
    plate = make_plate(tmp_path / "plate", 3000, (640, 480))
    kept = submit(server.connection, make_shot(plate, tmp_path / "a" / "o.####.exr"), client="gone")
    left = submit(server.connection, make_shot(plate, tmp_path / "b" / "o.####.exr"), client="gone", keep=False)

    def states():
        """Without asking for a job itself, which would count as watching it."""
        listed = server.connection.request("GET", "/v1/jobs")["jobs"]
        return {status["id"]: status["state"] for status in listed}

    until(lambda: states()[left.id] == "canceled", "the cancel")
    assert states()[kept.id] in ("queued", "running")
    kept.cancel()
    until(lambda: states()[kept.id] == "canceled", "the cancel")


def test_the_cache_is_reported_and_cleared(server):
    held = server.connection.request("GET", "/v1/cache")
    assert held["folder"] == server.environment["F2HDR_CACHE"] and held["flows"] >= 0
    server.connection.request("DELETE", "/v1/cache")
    assert server.connection.request("GET", "/v1/cache")["flows"] == 0


def test_tcp_and_the_unix_socket_lead_to_the_same_server(server):
    with server.as_client():
        by_socket = connect(start=False)
    by_tcp = connect(address=server.facts["address"], token=server.facts["token"])
    assert by_socket.address.startswith("unix:") and by_tcp.address.startswith("http:")
    assert info(by_socket)["pid"] == info(by_tcp)["pid"] == server.process.pid
