"""Measure what a chunk costs besides its frames, and draw it against the size of chunk.

    python installers/farm/measure_chunks.py SHOT.json --sizes 1,2,4,8,16 --repeats 3 --plot chunks.png

SHOT.json is from ``f2hdr prepare``. Each size is rendered as a farm's task renders it, in a process of its own; the
fastest of the repeats counts. Overhead is the share of a task's time that is not spent on its own frames, where a
frame's time is what every further frame of a task adds (least squares over the sizes).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.evaluate.pictures.style import FAINT, INK, matplotlib_style
from f2hdr_backend.farm.job import DEFAULT_CHUNK

FloatArray = NDArray[np.float64]


def main() -> None:
    """Measure, print a table and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("shot", help="a Shot from f2hdr prepare")
    parser.add_argument("--first", type=int, required=True, help="first frame of every chunk")
    parser.add_argument("--sizes", default="1,2,4,8,16", help="chunk sizes to measure")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--processor-time", action="store_true", help="measure CPU seconds, for a machine with other load"
    )
    parser.add_argument("--plot", type=Path, help="write the plot to this PNG; needs matplotlib")
    parser.add_argument("--title", default="Cost of chunking")
    options = parser.parse_args()
    sizes = np.array([int(size) for size in options.sizes.split(",")])
    seconds = np.array([_fastest(options, size) for size in sizes])
    frame, start = np.polyfit(sizes, seconds, 1)
    sys.stdout.write(f"a task costs {start:.2f} s plus {frame:.2f} s per frame")
    for size, whole in zip(sizes, seconds, strict=True):
        sys.stdout.write(f"{size:4d} frames {whole:8.2f} s  overhead {1 - size * frame / whole:6.1%}\n")
    if options.plot:
        import matplotlib

        with matplotlib.rc_context(matplotlib_style()):
            _draw(options.plot, options.title, (sizes, seconds), (float(start), float(frame)))


def _fastest(options: argparse.Namespace, size: int) -> float:
    frames = f"{options.first}-{options.first + size - 1}"
    times = [_seconds(options.shot, frames) for _ in range(options.repeats)]
    return min(processor if options.processor_time else wall for wall, processor in times)


def _seconds(shot: str, frames: str) -> tuple[float, float]:
    """Return wall and CPU seconds of a task without the flow cache, which would shorten repeated runs."""
    command = ["f2hdr", "render", shot, "--frames", frames, "--force", "--progress", "openjd"]
    began, used = time.monotonic(), _used()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "F2HDR_CACHE_SIZE": "0"})
    return time.monotonic() - began, _used() - used


def _used() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _draw(path: Path, title: str, measured: tuple[FloatArray, FloatArray], costs: tuple[float, float]) -> None:
    from matplotlib.figure import Figure

    (sizes, seconds), (start, frame) = measured, costs
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    fine = np.geomspace(1, 128, 100)
    for frame_s in (frame, 1.0, 5.0, 30.0):
        label = f"{frame_s:.2g} s a frame" + (" (as measured)" if frame_s == frame else "")
        axes.plot(fine, 100 * start / (start + fine * frame_s), label=label)
    axes.plot(sizes, 100 * (1 - sizes * frame / seconds), "o", color=_shade(INK), label="measured tasks")
    axes.axvline(DEFAULT_CHUNK, color=_shade(FAINT), linestyle=":")
    axes.annotate("default", (DEFAULT_CHUNK, 95), xytext=(4, 0), textcoords="offset points", color=_shade(FAINT))
    axes.set(xscale="log", xlabel="frames per task", ylabel="overhead, % of the task", ylim=(0, 100), title=title)
    axes.set_xticks([1, 2, 4, 8, 16, 32, 64, 128], labels=["1", "2", "4", "8", "16", "32", "64", "128"])
    axes.legend()
    figure.savefig(path, dpi=110)


def _shade(color: tuple[int, int, int]) -> tuple[float, ...]:
    return tuple(part / 255 for part in color)


if __name__ == "__main__":
    main()
