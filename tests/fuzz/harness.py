"""Mutated files through every reader: ``python -m tests.fuzz.harness --count 20000`` prints what it counted.

Each batch runs in a process of its own with a limit of memory and of time, so that a crash, a hang or an allocation is
counted and the rest continues. The seed of every mutation is its number: a finding is repeated with ``--only NUMBER``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from tests.fuzz.seeds import CONFIG, LUTS, PLATES, write_seeds

ROOT = Path(__file__).parents[2]
BATCH = 100
LONGEST_S = 20.0
MOST_MEMORY = 2 * 10**9
"""Bytes that one file may make the process grow by."""
FRAME_SUFFIXES = (".exr", ".png", ".tif", ".dng", ".dpx", ".jpg", ".hdr", ".tga", ".webp")
WORDS = (
    b"\0",
    b"\xff\xfe",
    b"[" * 50,
    b"-1",
    b"1e999",
    b"NaN",
    b"99999999999999",
    b"/dev/zero",
    b"../" * 20,
    b"\x1b[2J",
)


def mutated(content: bytes, number: int) -> bytes:
    """Return a copy of a file with a few changes: bits, numbers, cuts, repetitions and hostile words."""
    chance = random.Random(number)
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(changed) + 1)
        kind = chance.randrange(6)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            changed[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\x80"))
        elif kind == 2 and chance.random() < 0.3:
            del changed[at:]
        elif kind == 3:
            del changed[at : at + chance.randrange(64)]
        elif kind == 4:
            changed[at:at] = changed[at : at + chance.randrange(256)]
        else:
            changed[at:at] = chance.choice(WORDS)
    return bytes(changed)


def read(path: Path) -> None:
    """Read a file like the product. Raises F2HDRError if it is invalid."""
    from f2hdr_backend.color.config import load_config
    from f2hdr_backend.color.curve import read_curve
    from f2hdr_backend.color.tags import read_tags
    from f2hdr_backend.evaluate.reading.matlab import read_matrix
    from f2hdr_backend.farm.path_mapping import PathMapping
    from f2hdr_backend.image.read import MOVIE_SUFFIXES, open_plate
    from f2hdr_backend.server.kept_frames import KeptFrames
    from f2hdr_backend.shot.document import Shot
    from f2hdr_backend.shot.naming import is_timeline
    from f2hdr_backend.shot.read_text import read_text
    from f2hdr_backend.timeline.read import read_cut

    readers: dict[str, Callable[[], object]] = {
        "shot.json": lambda: Shot.from_json(read_text(path)),
        "rules.json": lambda: PathMapping.read(path),
        "a.ocio": lambda: load_config(str(path)).linear_names(),
        "camera.json": lambda: read_curve(str(path)),
        "camera.cube": lambda: read_curve(str(path)),
        "a.mat": lambda: read_matrix(str(path), "curve"),
        "a.buffer": lambda: KeptFrames().lent([str(path)]).__enter__(),
        **{name: partial(_convert_by, path) for name in LUTS},
    }
    if path.name in readers:
        readers[path.name]()
    elif is_timeline(path.name):
        read_cut(str(path), 8)
    else:
        is_movie = path.suffix in MOVIE_SUFFIXES
        plate = open_plate(str(path) if is_movie else str(path.parent / f"f.####{path.suffix}"))
        try:
            read_tags(plate)
            plate.exposure_metadata()
            plate.read(plate.frames.first)
        finally:
            plate.close()


def _convert_by(lut: Path) -> None:
    """Convert a color with a config that uses this lookup table."""
    from f2hdr_backend.color.config import load_config

    config = lut.parent / "c.ocio"
    config.write_text(CONFIG.replace("a.spi1d", lut.name).replace("luts", "."), encoding="utf-8")
    load_config(str(config)).transform("lut", "lin").apply(np.zeros((1, 1, 3), np.float32))


def run_batch(folder: Path, numbers: list[int]) -> Iterator[dict[str, object]]:
    """Read the mutations of these numbers; yield what happened to each."""
    import resource

    from f2hdr_backend.shot.errors import F2HDRError

    files = write_seeds(Path(tempfile.mkdtemp(dir=folder)))
    for number in numbers:
        seed = files[number % len(files)]
        work = Path(tempfile.mkdtemp(dir=folder))
        path = work / (f"f.1001{seed.suffix}" if seed.suffix in FRAME_SUFFIXES else seed.name)
        (work / PLATES).symlink_to(seed.parent / PLATES)
        path.write_bytes(mutated(seed.read_bytes(), number))
        _say(json.dumps({"number": number, "seed": seed.name, "began": True}))
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        result, detail = "read", ""
        try:
            read(path)
        except F2HDRError as error:
            result = "long" if len(str(error)) > 1001 else "refused"
        except BaseException as error:
            result, detail = "traceback", "".join(traceback.format_exception(error)[-3:])
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        seconds = time.monotonic() - began
        if result != "traceback" and seconds > LONGEST_S:
            result = "slow"
        if result != "traceback" and grown > MOST_MEMORY:
            result = "large"
        yield {"number": number, "seed": seed.name, "result": result, "detail": detail, "seconds": seconds}


def run(numbers: list[int]) -> tuple[Counter[str], list[str]]:
    """Run mutations in batches; return counts of results, and a line for each that is wrong."""
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    waiting = list(numbers)
    with tempfile.TemporaryDirectory() as folder:
        while waiting:
            batch = waiting[:BATCH]
            command = [sys.executable, "-m", "tests.fuzz.harness", "--batch", folder, *map(str, batch)]
            try:
                ran = subprocess.run(
                    command,
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    timeout=BATCH * LONGEST_S,
                )
                output, code = ran.stdout, ran.returncode
            except subprocess.TimeoutExpired as error:
                output, code = (error.stdout or b"").decode(), -99
            lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
            done = [line for line in lines if "result" in line]
            for line in done:
                counts[line["result"]] += 1
                if line["result"] not in ("read", "refused"):
                    wrong.append(f"{line['number']} {line['seed']}: {line['result']} {line['detail']}")
            waiting = waiting[len(done) :]
            if code != 0 and waiting and waiting[0] in batch:
                counts["signal" if code != -99 else "slow"] += 1
                wrong.append(f"{waiting[0]}: the process ended with {code}")
                waiting = waiting[1:]
    return counts, wrong


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--only", type=int)
    parser.add_argument("--batch", nargs="+")
    options = parser.parse_args()
    if options.batch:
        for line in run_batch(Path(options.batch[0]), [int(number) for number in options.batch[1:]]):
            _say(json.dumps(line))
        return
    numbers = [options.only] if options.only is not None else list(range(options.start, options.start + options.count))
    began = time.monotonic()
    counts, wrong = run(numbers)
    _say("\n".join(wrong))
    _say(f"{len(numbers)} files in {time.monotonic() - began:.0f} s: {dict(counts)}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
