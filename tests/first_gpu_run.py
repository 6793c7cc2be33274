"""Helpers of ``tools/first_gpu_run.sh``: a plate, a profile of one frame, and the table of all results."""

from __future__ import annotations

import csv
import json
import statistics
import sys
import time
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


def fused(device: str, size: str) -> None:
    """Print the milliseconds of a window with and without fused kernels, flows computed ahead."""
    from f2hdr_backend.kernels import fused as choice

    found, kernels = [], choice._found
    for weights in ("standard", "mergenet"):
        with_kernels = _milliseconds(device, size, weights)
        choice._found = lambda device: (None, "turned off")
        found.append(f"{weights} {with_kernels:.1f} ms, without {_milliseconds(device, size, weights):.1f} ms")
        choice._found = kernels
    sys.stdout.write(f"with fused kernels: {'; '.join(found)}\n")


def _milliseconds(device: str, size: str, weights: str) -> float:
    """The median time of a window in a moving plate."""
    from f2hdr_backend.engine.method.choose import open_method
    from f2hdr_backend.shot.document import Engine
    from tests.engine.windows import moving_window

    width, height = map(int, size.split("x"))
    method = open_method(Engine(device=device, weights=weights))
    frames = moving_window((width, height), 10)
    windows = list(zip(frames, frames[1:], frames[2:], strict=False))
    ahead = [method.flows_ahead(window, ()) if method.works_ahead else None for window in windows]
    frames = [frame.bare() for frame in frames]
    taken = []
    for window, known in zip(zip(frames, frames[1:], frames[2:], strict=False), ahead, strict=True):
        began = time.perf_counter()
        method.reconstruct(window, (), known)
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken[2:])


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
        outcome, result = "ok" if code == "0" else f"exit {code}", measured(folder, name, max(1, int(seconds)))
        sys.stdout.write(f"{name:16} {outcome:9} {seconds:>4} s  {result}\n")


def measured(folder: Path, name: str, seconds: int) -> str:
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
        if not rows:
            return "no step"
        return f"{len(rows)} steps, {len(rows) / seconds:.2f} a second with the start, last loss {rows[-1]['loss']}"
    lines = (folder / f"{name}.log").read_text(errors="replace").strip().splitlines()
    return lines[-1][:100] if lines else ""


def _result(result: dict[str, object]) -> str:
    width, height = result["size"]
    what = f"{result['frames_per_second']:.3g} frames/s" if "frames_per_second" in result else result["why"]
    return f"{result['method']} {width} x {height}: {what}"


if __name__ == "__main__":
    {"plate": plate, "profile": profile, "fused": fused, "table": table}[sys.argv[1]](*sys.argv[2:])
