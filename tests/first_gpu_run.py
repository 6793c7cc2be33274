"""Helpers of ``tools/first_gpu_run.sh``: the steps that are no command of F2HDR, and the table of all results.

``python -m tests.first_gpu_run WORK DEVICE SIZE STEP ...``; each step prints what it measured as its last line, and
adds figures to ``WORK/figures.jsonl``.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

NEEDED = ("cv2", "OpenEXR", "PyOpenColorIO", "OpenImageIO", "blosc2", "safetensors", "psutil", "platformdirs", "typer")
TARGETS = {
    "compute, standard on DIS": (24.0, "frames/s"),
    "bench, standard on SEA-RAFT": (18.0, "frames/s"),
    "memory at the large size": (-12.0, "GB"),
    "half precision against float32": (55.0, "dB"),
    "training, 16 windows a step": (10.0, "steps/s"),
}
"""The figure to reach and its unit, by label; a negative one is a maximum."""
WARM = 8
"""Frames of a render and steps of training that are not timed: kernels are compiled, and frames were read ahead."""


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


@dataclass(frozen=True)
class Run:
    """The folder, the device and the frame size of all steps."""

    work: Path
    device: str
    size: tuple[int, int]

    def note(self, label: str, value: float) -> None:
        """Add a figure to the table."""
        with (self.work / "figures.jsonl").open("a") as file:
            file.write(json.dumps([label, value]) + "\n")

    def method(self, weights: str, **settings: str) -> Any:
        """Open a method."""
        from f2hdr_backend.engine.method.choose import open_method
        from f2hdr_backend.shot.document import Engine

        return open_method(Engine(device=self.device, weights=weights, **settings))

    def windows(self, count: int) -> list[Any]:
        """``count`` windows of a moving plate."""
        from tests.engine.windows import moving_window

        frames = moving_window(self.size, count + 2)
        return list(zip(frames, frames[1:], frames[2:], strict=False))


def setup(run: Run) -> None:
    """Print the versions and what computes; fails where something is missing."""
    import torch

    from f2hdr_backend.kernels import maker
    from f2hdr_backend.kernels.fused import fusing
    from f2hdr_backend.machine.container import usable_cpus
    from f2hdr_backend.machine.device import pick_device

    missing = [name for name in NEEDED if not _imported(name)]
    if missing:
        sys.exit(f"missing packages: {', '.join(missing)}; give their wheels with WHEELS")
    listed = subprocess.run([sys.executable, "-m", "f2hdr_backend", "weights", "list"], capture_output=True, text=True)
    if listed.returncode:
        sys.exit(f"the command line does not run: {listed.stderr.strip().splitlines()[-1]}")
    device = pick_device(run.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    say(
        f"{name}, torch {torch.__version__}, correlation {maker(device)}, fused kernels {fusing(device)}, "
        f"{usable_cpus()} processors"
    )


def _imported(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def compute(run: Run) -> None:
    """Print the milliseconds of a window with and without fused kernels, flows computed ahead."""
    from f2hdr_backend.kernels import fused as choice

    found, kernels = [], choice._found
    for weights in ("standard", "mergenet"):
        fused = _milliseconds(run, weights)
        choice._found = lambda device: (None, "turned off")
        found.append(f"{weights} {fused:.1f} ms, without fused kernels {_milliseconds(run, weights):.1f} ms")
        choice._found = kernels
        run.note(f"compute, {weights} on DIS", 1000 / fused)
    say("; ".join(found))


def _milliseconds(run: Run, weights: str) -> float:
    """The median time of a window in a moving plate, one after the other."""
    method, windows = run.method(weights, flow="dis"), run.windows(10)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = threads.map(lambda window: method.flows_ahead(window, ()) if method.works_ahead else {}, windows)
        ahead = list(found)
    own = {frame.number: frame.bare() if method.on_host else frame.pinned() for window in windows for frame in window}
    taken = []
    for window, known in zip(windows, ahead, strict=True):
        began = time.perf_counter()
        method.reconstruct(tuple(own[frame.number] for frame in window), (), known)
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken[3:])


def half(run: Run) -> None:
    """Print the PSNR_T of half precision against float32 for both exposures as the reference."""
    from f2hdr_backend.evaluate.metrics.psnr_ssim import psnr_t

    found = []
    for weights in ("standard", "mergenet"):
        methods = [run.method(weights, flow="dis", precision=precision) for precision in ("fp16", "fp32")]
        for window in run.windows(2):
            light = [
                method.reconstruct(tuple(frame.bare() for frame in window), ()).radiance.clip(0, 1)
                for method in methods
            ]
            found.append((weights, psnr_t(*light).value))
    run.note("half precision against float32", min(decibels for _, decibels in found))
    say("; ".join(f"{weights} {decibels:.1f} dB" for weights, decibels in found))


def plate(run: Run, count: str) -> None:
    """Write a moving plate of ``count`` frames as half EXR files."""
    from f2hdr_backend.image.arrays import radiance_of
    from f2hdr_backend.image.write import write_exr
    from tests.engine.windows import moving_window

    def written(numbered: tuple[int, Any]) -> None:
        number, frame = numbered
        write_exr(str(run.work / f"plate.{number:04d}.exr"), {"RGB": radiance_of(frame.codes, 1.0)}, {})

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(written, enumerate(moving_window(run.size, int(count)), 1)))
    say(f"{count} frames of {run.size[0]} x {run.size[1]}")


def render(run: Run, name: str) -> None:
    """Render the plate from files to files, and print the frames a second after the first few."""
    from f2hdr_backend.engine.renderer import Renderer
    from f2hdr_backend.machine.container import usable_cpus
    from f2hdr_backend.shot.document import Engine, Output, Shot
    from f2hdr_backend.shot.events import FrameDone
    from f2hdr_backend.shot.exposure import ExposurePattern

    how = {"method": "merge"} if name == "merge" else {"weights": name}
    shot = Shot(
        plate=str(run.work / "plate.####.exr"),
        exposures=ExposurePattern((0.0, 3.0), 1),
        cuts=(),
        engine=Engine(device=run.device, **how),
        output=Output(str(run.work / f"{name}.####.exr")),
    )
    events = Renderer(shot.engine).render(shot)
    done = [time.perf_counter() for event in events if isinstance(event, FrameDone)]
    first = min(WARM, len(done) - 2)
    rate = (len(done) - 1 - first) / (done[-1] - done[first])
    run.note(f"files to files, {name}, {usable_cpus()} processors", rate)
    say(f"{len(done)} frames, {rate:.1f} frames/s with {usable_cpus()} processors")


def profile(run: Run) -> None:
    """Print the operations of one frame of ``standard``, those that take longest first."""
    import torch
    from torch.profiler import ProfilerActivity

    method, windows = run.method("standard", flow="dis"), run.windows(3)
    method.reconstruct(windows[0], ())
    method.reconstruct(windows[1], ())
    on_gpu = run.device != "cpu"
    with torch.profiler.profile(activities=[ProfilerActivity.CPU, *[ProfilerActivity.CUDA] * on_gpu]) as found:
        method.reconstruct(windows[2], ())
    by = "self_cuda_time_total" if on_gpu else "self_cpu_time_total"
    say(found.key_averages().table(sort_by=by, row_limit=40, max_name_column_width=80))


def train(run: Run, seconds: str) -> None:
    """Train ``lite`` for some seconds on noise, and print the steps a second after the first few."""
    from math import ceil

    import torch

    from f2hdr_backend.machine.container import usable_cpus
    from f2hdr_backend.machine.device import pick_device
    from f2hdr_backend.model.descriptor import Descriptor
    from f2hdr_backend.train.loop import Material, TrainPlan
    from f2hdr_backend.train.loop import train as steps_of
    from f2hdr_backend.train.sources import Source

    began, folder = time.perf_counter(), run.work / "run"
    folder.mkdir()
    device = pick_device(run.device)
    light = np.random.default_rng(1).random((512, 1024, 3), np.float32) ** 4 * 8
    small = device.type == "cpu"
    plan = TrainPlan(
        steps=10**6, windows=2 if small else 16, crop_px=32 if small else 128, workers=max(1, usable_cpus() - 2),
        read_every=1 if small else 10,
    )  # fmt: skip
    times, losses = [], []
    for done, _ in steps_of(Material([Source("noise", light)]), plan, folder, Descriptor.lite(), device):
        times.append(time.perf_counter())
        losses.append(done.loss)
        if times[-1] - began > float(seconds) and len(times) > 2:
            break
    first = min(ceil(2 * WARM / plan.read_every) * plan.read_every, len(times) - 2)
    rate = (len(times) - 1 - first) / (times[-1] - times[first])
    (folder / "train.csv").write_text("".join(f"{step},{loss:.5f}\n" for step, loss in enumerate(losses, 1)))
    run.note("training, 16 windows a step", rate)
    memory = f", {torch.cuda.max_memory_allocated(device) / 1e9:.1f} GB" if device.type == "cuda" else ""
    say(f"{len(times)} steps of {plan.windows} windows, {rate:.2f} steps/s, last loss {losses[-1]:.4f}{memory}")


def results(run: Run, out: str) -> None:
    """Print a row for each step and each figure that has a target; write all numbers and a sheet of the renders."""
    rows = [line.split() for line in _lines(run.work / "steps.txt")]
    for name, code, seconds in rows:
        outcome = {"0": "ok", "124": "too slow", "time": "no time left", "setup": "not run"}.get(code, f"exit {code}")
        say(f"{name:16} {outcome:12} {seconds:>4} s  {_measured(run, name)}")
    figures = dict(map(json.loads, _lines(run.work / "figures.jsonl"))) | _benched(run)
    for label, value in figures.items():
        target, unit = TARGETS.get(label, (None, "frames/s"))
        verdict = ""
        if target is not None:
            reached = value >= target if target > 0 else value <= -target
            bound = f"at least {target:g}" if target > 0 else f"at most {-target:g}"
            verdict = f"  ({bound}: {'reached' if reached else 'NOT reached'})"
        say(f"{label}: {value:.3g} {unit}{verdict}")
    for label in TARGETS.keys() - figures.keys():
        say(f"{label}: not measured")
    benches = {path.stem: json.loads(path.read_text()) for path in sorted(run.work.glob("bench_*.json"))}
    everything = {"steps": rows, "figures": figures, "bench": benches}
    (Path(out) / "measured.json").write_text(json.dumps(everything, indent=1))
    _draw_renders(run, Path(out) / "frames.png")


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.exists() else []


def _measured(run: Run, name: str) -> str:
    """What a step measured: its last line, or the results of a benchmark."""
    path = run.work / f"{name}.json"
    if path.exists():
        return "; ".join(map(_result, json.loads(path.read_text())["results"]))
    lines = [line for line in _lines(run.work / f"{name}.log") if line.strip()]
    return lines[-1].strip()[:160] if lines else ""


def _result(result: dict[str, Any]) -> str:
    width, height = result["size"]
    what = result.get("why", "")
    if "frames_per_second" in result:
        rate, first = result["frames_per_second"], result["first_s"]
        what = f"{rate:.3g} frames/s, first after {first:.1f} s, {_gigabytes(result):.2f} GB"
    return f"{result['method']} {width} x {height}: {what}"


def _gigabytes(result: dict[str, Any]) -> float:
    """Peak memory of a benchmark, on the device if it has its own."""
    device = result["device_bytes"]
    return float(result["host_bytes"] if device is None else device) / 1e9


def _benched(run: Run) -> dict[str, float]:
    """The figures of benchmarks that have a target."""
    found = {}
    for name, label in (("bench_sea_raft", "bench, standard on SEA-RAFT"), ("bench_uhd", "memory at the large size")):
        path = run.work / f"{name}.json"
        for result in json.loads(path.read_text())["results"] if path.exists() else ():
            if result["method"] == "f2hdr" and "frames_per_second" in result:
                found[label] = _gigabytes(result) if "memory" in label else result["frames_per_second"]
    return found


def _draw_renders(run: Run, path: Path) -> None:
    """The middle frame of the plate and of each render, to be looked at."""
    import cv2

    from f2hdr_backend.image.arrays import codes_of
    from f2hdr_backend.image.read import read_image
    from f2hdr_backend.image.write import write_image

    panels = []
    for name in ("plate", "merge", "mergenet", "lite", "standard"):
        files = sorted(run.work.glob(f"{name}.*.exr"))
        if files:
            codes = codes_of(read_image(str(files[len(files) // 2])).pixels, 1.0)
            panel = np.rint(255 * cv2.resize(codes, (960, 540), interpolation=cv2.INTER_AREA)).astype(np.uint8)
            panels.append(cv2.putText(panel, name, (20, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (255, 255, 255), 3))
    if panels:
        write_image(path, np.concatenate(panels).astype(np.float32) / 255, 8)


if __name__ == "__main__":
    work, chosen, wanted, step, *given = sys.argv[1:]
    width, height = map(int, wanted.split("x"))
    globals()[step](Run(Path(work), chosen, (width, height)), *given)
