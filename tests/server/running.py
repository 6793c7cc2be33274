"""Real servers in their own processes and runtime folders, plates for them, and how they are looked at from outside."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from f2hdr_backend.client.launch import connect
from f2hdr_backend.client.runtime import read_connection_file
from f2hdr_backend.image.write import write_image
from f2hdr_backend.shot.document import Engine, Output, Shot
from f2hdr_backend.shot.errors import ServerUnreachable
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange

ROOT = Path(__file__).parents[2]
LONG_S = 120.0
"""Patience with a busy machine; nothing is measured with it."""


def write_backend(folder: Path) -> Path:
    """An executable ``f2hdr`` of this interpreter and this checkout."""
    script = folder / "f2hdr"
    script.write_text(
        f"#!{sys.executable}\n"
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from f2hdr_backend.cli.main import main\nmain()\n"
    )
    script.chmod(0o755)
    return script


class Served:
    """A server process and the environment in which clients find it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.runtime = folder / "run"
        self.runtime.mkdir(exist_ok=True)
        self.environment = {
            **os.environ,
            "F2HDR_RUNTIME": str(self.runtime),
            "F2HDR_BACKEND": str(write_backend(folder)),
            "F2HDR_CACHE": str(folder / "cache"),
            "OMP_NUM_THREADS": "1",
        }
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None
        self.connection = None

    def start(self) -> Served:
        """Start it and wait until it answers."""
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [self.environment["F2HDR_BACKEND"], "serve", *self.options],
                env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip
        end = time.monotonic() + LONG_S
        while time.monotonic() < end:
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
            with self.as_client():
                facts = read_connection_file()
                if facts is not None and facts["pid"] == self.process.pid:
                    self.facts = facts
                    try:
                        self.connection = connect(start=False)
                    except ServerUnreachable:
                        continue
                    return self
            time.sleep(0.05)
        raise AssertionError("the server did not start")

    @contextmanager
    def as_client(self):
        """This process, as a client of this server."""
        before = dict(os.environ)
        os.environ.update(self.environment)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def kill(self) -> None:
        """End it the hard way."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(LONG_S)

    @property
    def port(self) -> int:
        """Its port on loopback."""
        return int(self.facts["address"].rpartition(":")[2])

    def ask(self, method: str, path: str, body: object = None, *, token: str | None = None, raw: bytes | None = None):
        """One request over TCP with nothing of the client's in between: (status, JSON or text)."""
        door = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONG_S)
        content = raw if raw is not None else None if body is None else json.dumps(body)
        headers = {"Authorization": f"Bearer {self.facts['token'] if token is None else token}"}
        try:
            door.request(method, path, content, headers)
            answer = door.getresponse()
            text = answer.read().decode()
        finally:
            door.close()
        return answer.status, json.loads(text) if text[:1] in "{[" else text


def make_plate(folder: Path, count: int = 4, size: tuple[int, int] = (32, 24)) -> str:
    """A moving textured ramp, odd frames short, 3 stops apart, numbered from 1; four pictures, again and again."""
    folder.mkdir(parents=True, exist_ok=True)
    width, height = size
    texture = np.random.default_rng(1).uniform(0.6, 1.0, (height, width, 1))
    light = np.linspace(0.01, 1.0, width)[None, :, None] * texture * np.ones(3)
    for number in range(1, count + 1):
        path = folder / f"p.{number:04d}.tif"
        if number > 4:
            path.hardlink_to(folder / f"p.{(number - 1) % 4 + 1:04d}.tif")
            continue
        exposed = np.clip(np.roll(light, number, 1) * (1 if number % 2 else 8), 0, 1)
        write_image(path, exposed ** (1 / 2.2), bits=16)
    return str(folder / "p.####.tif")


def make_shot(plate: str, output: Path | str, frames: str | None = None, **engine: str) -> Shot:
    """A merge of ``plate`` with nothing left to measure."""
    return Shot(
        plate=plate,
        exposures=ExposurePattern((0.0, 3.0), 1),
        frames=None if frames is None else FrameRange.parse(frames),
        cuts=(),
        engine=Engine(**{"method": "merge", **engine}),
        output=Output(pattern=str(output)),
    )


def until(condition, what: str = "the condition"):
    """Wait for a truth and return it."""
    end = time.monotonic() + LONG_S
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come about")
