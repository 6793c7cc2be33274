"""Load tests of the server: ``python -m tests.server.load WHAT`` prints the measurements."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from f2hdr_backend.client.jobs import Job, info, submit
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.server.buffers import Buffer, write_buffer
from tests.server.running import LONG_S, Served, make_plate, make_shot


@dataclass(frozen=True)
class Footprint:
    """Resources of the server's process."""

    memory_mb: float
    threads: int
    files: int

    @classmethod
    def of(cls, served: Served) -> Footprint:
        """It, now."""
        process = psutil.Process(served.process.pid)
        return cls(process.memory_info().rss / 1e6, process.num_threads(), process.num_fds())


def write_window(folder: Path, plate: str) -> list[str]:
    """The first three frames of a plate as mapped buffers."""
    opened = open_plate(plate)
    paths = []
    for number in (1, 2, 3):
        light = np.asarray(opened.read(number).pixels, np.float32) ** np.float32(2.2)
        paths.append(str(folder / f"in{number}"))
        write_buffer(paths[-1], Buffer(number, light))
    return paths


def window_request(folder: Path, plate: str, method: str = "merge") -> dict[str, object]:
    """One frame from buffers."""
    shot = make_shot(plate, folder / "unused.####.exr", method=method).to_json()
    return {"shot": shot, "buffers": write_window(folder, plate), "output": str(folder / "out"), "client": "host"}


def fairness(served: Served, folder: Path) -> str:
    """Two batches and a host that requests single frames."""
    plate = make_plate(folder / "plate", 400, (320, 240))
    asked = window_request(folder, plate)
    served.connection.request("POST", "/v1/frames", asked, timeout=LONG_S)
    alone = [_timed(lambda: served.connection.request("POST", "/v1/frames", asked)) for _ in range(10)]
    batches = [
        submit(served.connection, make_shot(plate, folder / name / "o.####.exr"), client=name)
        for name in ("one", "two")
    ]
    while any(batch.status().done < 10 for batch in batches):
        time.sleep(0.05)
    shares, waits = [], []
    for _ in range(30):
        waits.append(_timed(lambda: served.connection.request("POST", "/v1/frames", asked)))
        shares.append(tuple(batch.status().done for batch in batches))
        time.sleep(0.05)
    seconds = [event["seconds"] for event in batches[0].poll(0)[1] if event["event"] == "frame_done"]
    for batch in batches:
        batch.cancel()
    return (
        f"batches after 30 interactive frames: {shares[-1]} frames, never more than "
        f"{max(abs(a - b) for a, b in shares)} apart; one batch frame {statistics.median(seconds):.3f} s; "
        f"interactive alone {_spread(alone)}, beside them {_spread(waits)}"
    )


def many_jobs(served: Served, folder: Path, count: int) -> str:
    """Small jobs, one after another, eight clients at a time."""
    plate = make_plate(folder / "plate", 2)

    def work(client: int, first: int, last: int) -> None:
        for number in range(first, last):
            shot = make_shot(plate, folder / f"j{number}" / "o.####.exr")
            last_event = list(submit(served.connection, shot, client=f"client {client}").watch(LONG_S))[-1]
            if last_event["event"] != "render_finished":
                raise RuntimeError(str(last_event))

    def run(first: int, last: int) -> None:
        each = (last - first) // 8
        _together([lambda c=c: work(c, first + c * each, first + (c + 1) * each) for c in range(8)])  # type: ignore[misc]

    warm = count // 5
    run(0, warm)
    before = Footprint.of(served)
    began = time.monotonic()
    run(warm, warm + count)
    seconds = time.monotonic() - began
    after = Footprint.of(served)
    return f"{count} jobs in {seconds:.0f} s; before {before}, after {after}"


def connections(served: Served, folder: Path, count: int) -> str:
    """Many open streams, and the response time of other requests."""
    plate = make_plate(folder / "plate", 4000, (320, 240))
    job = submit(served.connection, make_shot(plate, folder / "o" / "o.####.exr"))
    heard = [0] * count

    def listen(index: int) -> None:
        for _ in Job(served.connection, job.id).watch(LONG_S):
            heard[index] += 1

    listening = [threading.Thread(target=listen, args=(index,)) for index in range(count)]
    for thread in listening:
        thread.start()
    while min(heard) < 5:
        time.sleep(0.05)
    answers = [_timed(lambda: info(served.connection)) for _ in range(50)]
    job.cancel()
    for thread in listening:
        thread.join(LONG_S)
    total = len(job.poll(0)[1])
    return (
        f"{count} streams, each with {min(heard)} to {max(heard)} of {total} events; info meanwhile {_spread(answers)}"
    )


