"""Many jobs, streams and clients: every job is finished and no resource leaks."""

import socket
import threading

from f2hdr_backend.client.jobs import Job, info, submit
from tests.server.load import Footprint, window_request
from tests.server.running import LONG_S, make_plate, make_shot, until


def test_two_batch_jobs_advance_equally_while_a_host_is_served(server, tmp_path):
    plate = make_plate(tmp_path / "plate", 2000, (320, 240))
    asked = window_request(tmp_path, plate)
    shots = [make_shot(plate, tmp_path / name / "o.####.exr") for name in ("one", "two")]
    batches = [submit(server.connection, shot, client=str(index)) for index, shot in enumerate(shots)]
    ids = [batch.id for batch in batches]

    def done():
        listed = {status["id"]: status["done"] for status in server.connection.request("GET", "/v1/jobs")["jobs"]}
        return [listed[job] for job in ids]

    until(lambda: min(done()) > 3)
    first = done()  # the job submitted first may be ahead
    for _ in range(5):
        server.connection.request("POST", "/v1/frames", asked, timeout=LONG_S)
        one, two = (now - then for now, then in zip(done(), first, strict=True))
        assert abs(one - two) <= 3
    before = done()
    until(lambda: min(now - then for now, then in zip(done(), before, strict=True)) > 2)
    for batch in batches:
        batch.cancel()
    until(lambda: all(batch.status().is_over for batch in batches))


def test_finished_jobs_leave_no_thread_and_no_open_file(server, tmp_path):
    plate = make_plate(tmp_path / "plate", 2)

    def run(first, last):
        for number in range(first, last):
            shot = make_shot(plate, tmp_path / f"j{number}" / "o.####.exr")
            assert list(submit(server.connection, shot).watch(LONG_S))[-1]["event"] == "render_finished"

    run(0, 20)
    before = Footprint.of(server)
    run(20, 60)
    after = until(lambda: (now := Footprint.of(server)).files <= before.files + 2 and now)
    assert after.threads <= before.threads + 2
    assert after.memory_mb < before.memory_mb + 100


def test_fifty_simultaneous_streams_get_all_events(server, tmp_path):
    plate = make_plate(tmp_path / "plate", 3000, (320, 240))
    job = submit(server.connection, make_shot(plate, tmp_path / "o" / "o.####.exr"))
    heard = [[] for _ in range(50)]

    def listen(events):
        events.extend(Job(server.connection, job.id).watch(LONG_S))

    listening = [threading.Thread(target=listen, args=(events,)) for events in heard]
    for thread in listening:
        thread.start()
    until(lambda: job.status().done > 2)
    assert info(server.connection)["pid"] == server.process.pid
    job.cancel()
    for thread in listening:
        thread.join(LONG_S)
    assert heard[0][-1]["event"] == "canceled"
    assert all(events == heard[0] for events in heard)


def test_a_client_that_reads_nothing_does_not_delay_others(server, tmp_path):
    plate = make_plate(tmp_path / "plate", 60, (32, 24))
    job = submit(server.connection, make_shot(plate, tmp_path / "o" / "o.####.exr"))
    deaf = []
    for _ in range(10):
        door = socket.create_connection(("127.0.0.1", server.port))
        ask = (
            f"GET /v1/jobs/{job.id}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.facts['token']}\r\n\r\n"
        )
        door.sendall(ask.encode())
        deaf.append(door)
    assert list(job.watch(LONG_S))[-1]["event"] == "render_finished"
    for door in deaf:
        door.close()
