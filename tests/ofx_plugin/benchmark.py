"""What the way through the effect costs beyond computing: ``python -m tests.ofx_plugin.benchmark [--size 1920x1080]``.

Builds the effect, starts a backend, renders frames of a moving plate with the merge, and prints medians and least
values: ``judge`` (fetching, sampling, exposure), ``write`` (pixels into the buffers), ``wait`` (the backend, with its
own files, queue and computing) and ``read`` (pixels into the host's image). Then processor time, which other work on
the machine changes less than wall time: ``thread`` is that of the host's thread, ``host`` of all threads of this
process (the Python host's own callbacks included), ``backend`` of the backend's process (mean). Last is the time from
an abort to the return of the render action.

With ``--stub`` the backend returns the reference frame at once: what remains is the transport alone.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.ofx_plugin.conftest import build
from tests.ofx_plugin.fake_backend import FakeBackend
from tests.ofx_plugin.host import Host
from tests.ofx_plugin.plates import plate_frame
from tests.ofx_plugin.suites import OK
from tests.server.running import Served

TIMES = re.compile(
    r"judge ([\d.e+]+) ms, write ([\d.e+]+) ms, wait ([\d.e+]+) ms \(compute ([\d.e+]+), queue ([\d.e+-]+), "
    r"files ([\d.e+]+), loading [\d.e+-]+\), read ([\d.e+]+) ms"
)
STUB = f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from f2hdr_backend.server import render_jobs
render_jobs.reconstruct_window = lambda renderer, shot, window: window.pixels[1]
from f2hdr_backend.cli.main import main
main()
"""
NAMES = ("judge", "write", "wait", "compute", "queue", "files", "read")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--library", help="a built F2HDR.ofx (default: build one)")
    parser.add_argument("--stub", action="store_true", help="a backend that does not compute")
    parser.add_argument("--identifiers", action="store_true", help="the host names its images")
    asked = parser.parse_args()
    width, height = map(int, asked.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library = Path(asked.library) if asked.library else build(folder / "build")
        os.environ["F2HDR_OFX_LOG"] = str(folder / "log")
        served = Served(folder)
        if asked.stub:
            Path(served.environment["F2HDR_BACKEND"]).write_text(STUB)
        os.environ.update(served.environment)
        served.start()
        try:
            measure(Host(library), served, (width, height), asked.frames, asked.identifiers, folder / "log")
            measure_abort(Host(library), folder)
        finally:
            served.stop()


def measure(host: Host, served: Served, size: tuple[int, int], count: int, identifiers: bool, log: Path) -> None:
    """Render ``count`` frames and print where the time went."""
    effect = host.create(method="merge", exposures="given")
    frames = {number: plate_frame(number, size) for number in range(1, count + 3)}
    source = effect.clips["Source"]
    source.show(frames)
    prepared = {number: source.image(number) for number in frames}
    for number, image in prepared.items():
        image.properties["OfxImagePropUniqueIdentifier"] = [f"frame {number}" if identifiers else ""]
        image.properties.release = lambda: OK  # type: ignore[attr-defined]
    source.image = lambda at: prepared.get(round(at))  # type: ignore[method-assign]
    spent: list[tuple[float, float, float]] = []
    act = host.act

    def timed(*arguments: object) -> int:
        before = processor_s(served)
        status = act(*arguments)  # type: ignore[arg-type]
        after = processor_s(served)
        spent.append(tuple(1000 * (end - start) for start, end in zip(before, after, strict=True)))  # type: ignore[arg-type]
        return status

    host.act = timed  # type: ignore[method-assign]
    for number in range(2, count + 2):
        assert effect.render(number)[0] == OK, effect.messages
    rows = [tuple(map(float, found)) for found in TIMES.findall(log.read_text())][2:]
    say(f"{size[0]} x {size[1]}, {len(rows)} frames, load {os.getloadavg()[0]:.1f}; ms: median (least)")
    say("wall: " + table({name: [row[place] for row in rows] for place, name in enumerate(NAMES)}))
    say("wall: " + table({"beyond computing": [row[0] + row[1] + row[2] + row[6] - row[3] for row in rows]}))
    processor = {name: [row[place] for row in spent[2:]] for place, name in enumerate(("thread", "host"))}
    say("processor: " + table(processor) + f", backend {statistics.mean(row[2] for row in spent[2:]):.1f}")


def processor_s(served: Served) -> tuple[float, float, float]:
    """Processor time of this thread, of this process and of the backend, in seconds; the last in steps of 10 ms."""
    stat = Path(f"/proc/{served.facts['pid']}/stat")
    words = stat.read_text().rpartition(")")[2].split() if stat.exists() else ["0"] * 13
    return time.thread_time(), time.process_time(), (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def table(columns: dict[str, list[float]]) -> str:
    """Return medians and least values in one line."""
    return ", ".join(f"{name} {statistics.median(some):.1f} ({min(some):.1f})" for name, some in columns.items())


def say(line: str) -> None:
    """Print one line."""
    sys.stdout.write(f"{line}\n")


def measure_abort(host: Host, folder: Path) -> None:
    """Print the time until the effect returns after an abort."""
    fake = FakeBackend(folder / "aborted" / "run")
    fake.delay_s = 30
    os.environ["F2HDR_RUNTIME"] = str(folder / "aborted" / "run")
    effect = host.create(exposures="given")
    effect.clips["Source"].show({number: plate_frame(number, (320, 180)) for number in (1, 2, 3)})
    late = []
    for _ in range(10):
        effect.abort_at = time.monotonic() + 0.2
        rendering = threading.Thread(target=effect.render, args=(2,))
        rendering.start()
        rendering.join()
        late.append(1000 * (time.monotonic() - effect.abort_at))
    say(f"abort to return: median {statistics.median(late):.0f} ms, longest {max(late):.0f} ms")
    fake.stop()


if __name__ == "__main__":
    main()