def documents(served: Served, folder: Path, count: int) -> str:
    """Clients that send Shots of 1 MB at the same time, and the response time of other requests."""
    shot = make_shot("/nowhere/p.####.tif", folder / "o" / "o.####.exr").to_json()
    shot["cuts"] = list(range(1_000_000, 1_000_000 + 115_000))
    body = json.dumps({"shot": shot}).encode()
    ending = threading.Event()
    answers: list[int] = []

    def send() -> None:
        while not ending.is_set():
            answers.append(served.ask("POST", "/v1/jobs", raw=body)[0])

    alone = [_timed(lambda: info(served.connection)) for _ in range(30)]
    sending = [threading.Thread(target=send) for _ in range(count)]
    for thread in sending:
        thread.start()
    while len(answers) < count:
        time.sleep(0.05)
    beside = [_timed(lambda: info(served.connection)) for _ in range(100)]
    ending.set()
    for thread in sending:
        thread.join()
    kinds = {status: answers.count(status) for status in sorted(set(answers))}
    return (
        f"{count} clients with Shots of {len(body)} bytes, answers {kinds}; info alone {_spread(alone)}, "
        f"beside them {_spread(beside)}"
    )


def idle(served: Served, folder: Path, count: int) -> str:
    """CPU time of a server without requests, after it rendered ``count`` frames."""
    plate = make_plate(folder / "plate", count, (320, 240))
    list(submit(served.connection, make_shot(plate, folder / "o" / "o.####.exr")).watch(LONG_S))
    time.sleep(5)
    process = psutil.Process(served.process.pid)
    family = [process, *process.children(recursive=True)]

    def used() -> float:
        return sum(sum(each.cpu_times()[:2]) for each in family)

    before, began = used(), time.monotonic()
    time.sleep(20)
    share = (used() - before) / (time.monotonic() - began)
    return f"{len(family)} processes, {share:.2%} of one processor while idle"


def door(served: Served, folder: Path, method: str) -> str:
    """One 1080p window cold and warm, and the overhead of the server."""
    plate = make_plate(folder / "plate", 3, (1920, 1080))
    asked = window_request(folder, plate, method)
    walls, parts = [], []
    for _ in range(6):
        began = time.monotonic()
        answer = served.connection.request("POST", "/v1/frames", asked, timeout=LONG_S * 5)
        walls.append(time.monotonic() - began)
        parts.append(answer["loading_s"] + answer["computing_s"] + answer["files_s"])
    added = [wall - part for wall, part in zip(walls, parts, strict=True)]
    return (
        f"{method} 1080p window: cold {walls[0]:.2f} s, warm {_spread(walls[1:])}; the door adds {_spread(added[1:])}"
    )


def _timed(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


def _spread(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds) * 1000:.1f} ms, longest {max(seconds) * 1000:.1f} ms"


def _together(calls: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    """Run the measurement of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("fairness", "jobs", "connections", "documents", "idle", "door"))
    parser.add_argument("--count", type=int, default=0, help="of jobs (1000), connections (50), ... unless given")
    parser.add_argument("--method", default="merge")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        served = Served(folder)
        if options.what == "idle":
            del served.environment["OMP_NUM_THREADS"]  # as users start it
        served.start()
        try:
            measures: dict[str, Callable[[], str]] = {
                "fairness": lambda: fairness(served, folder),
                "jobs": lambda: many_jobs(served, folder, options.count or 1000),
                "connections": lambda: connections(served, folder, options.count or 50),
                "documents": lambda: documents(served, folder, options.count or 16),
                "idle": lambda: idle(served, folder, options.count or 20),
                "door": lambda: door(served, folder, options.method),
            }
            sys.stdout.write(measures[options.what]() + "\n")
        finally:
            served.stop()


if __name__ == "__main__":
    main()
