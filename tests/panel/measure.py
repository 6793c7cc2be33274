"""Measurements of the panel on this machine: ``python -m tests.panel.measure UHD_PLATE`` (numbers in docs/panel.md).

The plate needs a Shot's worth of frames and, next to it, results that its default output names.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import psutil  # noqa: E402
from qtpy import QtCore, QtWidgets  # noqa: E402

from f2hdr_backend.panel.app import keep_start_out_of_collections  # noqa: E402
from f2hdr_backend.panel.workspace import Workspace  # noqa: E402
from f2hdr_backend.shot.exposure import ExposurePattern  # noqa: E402


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")


SHORT_S = 0.001


class Watchdog(QtCore.QObject):
    """Measures how long the window's thread was busy between two turns of its event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = 0
        self.wall: list[float] = [0.0]
        self.cpu: list[float] = [0.0]
        """Seconds of the turns that took longer than 1 ms; there are millions of shorter ones."""
        self._last = time.perf_counter(), time.thread_time()
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._turn)
        self._timer.start(0)

    def _turn(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.turns += 1
        for kept, seconds in ((self.wall, now[0] - self._last[0]), (self.cpu, now[1] - self._last[1])):
            if seconds > SHORT_S:
                kept.append(seconds)
        self._last = now


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plate")
    parser.add_argument("--frames", type=int, default=500, help="frames to scrub over")
    parser.add_argument("--play", type=int, default=24, help="frames to play")
    asked = parser.parse_args(arguments)
    app = QtWidgets.QApplication([])
    window = Workspace(None)
    window.resize(1480, 900)
    window.show()
    keep_start_out_of_collections()
    dog = Watchdog()
    errors: list[str] = []
    window.session.reported.connect(lambda words, kind: errors.append(words) if kind == "error" else None)

    def until(holds) -> None:
        end = time.monotonic() + 600
        while not holds():
            assert time.monotonic() < end
            if errors:
                sys.exit(errors[0])
            app.processEvents(QtCore.QEventLoop.ProcessEventsFlag.AllEvents, 5)

    window.session.detect = lambda: None
    window.open_paths([asked.plate])
    until(lambda: window.session.facts and not window.viewer.is_waiting)
    from dataclasses import replace

    frames = window.timeline.strip.frames
    window.model.put(replace(window.model.shot, exposures=ExposurePattern((0.0, 3.0), frames[0])))
    bar = window.viewer.bar

    def timed(act, count: int = 15) -> str:
        seconds = []
        for step in range(count):
            began, child = time.perf_counter(), psutil.Process(window.pictures.process_id).cpu_times()
            act(step)
            until(lambda: not window.viewer.is_waiting)
            used = psutil.Process(window.pictures.process_id).cpu_times()
            cpu = used.user + used.system - child.user - child.system
            seconds.append((time.perf_counter() - began, cpu))
        wall, cpu = (statistics.median(value[which] for value in seconds) for which in (0, 1))
        return f"median {wall * 1000:.0f} ms, {cpu * 1000:.0f} ms of CPU time"

    for mode in ("plate", "result", "wipe"):
        bar.set_mode(mode)
        until(lambda: not window.viewer.is_waiting)
        say(f"exposure, {mode}: {timed(lambda step: bar.exposure.set_value(0.01 + step / 20))}")
    say(f"wipe: {timed(lambda step: window.viewer._wiped(0.3 + step / 50))}")
    bar.set_mode("plate")
    until(lambda: not window.viewer.is_waiting)
    few = frames[: min(len(frames), asked.play)]
    window.timeline.strip.in_frame, window.timeline.strip.out_frame = few[0], few[-1]
    for step in (*few, *few):
        window.player.go_to(step)
        until(lambda: not window.viewer.is_waiting)
    window.player.rate.setValue(24)
    window.player.play(1)
    end = time.monotonic() + 5
    until(lambda: time.monotonic() > end)
    say(f"playback of {len(few)} frames in memory: {window.player.seen_rate:.1f} of 24 frames/s")
    window.player.pause()
    window.timeline.strip.in_frame = window.timeline.strip.out_frame = None
    dog.wall[:] = dog.cpu[:] = [0.0]
    memory = []
    for step in range(asked.frames):
        window.player.go_to(frames[step % len(frames)])
        bar.exposure.set_value((step % 40) / 20)
        until(lambda: not window.viewer.is_waiting)
        if step % 50 == 0 or step == asked.frames - 1:
            child = psutil.Process(window.pictures.process_id).memory_info().rss
            memory.append((step, psutil.Process().memory_info().rss / 1e6, child / 1e6))
    say("scrubbed, window MB, picture process MB:", [tuple(map(round, values)) for values in memory])
    say(
        f"window's thread, longest turn: {max(dog.cpu) * 1000:.0f} ms of CPU time, {max(dog.wall) * 1000:.0f} ms in all"
    )
    window.close()


if __name__ == "__main__":
    main(sys.argv[1:])
