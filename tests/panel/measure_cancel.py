"""How long a render takes to stop: ``python -m tests.panel.measure_cancel UHD_SHOT [--methods merge ...]``.

Submits the Shot's first frames, cancels at several moments within a frame, and prints the time from the request to
the end of the job: wall time, and processor time of the backend.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from f2hdr_backend.client.jobs import submit
from f2hdr_backend.panel.shot_model import read_shot
from f2hdr_backend.shot.frames import FrameRange
from tests.server.running import Served


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shot")
    parser.add_argument("--methods", nargs="+", default=["merge", "mergenet", "lite"])
    parser.add_argument("--at", nargs="+", type=float, default=[0.3, 0.8, 1.5, 2.5, 4.0, 6.0], help="seconds")
    asked = parser.parse_args(arguments)
    shot = read_shot(asked.shot)
    assert shot.exposures is not None
    with tempfile.TemporaryDirectory() as name:
        served = Served(Path(name)).start()
        os.environ.update(served.environment)
        try:
            for method in asked.methods:
                measure(served, with_method(shot, method, Path(name)), method, asked.at)
        finally:
            served.stop()


def with_method(shot, method: str, folder: Path):
    """The Shot with other engine settings; weights are an edition of the network."""
    engine = {"method": "merge"} if method == "merge" else {"method": "f2hdr", "weights": method}
    output = replace(shot.output, pattern=str(folder / method / "o.####.exr"))
    return replace(shot, engine=replace(shot.engine, **engine), output=output)


def measure(served: Served, shot, method: str, moments: list[float]) -> None:
    """Cancel a render at each of the moments after it began, and print how long it took to end."""
    first = shot.exposures.start
    frames = FrameRange(tuple(range(first, first + 8)))
    for moment in moments:
        job = submit(served.connection, shot, frames, force=True)
        while not job.status().is_over and job.status().state != "running":
            time.sleep(0.01)
        time.sleep(moment)
        before = job.status()
        began, used = time.perf_counter(), processor_s(served)
        job.cancel()
        while not job.status().is_over:
            time.sleep(0.005)
        wall, spent = time.perf_counter() - began, processor_s(served) - used
        words = f"{job.status().state}, {wall:.2f} s, {spent:.2f} s of processor time; had done {before.done} frames"
        sys.stdout.write(f"{method} canceled after {moment} s: {words}, {before.message}\n")
        sys.stdout.flush()


def processor_s(served: Served) -> float:
    """Processor time of the backend, in steps of 10 ms."""
    words = Path(f"/proc/{served.facts['pid']}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main(sys.argv[1:])
