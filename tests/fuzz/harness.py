"""Mutated files through every reader: ``python -m tests.fuzz.harness --count 20000`` prints what it counted.

Each batch runs in a process of its own with a limit of memory and of time, so that a crash, a hang or an allocation is
counted and the rest goes on. The seed of every mutation is its number: a finding is repeated with ``--only NUMBER``.
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
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
BATCH = 100
LONGEST_S = 20.0
MOST_MEMORY = 2 * 10**9
"""Bytes that one file may make the process grow by."""
SHOT = {
    "plate": "plate.####.tif", "frames": "1001-1004", "exposures": {"cycle": [0, 3], "start": 1001},
    "engine": {"method": "merge", "memory": "8G", "tile": "512"}, "color": {"clip_level": [1.0]},
    "output": {"pattern": "hdr/h.####.exr", "anchor": "long", "layers": ["flow"]}, "cuts": [1003],
}  # fmt: skip
RULES = {
    "version": "pathmapping-1.0",
    "path_mapping_rules": [{"source_path_format": "POSIX", "source_path": "/a", "destination_path": "/b"}],
}
EDL = """TITLE: t
FCM: NON-DROP FRAME

001  AX V     C        00:00:41:19 00:00:41:23 00:00:00:00 00:00:00:04
* FROM CLIP NAME:  a
* FROM CLIP: plate.####.tif
002  AX V     C        00:00:41:19 00:00:41:23 00:00:00:04 00:00:00:08
M2   AX       012.0    00:00:41:19
* FROM CLIP NAME:  b
"""
CONFIG = """ocio_profile_version: 2
search_path: luts
roles: {default: lin, scene_linear: lin, aces_interchange: lin}
displays:
  d:
    - !<View> {name: v, colorspace: lin}
colorspaces:
  - !<ColorSpace>
    name: lin
  - !<ColorSpace>
    name: lut
    to_scene_reference: !<FileTransform> {src: a.spi1d}
"""
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


def seeds(folder: Path) -> list[Path]:
    """Write one small valid file of every kind; return their paths."""
    from fractions import Fraction

    from f2hdr_backend.image.write import write_exr, write_image

    pixels = np.random.default_rng(1).random((24, 32, 3)).astype(np.float32)
    for compression in ("zip", "piz", "dwaa", "none"):
        write_exr(
            folder / f"{compression}.exr", {"RGB": pixels}, {"framesPerSecond": Fraction(24)}, compression=compression
        )
    for suffix, bits in (("png", 8), ("png", 16), ("tif", 8), ("tif", 32)):
        write_image(folder / f"{bits}.{suffix}", pixels, bits)
    _write_with_oiio(folder, pixels)
    _write_movie(folder / "a.mov")
    documents = {"shot.json": json.dumps(SHOT), "rules.json": json.dumps(RULES), "a.edl": EDL, "a.ocio": CONFIG}
    for name, text in documents.items():
        (folder / name).write_text(text, encoding="utf-8")
    _write_timeline(folder / "a.otio")
    return sorted(folder.iterdir())


def _write_with_oiio(folder: Path, pixels: np.ndarray) -> None:
    import OpenImageIO as oiio

    for suffix in ("dpx", "jpg", "hdr", "tga", "webp"):
        output = oiio.ImageOutput.create(f"a.{suffix}")
        if output and output.open(str(folder / f"a.{suffix}"), oiio.ImageSpec(32, 24, 3, "uint8")):
            output.write_image(pixels)
            output.close()


def _write_movie(path: Path) -> None:
    try:
        import av
    except ModuleNotFoundError:
        return
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for number in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), 60 * number, np.uint8))))
        container.mux(stream.encode())


def _write_timeline(path: Path) -> None:
    try:
        import opentimelineio as otio
    except ModuleNotFoundError:
        return
    time_range = otio.opentime.TimeRange(otio.opentime.RationalTime(1001, 24), otio.opentime.RationalTime(4, 24))
    clip = otio.schema.Clip("a", otio.schema.ExternalReference("plate.1001.tif", time_range), time_range)
    timeline = otio.schema.Timeline("t")
    timeline.tracks.append(otio.schema.Track("v", [clip]))
    otio.adapters.write_to_file(timeline, str(path))


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
    from f2hdr_backend.color.tags import read_tags
    from f2hdr_backend.farm.path_mapping import PathMapping
    from f2hdr_backend.image.read import open_plate
    from f2hdr_backend.shot.document import Shot
    from f2hdr_backend.shot.reading import read_text
    from f2hdr_backend.timeline.read import is_timeline, read_cut

    readers: dict[str, Callable[[], object]] = {
        "shot.json": lambda: Shot.from_json(read_text(path)),
        "rules.json": lambda: PathMapping.read(path),
        "a.ocio": lambda: load_config(str(path)).linear_names(),
    }
    if path.name in readers:
        readers[path.name]()
    elif is_timeline(path.name):
        read_cut(str(path), 8)
    else:
        plate = open_plate(str(path) if path.suffix == ".mov" else str(path.parent / f"f.####{path.suffix}"))
        try:
            read_tags(plate)
            plate.exposure_metadata()
            plate.read(plate.frames.first)
        finally:
            plate.close()


def run_batch(folder: Path, numbers: list[int]) -> Iterator[dict[str, object]]:
    """Read the mutations of these numbers; yield what happened to each."""
    import resource

    from f2hdr_backend.shot.errors import F2HDRError

    files = seeds(Path(tempfile.mkdtemp(dir=folder)))
    for number in numbers:
        seed = files[number % len(files)]
        work = Path(tempfile.mkdtemp(dir=folder))
        is_frame = seed.name not in ("shot.json", "rules.json") and seed.suffix not in (
            ".ocio",
            ".otio",
            ".edl",
            ".mov",
        )
        path = work / (f"f.1001{seed.suffix}" if is_frame else seed.name)
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
                ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=BATCH * LONGEST_S)
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
