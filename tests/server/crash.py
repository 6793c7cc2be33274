"""Kill the server at random moments of many renders, then let each be finished by asking again.

``python -m tests.server.crash --lives 10 --renders 5`` does it for fifty renders and prints the results.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import OpenEXR

from f2hdr_backend.client.jobs import submit
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import ServerUnreachable
from tests.server.running import LONG_S, Served, make_plate, make_shot, until


@dataclass
class Crash:
    """The results over many lives of a server."""

    rendered_before: list[int] = field(default_factory=list)
    """Frames of each render that stood when its server was killed."""
    noticed_s: list[float] = field(default_factory=list)
    """Seconds from the kill until each client knew."""
    problems: list[str] = field(default_factory=list)


def pixels(path: Path) -> tuple[bytes, str]:
    """The light of a file, and the digest in its header."""
    with OpenEXR.File(str(path)) as file:
        return file.channels()["RGB"].pixels.tobytes(), str(file.header()["f2hdr/digest"])


def crash(folder: Path, lives: int, renders: int, seed: int = 0) -> Crash:
    """``lives`` servers, each killed at a random moment of ``renders`` renders; one more finishes them all."""
    rng = random.Random(seed)
    plate = make_plate(folder / "plate", 4, (160, 120))
    served = Served(folder).start()
    unbroken = make_shot(plate, folder / "unbroken" / "o.####.exr")
    list(submit(served.connection, unbroken).watch(LONG_S))
    truth = {path.name: pixels(path) for path in (folder / "unbroken").glob("*.exr")}
    seen = Crash()
    shots = []
    for life in range(lives):
        if life:
            served.start()
        broken = [make_shot(plate, folder / f"r{life}-{index}" / "o.####.exr") for index in range(renders)]
        _kill_during(served, broken, rng.randrange(len(truth) * renders), rng.uniform(0, 0.05), seen)
        for shot in broken:
            _look(shot, truth, seen)
        shots += broken
    served.start()
    _finish(served, shots, truth, seen)
    served.stop()
    left = [str(path) for path in folder.rglob("*.part")]
    seen.problems += [f"left behind: {path}" for path in left]
    return seen


def _kill_during(served: Served, shots: list[Shot], frames: int, after_s: float, seen: Crash) -> None:
    """Kill the server when so many frames are there, and so many seconds later."""
    killed = []

    def watch(shot: Shot, index: int) -> None:
        try:
            list(submit(served.connection, shot, client=f"client {index}").watch())
        except ServerUnreachable:
            seen.noticed_s.append(time.monotonic() - killed[0] if killed else 0.0)

    watching = [threading.Thread(target=watch, args=(shot, index)) for index, shot in enumerate(shots)]
    for thread in watching:
        thread.start()
    until(lambda: sum(len(_there(shot)) for shot in shots) >= frames)
    time.sleep(after_s)
    killed.append(time.monotonic())
    served.kill()
    for thread in watching:
        thread.join(LONG_S)
        if thread.is_alive():
            seen.problems.append("a client never noticed")


def _there(shot: Shot) -> list[Path]:
    return list(Path(shot.output.pattern).parent.glob("o.*.exr"))


def _look(shot: Shot, truth: dict[str, tuple[bytes, str]], seen: Crash) -> None:
    """Every frame that is there is whole and right."""
    there = _there(shot)
    seen.rendered_before.append(len(there))
    seen.problems += [f"{path} is wrong" for path in there if pixels(path)[0] != truth[path.name][0]]


def _finish(served: Served, shots: list[Shot], truth: dict[str, tuple[bytes, str]], seen: Crash) -> None:
    for shot, before in zip(shots, seen.rendered_before, strict=True):
        folder = Path(shot.output.pattern).parent
        stood = {path: path.stat().st_mtime_ns for path in folder.glob("o.*.exr")}
        last = list(submit(served.connection, shot).watch(LONG_S))[-1]
        if (last["event"], last.get("skipped"), last.get("rendered")) != (
            "render_finished",
            before,
            len(truth) - before,
        ):
            seen.problems.append(f"{folder} ended with {last}, {before} frames stood")
        seen.problems += [f"{path} was made again" for path in stood if path.stat().st_mtime_ns != stood[path]]
        if {path.name: pixels(path) for path in folder.glob("o.*.exr")} != truth:
            seen.problems.append(f"{folder} differs from an unbroken render")


def main() -> None:
    """Do it at length and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lives", type=int, default=10)
    parser.add_argument("--renders", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen = crash(Path(folder), options.lives, options.renders, options.seed)
    broken = sum(0 < count < 4 for count in seen.rendered_before)
    problems = "; ".join(seen.problems) or "none"
    sys.stdout.write(
        f"{len(seen.rendered_before)} renders, {broken} of them broken between their first and last frame\n"
        f"frames that stood: {seen.rendered_before}\n"
        f"clients noticed within {max(seen.noticed_s, default=0):.3f} s\n"
        f"problems: {problems}\n"
    )


if __name__ == "__main__":
    main()
