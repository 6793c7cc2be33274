"""Helpers of ``tools/first_gpu_run.sh``: a plate, a profile of one frame, and the table of all results."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np


def plate(out: str, size: str, count: str) -> None:
    """Write a moving plate of ``count`` frames as half EXR files, and an image to train on."""
    from f2hdr_backend.image.arrays import radiance_of
    from f2hdr_backend.image.write import write_exr
    from tests.engine.windows import moving_window

    folder, (width, height) = Path(out), map(int, size.split("x"))
    for number, frame in enumerate(moving_window((width, height), int(count)), 1):
        write_exr(str(folder / f"plate.{number:04d}.exr"), {"RGB": radiance_of(frame.codes, 1.0)}, {})
    (folder / "images").mkdir(exist_ok=True)
    light = np.random.default_rng(1).random((512, 1024, 3), np.float32) ** 4 * 8
    write_exr(str(folder / "images" / "noise.exr"), {"RGB": light}, {})


def profile(device: str, size: str) -> None:
    """Print the operations of one frame of ``standard``, those that take longest first."""
    import torch
    from torch.profiler import ProfilerActivity

    from f2hdr_backend.engine.method.choose import open_method
    from f2hdr_backend.shot.document import Engine
    from tests.engine.windows import moving_window

    width, height = map(int, size.split("x"))
    method = open_method(Engine(device=device, weights="standard"))
    frames = moving_window((width, height), 4)
    method.reconstruct((frames[0], frames[1], frames[2]), ())
    activities = [ProfilerActivity.CPU, *[ProfilerActivity.CUDA] * (device != "cpu")]
    with torch.profiler.profile(activities=activities) as found:
        method.reconstruct((frames[1], frames[2], frames[3]), ())
    by = "self_cpu_time_total" if device == "cpu" else "self_cuda_time_total"
    sys.stdout.write(found.key_averages().table(sort_by=by, row_limit=40))


def table(out: str) -> None:
    """Print a row for each step: its exit code, its seconds, and what it measured."""
    folder = Path(out)
    for line in (folder / "steps.txt").read_text().splitlines():
        name, code, seconds = line.split()
        sys.stdout.write(
            f"{name:16} {'ok' if code == '0' else 'exit ' + code:9} {seconds:>4} s  {measured(folder, name)}\n"
        )


def measured(folder: Path, name: str) -> str:
    """What a step measured, as text."""
    if (folder / f"{name}.json").exists():
        results = json.loads((folder / f"{name}.json").read_text())["results"]
        return "; ".join(_result(each) for each in results)
    if name.startswith("render_"):
        count = len(list(folder.glob(f"{name.removeprefix('render_')}.*.exr")))
        return f"{count} frames"
    log = folder / "run" / "train.csv"
    if name == "train" and log.exists():
        with log.open(newline="") as file:
            rows = list(csv.DictReader(file))
        return f"{len(rows)} steps, last loss {rows[-1]['loss'] if rows else '-'}"
    lines = (folder / f"{name}.log").read_text(errors="replace").strip().splitlines()
    return lines[-1][:100] if lines else ""


def _result(result: dict[str, object]) -> str:
    width, height = result["size"]
    what = f"{result['frames_per_second']:.3g} frames/s" if "frames_per_second" in result else result["why"]
    return f"{result['method']} {width} x {height}: {what}"


if __name__ == "__main__":
    {"plate": plate, "profile": profile, "table": table}[sys.argv[1]](*sys.argv[2:])
