"""Renders on the command line that are killed, or that run out of disk or of descriptors, and are then repeated.

``python -m tests.cli.hardship --kills 25`` prints the results; each is compared with an uninterrupted render.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from f2hdr_backend.shot.atomic import unfinished
from tests.server.crash import pixels
from tests.server.running import LONG_S, ROOT, make_plate

FRAMES = 12
SIGNALS = ("SIGKILL", "SIGKILL", "SIGTERM", "SIGINT", "SIGHUP")
PROGRAM = """
import resource, signal, sys
sys.path.insert(0, {root!r})
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for name, most in {limits!r}.items():
    hard = resource.getrlimit(getattr(resource, name))[1]
    resource.setrlimit(getattr(resource, name), (most, most if name == "RLIMIT_NOFILE" else hard))
from f2hdr_backend.cli.main import main
main()
"""


@dataclass
class Seen:
    """Results of the runs."""

    codes: Counter[str] = field(default_factory=Counter)
    """Number of runs by exit code, for each kind of interruption."""
    problems: list[str] = field(default_factory=list)


class Renders:
    """One plate, an uninterrupted render of it, and further renders into separate folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plate = make_plate(folder / "plate", FRAMES, (160, 120))
        code, _ = self.run(folder / "unbroken")
        assert code == 0
        self.truth = {path.name: pixels(path) for path in (folder / "unbroken").glob("o.*.exr")}
        assert len(self.truth) == FRAMES

    def start(self, output: Path, **limits: int) -> subprocess.Popen[str]:
        """Start a render; ``limits`` are soft limits of the process by their names in ``resource``."""
        words = ["render", self.plate, "-o", str(output / "o.####.exr"), "--exposures", "0,3", "--method", "merge"]
        program = PROGRAM.format(root=str(ROOT), limits=limits)
        return subprocess.Popen(
            [sys.executable, "-P", "-c", program, *words, "--first-exposure", "short", "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, output: Path, **limits: int) -> tuple[int, str]:
        """Render to the end; return the exit code and standard error."""
        _, error = (process := self.start(output, **limits)).communicate(timeout=LONG_S)
        return process.returncode, error

    def problems(self, output: Path) -> list[str]:
        """Return how a folder differs from that of the uninterrupted render; temporary files count."""
        there = {path.name: pixels(path) for path in output.glob("o.*.exr")}
        found = [f"{output}: {path.name} is left" for path in output.glob(".*")]
        return found + [f"{output}: {name} differs" for name in self.truth if there.get(name) != self.truth[name]]


def kill(renders: Renders, kills: int, seen: Seen, seed: int = 0) -> None:
    """Kill renders after a random number of frames and a random time; repeating the command resumes."""
    chance = random.Random(seed)
    number = done = 0
    while done < kills:
        output = renders.folder / f"killed{number}"
        number += 1
        for _ in range(4):
            name = chance.choice(SIGNALS)
            if _killed(renders, output, name, chance.randrange(1, 4), chance.uniform(0, 0.2), seen):
                done += 1
        code, error = renders.run(output)
        if code:
            seen.problems.append(f"{output}: ended with {code}: {error[-300:]}")
        _sweep(output)
        seen.problems += renders.problems(output)


def _killed(renders: Renders, output: Path, name: str, frames: int, after_s: float, seen: Seen) -> bool:
    """Send a signal after some frames; return whether the render was still running."""
    process = renders.start(output)
    assert process.stdout is not None
    for line in process.stdout:
        frames -= json.loads(line)["event"] == "frame_done"
        if frames == 0:
            break
    time.sleep(after_s)
    if process.poll() is not None:
        process.communicate()
        return False
    process.send_signal(getattr(signal, name))
    _, error = process.communicate(timeout=LONG_S)
    code = process.returncode
    seen.codes[f"{name}: {code}"] += 1
    ended_by_signal = code == -getattr(signal, name)  # except SIGKILL only before or after its work
    if "Traceback" in error or not (ended_by_signal or (code in (0, 130) and name != "SIGKILL")):
        seen.problems.append(f"{name} gave {code}: {error[-300:]}")
    left = unfinished(output, pid=process.pid)  # an earlier SIGKILL in this folder left its own
    if name != "SIGKILL" and left:
        seen.problems.append(f"{name} left {left}")
    return True


def _sweep(output: Path) -> None:
    """Remove the remains of SIGKILL, as ``f2hdr check --sweep`` does."""
    for part in unfinished(output):
        os.unlink(part)


def hinder(renders: Renders, seen: Seen) -> None:
    """Limit files and descriptors; then render again without limits."""
    for name, limits in (
        ("no space", {"RLIMIT_FSIZE": 20_000}),
        ("256 descriptors", {"RLIMIT_NOFILE": 256}),
        ("32 descriptors", {"RLIMIT_NOFILE": 32}),
        ("16 descriptors", {"RLIMIT_NOFILE": 16}),
        ("8 descriptors", {"RLIMIT_NOFILE": 8}),
    ):
        output = renders.folder / name
        code, error = renders.run(output, **limits)
        seen.codes[f"{name}: {code}"] += 1
        if "Traceback" in error or (code and "error: " not in error):
            seen.problems.append(f"{name} gave {code}: {error[-600:]}")
        if code == 0:
            seen.problems += renders.problems(output)
        again, error = renders.run(output)
        if again:
            seen.problems.append(f"{name}: again gave {again}: {error[-300:]}")
        seen.problems += renders.problems(output)


def main() -> None:
    """Run the tests and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    seen = Seen()
    with tempfile.TemporaryDirectory() as folder:
        renders = Renders(Path(folder))
        steps: list[Callable[[], None]] = [lambda: hinder(renders, seen)]
        if options.kills:
            steps.append(lambda: kill(renders, options.kills, seen, options.seed))
        for step in steps:
            step()
    sys.stdout.write(f"exit codes: {dict(seen.codes)}\nproblems: {'; '.join(seen.problems) or 'none'}\n")


if __name__ == "__main__":
    main()
